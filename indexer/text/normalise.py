"""Cleans texts of what readers cannot see, and tells which language they are in."""

import re
import unicodedata

from indexer.records import Language

_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Controls, soft hyphens, zero-width and bidirectional marks, byte order marks, variation selectors
# and tag characters: invisible, so that nobody who reads a text knows what a model reads in it.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"[^\S\n]{2,}|[^\S\n ]")
_SPACES_AT_LINE_ENDS = re.compile(r" ?\n ?")
_BLANK_LINES = re.compile(r"\n{3,}")

_THOUGHT_TAG = re.compile(r"<(/?)think(?:ing)?\s*>", re.IGNORECASE)
_ARROW = re.compile(r"\s*-{2,}>\s*")

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_LATIN_WORD = re.compile(r"[A-Za-z]+")


def clean(text: str) -> str:
    """Return the text as NFC, without invisible characters and with plain spaces.

    No-break, ideographic and other wide spaces become one space, every kind of line end a line
    feed; lines lose the spaces at their ends, paragraphs are one blank line apart. Halves of
    surrogate pairs become U+FFFD, so the result can always be encoded. Idempotent.
    """
    text = _LINE_ENDS.sub("\n", text)
    text = _LONE_SURROGATES.sub("\ufffd", _INVISIBLE.sub("", text))
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    text = _SPACES_AT_LINE_ENDS.sub("\n", text)
    return _BLANK_LINES.sub("\n\n", text).strip()


def split_thoughts(text: str) -> tuple[str, str]:
    """Split a model's output into its thoughts and the rest, both cleaned, both maybe empty.

    Thoughts stand between `<think>` and `</think>`. Models also leave out the first tag (all
    before the second is thought) or the second (all after the first is thought).
    """
    thoughts: list[str] = []
    rest: list[str] = []
    thinking = False
    position = 0
    for tag in _THOUGHT_TAG.finditer(text):
        closes = tag.group(1) == "/"
        if closes and not thinking:
            thoughts += rest
            rest = []
        (thoughts if closes else rest).append(text[position : tag.start()])
        thinking = not closes
        position = tag.end()
    (thoughts if thinking else rest).append(text[position:])
    return clean("\n".join(thoughts)), clean("\n".join(rest))


def drop_arrows(text: str) -> str:
    """Return the text without the `-->` that web pages leave where a link stood."""
    return _ARROW.sub(" ", text).strip() if "-->" in text else text


def detect_language(text: str) -> Language:
    """Return "zh" if a text has at least as many Han characters as Latin words, otherwise "en".

    A Chinese question may be full of drug names and units; an English one may quote a Chinese
    term. A text with neither (a number, say) counts as English.
    """
    han = len(_HAN.findall(text))
    return "zh" if han and han >= len(_LATIN_WORD.findall(text)) else "en"

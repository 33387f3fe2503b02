"""Makes foreign text harmless inside a prompt: it stays readable, but is only ever text.

A passage becomes one line, so it cannot imitate a role, a heading or the end of its fence; its
brackets around numbers become parentheses, so it cannot imitate a citation; the marks that chat
templates give a meaning to are broken up.
"""

import re
import unicodedata

# Control, format (bidirectional overrides, zero-width and tag characters), surrogate, private-use
# and unassigned code points: nothing that a reader sees, and all that hides text from one.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Variation selectors, joiners and fillers have other categories, and are as little seen.
_FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_CITATION = re.compile(r"[\[［【〔]\s*(\d+(?:\s*[,，;–-]\s*\d+)*)\s*[\]］】〕]")
# Places inside <|im_start|>, <｜User｜>, <<SYS>>, [INST], </s>, <start_of_turn>, "###" and the
# project's own fence.
_TAGS = "s|bos|eos|pad|(?:start|end)_of_turn|think|system|user|assistant|tool_(?:call|response)"
_BRACKETED = "INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|IMG"
# Looking for single characters is much quicker than any pattern, and most texts have none.
_MARKS = "<>|｜[#"
_BRACKETS = "[［【〔"
_INSIDE_CHAT_MARKS = re.compile(
    r"(?<=[<|｜])(?=[<|｜])|(?<=[>|｜])(?=[>|｜])|(?<=#)(?=#)"
    rf"|(?<=\[)(?=/?(?:{_BRACKETED})\])|(?<=<)(?=/?(?:{_TAGS})>)",
    re.IGNORECASE,
)


def strip_unseen(text: str) -> str:
    """Return the text without characters that are not seen; all line breaks become line feeds."""
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub("[\v\f\x85\u2028\u2029]", "\n", text)
    text = _FILLERS.sub("", text)
    unseen = {
        ord(mark): None
        for mark in set(text) - {"\n", "\t"}
        if unicodedata.category(mark) in _UNSEEN
    }
    return text.translate(unseen) if unseen else text


def defuse(text: str) -> str:
    """Return the text with the marks broken up that chat templates and fences are made of."""
    text = strip_unseen(text)
    return _INSIDE_CHAT_MARKS.sub(" ", text) if _has_any(_MARKS, text) else text


def as_passage(text: str) -> str:
    """Return foreign text as one harmless line."""
    return without_citations(" ".join(defuse(text).split()))


def as_note(text: str) -> str:
    """Return a patient note: harmless lines, none of them blank."""
    lines = (" ".join(line.split()) for line in defuse(text).split("\n"))
    return without_citations("\n".join(line for line in lines if line))


def without_citations(text: str) -> str:
    """Return the text with numbers in brackets put into parentheses instead."""
    return _CITATION.sub(r"(\1)", text) if _has_any(_BRACKETS, text) else text


def _has_any(marks: str, text: str) -> bool:
    return any(mark in text for mark in marks)

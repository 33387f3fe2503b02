"""Where sentences end, in English and in Chinese."""

import re
from collections.abc import Iterator

# A run of stops with what closes a quotation; wide stops need no space after them. A run is only
# looked at from its first mark on: else a long row of dots would take time by its square.
_END = re.compile(
    '(?<![.!?])(?P<stop>[.!?]++["\'”’)\\]]*+)\\s++|(?P<wide>[。！？；]++["”’」』）】]*+)\\s*+|\n++'
)
_LAST_WORD = re.compile(r"[A-Za-z.]{1,8}\Z")
_ABBREVIATIONS = frozenset(
    ["e.g", "i.e", "vs", "dr", "mr", "mrs", "ms", "prof", "fig", "approx", "cf", "al", "ca", "resp"]
)


def sentence_ends(text: str) -> Iterator[tuple[int, int]]:
    """Yield, for each sentence but one without an end, where it ends and where the next begins."""
    for found in _END.finditer(text):
        stop, wide = found["stop"], found["wide"]
        if stop == "." and _is_abbreviation(text, found.start()):
            continue
        if stop:
            yield found.end("stop"), found.end()
        elif wide:
            yield found.end("wide"), found.end()
        else:
            yield found.start(), found.end()


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text in their order, without the space between them."""
    sentences: list[str] = []
    begin = 0
    for end, following in sentence_ends(text):
        sentences.append(text[begin:end])
        begin = following
    sentences.append(text[begin:])
    return [one.strip() for one in sentences if one.strip()]


def _is_abbreviation(text: str, at: int) -> bool:
    word = _LAST_WORD.search(text[max(at - 9, 0) : at])
    return word is not None and word[0].casefold() in _ABBREVIATIONS

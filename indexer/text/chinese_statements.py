"""Statements of a Chinese sentence; words of other scripts within it are taken as they are."""

import re
from collections.abc import Iterator

from indexer.text.chinese_words import CHINESE
from indexer.text.english_statements import normal_form
from indexer.text.english_words import Kind
from indexer.text.phrases import Clause
from indexer.text.statement import Statement

_FIRST_HAN = "\u3400"
_CLAUSES = re.compile(
    r"[,:()\[\]\s]+|(?:[\d.]+|[一二三四五六七八九十百半数几两])+余?个?(?:天|日|周|月|年|小时|分钟|岁)[余前来]?"
)
_PIECE = re.compile(r"(?P<latin>[a-z0-9]+)|(?P<other>[^\W_])")


def read_chinese(sentence: str) -> list[Statement]:
    """Return what a folded Chinese sentence states; a comma ends a scope, 、 does not."""
    found: list[Statement] = []
    for part in _CLAUSES.split(sentence):
        if part:
            found += _read_clause(part)
    return found


def _read_clause(text: str) -> list[Statement]:
    clause = Clause(frozenset())
    place = 0
    while place < len(text):
        known = _KNOWN.match(text, place)
        if known:
            place = known.end()
            clause.tell(_kind(known[0], at_end=place == len(text)), known[0])
            continue
        piece = _PIECE.match(text, place)
        place = piece.end() if piece else place + 1
        if piece and not piece[0].isdigit():
            clause.tell_content(normal_form(piece[0]) if piece["latin"] else piece[0])
    # One character (热, 痛, 好) is part of too many words to name a finding.
    return [one for one in clause.finish() if len(one.words) > 1 or one.name < _FIRST_HAN]


def _kind(phrase: str, *, at_end: bool) -> Kind:
    """Return what a phrase does; some deny what follows, but at the end what stands before."""
    return _AT_END.get(phrase, _KINDS[phrase]) if at_end else _KINDS[phrase]


def _phrases() -> Iterator[tuple[str, Kind]]:
    for kind, listed in CHINESE.items():
        for phrase in listed.split("|"):
            yield phrase.strip(), kind


def _build_kinds() -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for phrase, kind in _phrases():
        found.setdefault(phrase, kind)
    return found


_KINDS = _build_kinds()
_AT_END: dict[str, Kind] = {
    phrase: kind for phrase, kind in _phrases() if kind in {"denied", "doubted"}
}
_KNOWN = re.compile("|".join(sorted(_KINDS, key=len, reverse=True)))

"""Queries that an index should answer, made from its own records."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.records import Language
from indexer.store.picking import ColumnPicker
from indexer.text.normalise import clean, detect_language
from indexer.text.tokenise import tokenise

if TYPE_CHECKING:
    import pyarrow as pa

_SEED = 11
_WORDS = {"en": 16, "zh": 24}
"""How much of a text is asked: words of English, characters of Chinese."""

_KEYWORDS = 2
_COLUMNS = {
    "image": ("case_id", "caption", "modality", "body_part", "labels"),
    "text": ("case_id", "question"),
}


@dataclass(frozen=True, slots=True)
class Probe:
    """A query whose answer should lie in other cases than the one that it was made from.

    `row` is that of the record that it was made from. `keywords` are rare words torn from their
    sentence, as people put to a full-text index; `facts` are what is stated of an image that has no
    caption.
    """

    text: str
    language: Language
    case_id: str
    row: int
    keywords: bool = False
    facts: bool = False


def sample_rows(count: int, most: int) -> list[int]:
    """Return at most `most` of `count` rows, drawn the same each time, in order."""
    draws = np.random.default_rng([_SEED, count])
    return sorted(draws.choice(count, min(count, most), replace=False).tolist())


def make_probes(
    table: "pa.Table", kind: str, records_with: Callable[[str], int], most: int
) -> tuple[Probe, ...]:
    """Return queries made from at most `most` records, each text once.

    From a caption or a question its beginning, and its two rarest words that another record holds;
    from an image without caption what is stated of it.
    """
    rows = np.array(sample_rows(len(table), most), np.int64)
    columns = {name: ColumnPicker(table, name).pick(rows) for name in _COLUMNS[kind]}
    probes: dict[str, Probe] = {}
    for place, values in zip(rows.tolist(), zip(*columns.values(), strict=True), strict=True):
        row = dict(zip(columns, values, strict=True))
        case = row["case_id"]
        for text in _texts_of(row):
            facts = not (row.get("question") or row.get("caption"))
            language = detect_language(text)
            probes.setdefault(text, Probe(text, language, case, place, facts=facts))
        for text in _keywords_of(row, records_with):
            probes.setdefault(text, Probe(text, "en", case, place, keywords=True))
    return tuple(probes.values())


def _texts_of(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield how a question or caption begins; of an image without caption what is stated."""
    told = row.get("question") or row.get("caption")
    named = (row.get("modality"), row.get("body_part"), *(row.get("labels") or ()))
    text = _beginning(clean(told)) if told else " ".join(part for part in named if part)
    if text:
        yield text


def _keywords_of(row: Mapping[str, Any], records_with: Callable[[str], int]) -> Iterator[str]:
    """Yield the two rarest words of an English text that another record holds."""
    told = row.get("question") or row.get("caption")
    if not told or detect_language(told) != "en":
        return
    tokens = dict.fromkeys(tokenise(told))
    shared = [(held, token) for token in tokens if (held := records_with(token)) > 1]
    if len(shared) > _KEYWORDS:
        yield " ".join(token for _, token in sorted(shared)[:_KEYWORDS])


def _beginning(text: str) -> str:
    language = detect_language(text)
    if language == "zh":
        return text[: _WORDS[language]]
    return " ".join(text.split()[: _WORDS[language]])

"""Benchmark questions that can be marked by a program: letters to choose, values to calculate."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from indexer.errors import DatasetEmptyError, QueryError
from indexer.records import Language, TextRecord
from indexer.text.questions import options_text

BENCHMARKS = ("medqa", "jmed", "medcalc_bench")
_SPLITS_BY_CUSTOM = ("test", "dev")


@dataclass(frozen=True, slots=True)
class BenchmarkQuestion:
    """One question with its right answer. `several`: more than one letter may be right."""

    record: TextRecord
    several: bool = False

    @property
    def question_id(self) -> str:
        """The id of its record."""
        return self.record.record_id

    @property
    def whole(self) -> str:
        """The note, the question and the options, as a model without passages reads them."""
        record = self.record
        parts = (record.context, f"Question: {record.question}", options_text(record))
        return "\n".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which questions of a dataset are asked: at most `limit` of them, drawn by `seed`.

    `split` None is the test split, where there is none dev, where there is neither all questions.
    """

    split: str | None = None
    language: Language | None = None
    limit: int = 200
    seed: int = 0


def select_questions(
    records: Iterable[TextRecord], title: str, selection: Selection
) -> list[BenchmarkQuestion]:
    """Choose among a dataset's records, each distinct question once; `title` names it in errors.

    Raises
    ------
    DatasetEmptyError
        There is no question that a program can mark.
    QueryError
        No question has the wanted split and language.
    """
    markable = list(_distinct(filter(_marks, records)))
    if not markable:
        raise DatasetEmptyError(
            f"{title} holds no question that a program can mark.",
            remedy=f"Choose among: {', '.join(BENCHMARKS)}.",
        )
    split = selection.split or _customary_split({record.split for record in markable})
    chosen = [
        record
        for record in markable
        if split in {None, record.split} and selection.language in {None, record.language}
    ]
    if not chosen:
        held = sorted({f"{record.split} ({record.language})" for record in markable})
        raise QueryError(
            f"{title} has no questions of that split and language.",
            remedy=f"It holds: {', '.join(held)}.",
        )
    several = any(len(record.answer_keys) > 1 for record in chosen)
    return [BenchmarkQuestion(record, several) for record in _draw(chosen, selection)]


def _marks(record: TextRecord) -> bool:
    """Return whether an answer can be marked: against letters, or against a calculated value."""
    return bool(record.options and record.answer_keys) or record.calculator is not None


def _distinct(records: Iterable[TextRecord]) -> Iterator[TextRecord]:
    """Yield each question once: MedQA publishes the same with 5 and 4 options."""
    seen: set[str] = set()
    for record in records:
        key = record.content_key()
        if key not in seen:
            seen.add(key)
            yield record


def _customary_split(splits: set[str]) -> str | None:
    return next((split for split in _SPLITS_BY_CUSTOM if split in splits), None)


def _draw(records: list[TextRecord], selection: Selection) -> list[TextRecord]:
    """Return `limit` records drawn without replacement, in their own order."""
    random = np.random.default_rng(selection.seed)
    rows = random.permutation(len(records))[: selection.limit]
    return [records[row] for row in sorted(rows.tolist())]

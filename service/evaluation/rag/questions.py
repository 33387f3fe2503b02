"""Benchmark questions that can be marked by a program: letters to choose, values to calculate."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.datasets.base import locate, not_found
from indexer.datasets.registry import get_dataset
from indexer.errors import DatasetEmptyError, QueryError
from indexer.records import Language, TextRecord
from indexer.text.questions import document_text, options_text

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
    def stem(self) -> str:
        """What is asked and searched for: the question with its note, never the options.

        Whoever looks something up does not know the options (Xiong et al. 2024, MedRAG).
        """
        return document_text(self.record)

    @property
    def choices(self) -> str:
        """The options, one a line, each with its letter; "" where a value is wanted."""
        return options_text(self.record)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which questions of a dataset are asked: at most `limit` of them, drawn by `seed`.

    `split` None is the test split, where there is none dev, where there is neither all questions.
    """

    split: str | None = None
    language: Language | None = None
    limit: int = 200
    seed: int = 0


def read_questions(data_dir: Path, dataset: str, selection: Selection) -> list[BenchmarkQuestion]:
    """Read a benchmark's questions from its published files, each distinct question once.

    Raises
    ------
    DatasetNotFoundError, DatasetEmptyError
        The files are not below `data_dir`, or hold no question that a program can mark.
    QueryError
        No question has the wanted split and language.
    """
    source = get_dataset(dataset)
    root = locate(source.info, data_dir)
    if root is None:
        raise not_found(source.info, data_dir / dataset)
    rows = source.iter_rows(root)
    markable = list(_distinct(row for row in rows if isinstance(row, TextRecord) and _marks(row)))
    if not markable:
        raise DatasetEmptyError(
            f"{source.info.title} holds no question that a program can mark.",
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
            f"{source.info.title} has no questions of that split and language.",
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

"""Decontamination: a benchmark's own questions are never evidence for themselves."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from indexer.errors import IndexNotFoundError
from indexer.records import AnyRecord, ImageRecord, TextRecord
from service.evaluation.rag.questions import BenchmarkQuestion
from service.retrieval.filters import Combination, Comparison, Filter
from service.retrieval.selection import Snapshot, target_of

Level: TypeAlias = Literal["dataset", "split", "question", "off"]
Found = TypeVar("Found")

SAME_JACCARD = 0.7
"""Share of common character 5-grams from which two questions count as one (of their union)."""
SAME_CONTAINED = 0.9
"""The same of the shorter text's 5-grams: a question quoted within a longer one."""
_GRAM = 5
# Fewer 5-grams than this are a phrase, which a longer text may hold by chance.
_LEAST_CONTAINED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """The indexes of questions that are searched, and the splits that each dataset has in them."""

    indexes: tuple[str, ...]
    splits: dict[str, frozenset[str]]

    @classmethod
    def of(cls, snapshot: Snapshot, indexes: Iterable[str] | None = None) -> "Holdings":
        """Return what the named (or all) indexes of questions hold.

        Raises
        ------
        IndexNotFoundError
            None of them is an index of questions.
        """
        wanted = None if indexes is None else set(indexes)
        names = tuple(
            name
            for name, reader in sorted(snapshot.items())
            if target_of(reader) == "questions" and (wanted is None or name in wanted)
        )
        if not names or (wanted is not None and wanted != set(names)):
            raise IndexNotFoundError(
                "There is no such index of questions and answers.",
                remedy="`medsearch index medqa --data DIR` builds one; --index names built ones.",
            )
        splits: dict[str, set[str]] = {}
        for name in names:
            table = snapshot[name].table
            pairs = table.select(["dataset", "split"]).group_by(["dataset", "split"]).aggregate([])
            for row in pairs.to_pylist():
                splits.setdefault(row["dataset"], set()).add(row["split"])
        return cls(indexes=names, splits={one: frozenset(two) for one, two in splits.items()})


@dataclass(frozen=True, slots=True)
class Screen:
    """Keeps a question's own record, its translations, near copies and relatives out of a search.

    `level` says how far its relatives reach: its whole `dataset`, its `split` of it, only the
    `question` itself, or nothing (`off`).
    """

    holdings: Holdings
    level: Level = "split"

    def search(
        self,
        question: BenchmarkQuestion,
        find: Callable[[Filter | None], Found],
        records_of: Callable[[Found], Iterable[AnyRecord]],
    ) -> Found:
        """Return what `find` finds once nothing near-identical to the question is among it.

        `find` is asked again, with what it must not find, as often as it finds a near copy.
        """
        if self.level == "off":
            return find(None)
        copies: set[str] = set()
        own = _grams(question.record)
        while True:
            found = find(self._filter(question.record, copies))
            near = {one.record_id for one in records_of(found) if _near(own, one)}
            if not near - copies:
                return found
            copies |= near

    def _filter(self, own: TextRecord, copies: set[str]) -> Filter:
        """Return the filter: not the question's case, its copies, its split or its dataset."""
        parts: list[Filter] = [Comparison("case_id", "ne", own.case_id)]
        parts.append(Comparison("record_id", "nin", (own.record_id, *sorted(copies))))
        held = self.holdings.splits.get(own.dataset, frozenset())
        another_dataset = Comparison("dataset", "ne", own.dataset)
        if held and self.level == "dataset":
            parts.append(another_dataset)
        elif own.split in held and self.level == "split":
            another_split = Comparison("split", "ne", own.split)
            parts.append(Combination("or", (another_dataset, another_split)))
        return Combination("and", tuple(parts))


def near_identical(left: TextRecord, right: TextRecord) -> bool:
    """Return whether two records ask the same, but for a few words, punctuation or white space."""
    return _near(_grams(left), right)


def _near(own: frozenset[str], other: AnyRecord) -> bool:
    if isinstance(other, ImageRecord):
        return False
    theirs = _grams(other)
    if not own or not theirs:
        return False
    shared = len(own & theirs)
    shorter = min(len(own), len(theirs))
    if shared >= SAME_JACCARD * len(own | theirs):
        return True
    return shorter >= _LEAST_CONTAINED and shared >= SAME_CONTAINED * shorter


def _grams(record: TextRecord) -> frozenset[str]:
    """Return the character 5-grams of the letters and digits of a question.

    Of a calculation the note is compared: the question is the same for many notes.
    """
    words = f"{record.question} {record.context or ''}"
    text = record.context if record.calculator and record.context else words
    folded = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(letter for letter in folded if letter.isalnum())
    return frozenset(letters[at : at + _GRAM] for at in range(max(1, len(letters) - _GRAM + 1)))

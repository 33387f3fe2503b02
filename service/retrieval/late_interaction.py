"""Whole studies and series compared: each of the query's slices with its best match in each group.

Late interaction, or MaxSim (Khattab and Zaharia, ColBERT, SIGIR 2020): the sum over the query's
slices of the cosine of the most similar slice of a group. It is divided by the number of slices,
so that it is a cosine again; the order is the same. Beside it stands the best slice: the largest
cosine of any two slices. Both are exact: every embedding of the searched fields is compared.
"""

from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from indexer.store.reader import IndexReader
from indexer.store.subset import Subset, intersect
from service.retrieval.fusion import Found, Key, Ranking, Score
from service.retrieval.legs import Area, Effort
from service.retrieval.query import Match
from service.retrieval.spaces import Space
from service.retrieval.views import records_compared

Scores = npt.NDArray[np.float32]

# Embeddings compared at a time: bounds memory (8,192 x 512 floats are 16 MB).
_BLOCK = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Some of the query's slices: embeddings float32 (n, d), and the fields to compare them with.

    An index that has none of the fields is compared by the field of the space.
    """

    vectors: npt.NDArray[np.float32]
    fields: tuple[str, ...]

    def fields_of(self, reader: IndexReader, space: Space) -> tuple[str, ...]:
        """Return what is compared of a reader's records."""
        stated = reader.manifest.fields
        found = tuple(name for name in self.fields if name in stated and stated[name].vectors)
        return found or (space.field,)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesLeg:
    """Groups ranked by how well they match the query's slices in one space.

    `groups` holds each member's group of every record, int32 (records,), -1 for a record that is a
    group by itself. Of a group the `best` records that match any slice best are ranked, all with
    the score of the group.
    """

    name: Match
    space: Space
    weight: float
    slices: tuple[Slices, ...]
    members: tuple[int, ...]
    groups: tuple[npt.NDArray[np.int32], ...] = field(repr=False)
    best: int

    @property
    def comparisons(self) -> int:
        """How many pictures look for their nearest: of a mean over slices no more than one does."""
        return (
            1 if self.name == "late_interaction" else sum(len(one.vectors) for one in self.slices)
        )

    @property
    def is_always_exact(self) -> bool:
        """Whether a first pass already finds everything that there is."""
        return True

    def rank(self, area: Area, depth: int, *, exact: bool) -> Ranking:  # noqa: ARG002 - is exact
        """Rank the records that stand for the groups, `depth` at most."""
        stands = [
            one
            for member, codes in zip(self.members, self.groups, strict=True)
            for one in self._compare(member, area, codes)
        ]
        stands.sort(key=lambda one: (-one.group_score, one.key.reader, one.group, one.place))
        found = [_found(member, stands) for member in self.members]
        del stands[depth:]
        return Ranking(
            name=self.name,
            measure="cosine",
            weight=self.weight,
            keys=[one.key for one in stands],
            scores=[one.group_score for one in stands],
            floor=stands[-1].group_score if stands else 0.0,
            fields={one.key: one.field for one in stands},
            found=found,
        )

    def scores(self, area: Area, keys: Collection[Key]) -> dict[Key, Score]:  # noqa: ARG002 - none
        """Return nothing: what a record scores is its group's, and only some stand for that."""
        return {}

    def excuse(self, area: Area, keys: Collection[Key]) -> Set[Key]:  # noqa: ARG002 - none
        """Return which records this leg cannot rank: it stands alone, so nothing is owed to any."""
        return frozenset()

    def effort(self, area: Area, *, exact: bool) -> Effort:  # noqa: ARG002 - is exact
        """Return how many embeddings are compared with some slice."""
        return Effort(
            True,
            sum(
                area.readers[member].manifest.fields[name].vectors
                for member in self.members
                for one in self.slices
                for name in one.fields_of(area.readers[member], self.space)
            ),
        )

    def _compare(self, member: int, area: Area, codes: npt.NDArray[np.int32]) -> Iterator["_Stand"]:
        """Yield the records that stand for the groups of a member."""
        reader, allowed = area.readers[member], area.allowed[member]
        names, cosines, matched = self._cosines(reader, allowed)
        kept = np.flatnonzero(matched >= 0)
        if not len(kept):
            return
        own = cosines.max(axis=1)
        alone = codes.max() + 1 + np.arange(len(codes))
        numbers = np.where(codes < 0, alone, codes)
        order = kept[np.lexsort((kept, -own[kept], numbers[kept]))]
        groups, starts, counts = np.unique(numbers[order], return_index=True, return_counts=True)
        best = np.maximum.reduceat(cosines[order], starts, axis=0)
        best[np.isneginf(best)] = 0
        scores = best.max(axis=1) if self.name == "best_slice" else best.mean(axis=1)
        for group, start, count, score in zip(
            groups.tolist(), starts.tolist(), counts.tolist(), scores.tolist(), strict=True
        ):
            for place, row in enumerate(order[start : start + min(count, self.best)].tolist()):
                yield _Stand(Key(member, row), group, place, score, names[matched[row]])

    def _cosines(
        self, reader: IndexReader, allowed: Subset | None
    ) -> tuple[list[str], Scores, npt.NDArray[np.int8]]:
        """Return the names of fields, each record's best cosine with each slice, and in which.

        The cosines are float32 (records, slices), -inf where there is nothing to compare; the
        field, int8 (records,), is that of the record's best of all, -1 for none.
        """
        records, total = reader.table.num_rows, sum(len(one.vectors) for one in self.slices)
        cosines = np.full((records, total), -np.inf, np.float32)
        best = np.full(records, -np.inf, np.float32)
        matched = np.full(records, -1, np.int8)
        names: list[str] = []
        first = 0
        for one in self.slices:
            columns = slice(first, first + len(one.vectors))
            first += len(one.vectors)
            for name in one.fields_of(reader, self.space):
                names.append(name)
                vectors, rows_of = reader.vectors(name), reader.rows_of(name)
                within = intersect(allowed, records_compared(reader, name, one.fields))
                for start in range(0, len(rows_of), _BLOCK):
                    rows = rows_of[start : start + _BLOCK]
                    some = np.ones(len(rows), np.bool_) if within is None else within.mask[rows]
                    rows = rows[some]
                    found = vectors[start : start + _BLOCK][some] @ one.vectors.T
                    if (np.diff(rows) > 0).all():
                        cosines[rows, columns] = np.maximum(cosines[rows, columns], found)
                    else:  # several embeddings of one record
                        np.maximum.at(cosines[:, columns], rows, found)
                    nearest = found.max(axis=1)
                    better = nearest > best[rows]
                    best[rows[better]] = nearest[better]
                    matched[rows[better]] = len(names) - 1
        return names, cosines, matched


class _Stand(NamedTuple):
    """A record that stands for its group: at which place among its members, and how it matched."""

    key: Key
    group: int
    place: int
    group_score: float
    field: str


def _found(member: int, stands: Sequence[_Stand]) -> Found:
    """Return which records stand for the groups of a member, best first."""
    own = [one for one in stands if one.key.reader == member]
    rows = np.array([one.key.row for one in own], np.int64)
    return Found(member, rows, np.array([one.group_score for one in own], np.float32))

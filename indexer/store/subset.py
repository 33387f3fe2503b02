"""Some records of a build, and what a search among them needs.

Filters repeat, query after query. So a subset keeps what was found out about it: how many records
there are, where their vectors lie in each field, and, once it was searched before, a copy of these
vectors' codes side by side. Brought together anew for each query, scattered codes take longer than
their comparison.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from indexer.store.faiss_files import Codes

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]

MOST_KEPT = 1 << 27
"""Bytes that one subset may hold with copies of codes: beyond, they are gathered query by query."""


class Part:
    """The vectors of one field that belong to a subset: their places int64 (m,), rising.

    `searches` counts those that ended; `takes` says whether so many bytes may be kept.
    """

    def __init__(self, places: Rows, takes: Callable[[int], bool] = lambda size: False) -> None:  # noqa: ARG005
        self.places = places
        self.searches = 0
        self._takes = takes
        self._codes: Codes | None = None

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.places)

    def gather(self, codes: Codes) -> Codes | None:
        """Return the codes uint8 (m, w) of these vectors, of all of the field's (n, w).

        None for the first search, which may be the only one, and where they may not be kept.
        """
        size = len(self.places) * codes.shape[1]
        if self._codes is None and self.searches and self._takes(size):
            self._codes = np.take(codes, self.places, axis=0)
        return self._codes


class Subset:
    """Records of one build, by a mask bool (records,) that nobody may write to any more.

    One that `repeats` keeps codes, too. `nbytes` is the memory that it holds. Safe to share between
    threads: at worst, two find out the same thing.
    """

    def __init__(self, mask: Mask, *, repeats: bool = False) -> None:
        mask.setflags(write=False)
        self.mask = mask
        self.nbytes = mask.nbytes
        self._repeats = repeats
        self._parts: dict[str, Part] = {}

    @cached_property
    def count(self) -> int:
        """The number of records."""
        return int(np.count_nonzero(self.mask))

    def part(self, field: str, find: Callable[[Mask], Rows]) -> Part:
        """Return the vectors of a field; `find` tells their places from the mask."""
        if field not in self._parts:
            part = Part(find(self.mask), self._takes)
            self.nbytes += part.places.nbytes
            self._parts[field] = part
        return self._parts[field]

    def _takes(self, size: int) -> bool:
        if not self._repeats or self.nbytes + size > MOST_KEPT:
            return False
        self.nbytes += size
        return True


def intersect(one: Subset | None, other: Subset | None) -> Subset | None:
    """Return the records of both, or None for all: a subset that holds everything costs a scan."""
    if one is None or other is None:
        both = other if one is None else one
    else:
        both = Subset(one.mask & other.mask)
    return None if both is None or both.count == len(both.mask) else both

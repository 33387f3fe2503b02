"""Some records of a build, and what a search among them needs.

Filters repeat, query after query. So a subset keeps what was found out about it: how many records
there are, where their vectors lie in each field, and, from the second search on, a copy of these
vectors' codes side by side. Brought together anew for each query, scattered codes take longer than
their comparison.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]

MOST_GATHERED = 1 << 27
"""Bytes of codes that one field of a subset copies at most: larger ones stay where they are."""


class Part:
    """The vectors of one field that belong to a subset: their places int64 (m,), rising."""

    def __init__(self, places: Rows) -> None:
        self.places = places
        self._searches = 0
        self._codes: Codes | None = None

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self.places)

    def gather(self, codes: Codes) -> Codes | None:
        """Return the codes uint8 (m, w) of these vectors, of all of the field's (n, w).

        None for the first search, which may be the only one, and where they are too large.
        """
        self._searches += 1
        if (
            self._codes is None
            and self._searches > 1
            and len(self.places) * codes.shape[1] <= MOST_GATHERED
        ):
            self._codes = np.take(codes, self.places, axis=0)
        return self._codes

    @property
    def nbytes(self) -> int:
        """The memory that it holds."""
        return self.places.nbytes + (0 if self._codes is None else self._codes.nbytes)


class Subset:
    """Records of one build, by a mask bool (records,) that nobody may write to any more.

    Safe to share between threads: at worst, two find out the same thing.
    """

    def __init__(self, mask: Mask) -> None:
        mask.setflags(write=False)
        self.mask = mask
        self._parts: dict[str, Part] = {}

    @cached_property
    def count(self) -> int:
        """The number of records."""
        return int(np.count_nonzero(self.mask))

    def part(self, field: str, find: Callable[[Mask], Rows]) -> Part:
        """Return the vectors of a field; `find` tells their places from the mask."""
        if field not in self._parts:
            self._parts[field] = Part(find(self.mask))
        return self._parts[field]

    @property
    def nbytes(self) -> int:
        """The memory that it holds."""
        return self.mask.nbytes + sum(part.nbytes for part in tuple(self._parts.values()))


def intersect(one: Subset | None, other: Subset | None) -> Subset | None:
    """Return the records of both, or None for all: a subset that holds everything costs a scan."""
    if one is None or other is None:
        both = other if one is None else one
    else:
        both = Subset(one.mask & other.mask)
    return None if both is None or both.count == len(both.mask) else both

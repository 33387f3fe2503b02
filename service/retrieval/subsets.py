"""Which records of each build a query may return; kept per build, since filters repeat."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from weakref import ReferenceType, ref

from indexer.store.reader import IndexReader
from indexer.store.subset import Subset
from service.retrieval.columns import ColumnCache
from service.retrieval.filters import Filter, check_filter, evaluate

_KEPT_FILTERS = 256
_KEPT_BYTES = 256 * 1024 * 1024


class SubsetCache:
    """Evaluates filters over builds and keeps the latest 256, up to 256 MiB. Thread-safe.

    Half of 600,000 records of tests/benchmarks take 80 MB once they are searched repeatedly. What a
    search makes its filters keep (128 MiB each at most) is counted with the next one. Those of a
    build that nobody holds any more go with the next search, filtered or not.
    """

    def __init__(self, columns: ColumnCache, kept_bytes: int = _KEPT_BYTES) -> None:
        self._columns = columns
        self._kept_bytes = kept_bytes
        self._kept: OrderedDict[tuple[ReferenceType[IndexReader], Filter], Subset] = OrderedDict()
        self._lock = threading.Lock()

    def allowed(self, readers: Sequence[IndexReader], chosen: Filter | None) -> list[Subset | None]:
        """Return for each reader which records are allowed, or None for all.

        Raises
        ------
        QueryError
            The filter does not fit the readers' columns.
        """
        with self._lock:
            self._drop_gone()
        if chosen is None:
            return [None] * len(readers)
        check_filter(chosen, [self._columns.of(reader) for reader in readers])
        return [self._subset(reader, chosen) for reader in readers]

    def count(self, readers: Sequence[IndexReader], chosen: Filter) -> int:
        """Return how many records of some readers a checked filter allows."""
        return sum(self._subset(reader, chosen).count for reader in readers)

    def _subset(self, reader: IndexReader, chosen: Filter) -> Subset:
        key = (ref(reader), chosen)
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            found = Subset(evaluate(chosen, self._columns.of(reader)), repeats=True)
        with self._lock:
            found = self._kept.setdefault(key, found)
            self._kept.move_to_end(key)
            self._make_room()
        return found

    def _drop_gone(self) -> None:
        """Drop the subsets of builds whose reader was let go."""
        for key in [key for key in self._kept if key[0]() is None]:
            del self._kept[key]

    def _make_room(self) -> None:
        """Drop the oldest until the rest fits. Subsets grow with use, so all are asked again."""
        total = sum(subset.nbytes for subset in self._kept.values())
        while len(self._kept) > 1 and (total > self._kept_bytes or len(self._kept) > _KEPT_FILTERS):
            _, dropped = self._kept.popitem(last=False)
            total -= dropped.nbytes

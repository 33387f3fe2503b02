"""Which records of each build a query may return; kept per build, since filters repeat."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from indexer.store.reader import IndexReader
from service.retrieval.columns import ColumnCache, Mask
from service.retrieval.filters import Filter, check_filter, evaluate

_KEPT_BYTES = 64 * 1024 * 1024


class MaskCache:
    """Evaluates filters over builds and keeps the latest masks, up to 64 MiB. Thread-safe."""

    def __init__(self, columns: ColumnCache, kept_bytes: int = _KEPT_BYTES) -> None:
        self._columns = columns
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._masks: OrderedDict[tuple[str, str, Filter], Mask] = OrderedDict()
        self._lock = threading.Lock()

    def allowed(self, readers: Sequence[IndexReader], chosen: Filter | None) -> list[Mask | None]:
        """Return for each reader which records are allowed: bool (n,), or None for all.

        Raises
        ------
        QueryError
            The filter does not fit the readers' columns.
        """
        if chosen is None:
            return [None] * len(readers)
        check_filter(chosen, [self._columns.of(reader) for reader in readers])
        return [self._mask(reader, chosen) for reader in readers]

    def count(self, readers: Sequence[IndexReader], chosen: Filter) -> int:
        """Return how many records of some readers a checked filter allows."""
        return sum(int(np.count_nonzero(self._mask(reader, chosen))) for reader in readers)

    def _mask(self, reader: IndexReader, chosen: Filter) -> Mask:
        key = (reader.name, reader.build_id, chosen)
        with self._lock:
            if key in self._masks:
                self._masks.move_to_end(key)
                return self._masks[key]
        mask = evaluate(chosen, self._columns.of(reader))
        mask.setflags(write=False)
        with self._lock:
            if key not in self._masks:
                self._masks[key] = mask
                self._bytes += mask.nbytes
            while self._bytes > self._kept_bytes and len(self._masks) > 1:
                _, dropped = self._masks.popitem(last=False)
                self._bytes -= dropped.nbytes
        return mask


def intersect(allowed: Mask | None, within: Mask | None) -> Mask | None:
    """Return the records of both masks, or None for all: a mask of everything costs a scan."""
    if within is None:
        return allowed
    both: Mask = within if allowed is None else allowed & within
    return None if both.all() else both


def count_allowed(mask: Mask | None, records: int) -> int:
    """Return how many of a build's records a mask allows."""
    return records if mask is None else int(np.count_nonzero(mask))

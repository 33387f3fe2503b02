"""Joining a table to a second one that names the same things, reading both once, side by side."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from indexer.datasets.raw_row import RawRow
from indexer.errors import BadRecordError
from indexer.records import Reject

Value = TypeVar("Value")


class SideTable(Generic[Value]):
    """The values of a second table, looked up by key while the first table is read.

    Where both tables are in the same order, as publishers write them, one row is held at a time.
    Where they are not, the rows that were passed over on the way to a key wait in memory.
    """

    def __init__(
        self,
        rows: Iterable[RawRow | Reject],
        parse: Callable[[RawRow], tuple[str, Value]],
    ) -> None:
        """Read nothing yet; `parse` gives a row's key and value, or raises `BadRecordError`."""
        self._rows = iter(rows)
        self._parse = parse
        self._waiting: dict[str, Value] = {}
        self._last: tuple[str, Value] | None = None
        self._rejects: list[Reject] = []

    def find(self, key: str) -> Value | None:
        """Return the value of the first row with that key, or None; ask for each key once."""
        if self._last is not None and self._last[0] == key:
            return self._last[1]
        if key in self._waiting:
            return self._waiting.pop(key)
        for row in self._rows:
            found = self._take(row)
            if found is None:
                continue
            if found[0] == key:
                self._last = found
                return found[1]
            self._waiting.setdefault(*found)
        return None

    def take_rejects(self) -> list[Reject]:
        """Return the rows that could not be read since this was last asked."""
        rejects, self._rejects = self._rejects, []
        return rejects

    def _take(self, row: RawRow | Reject) -> tuple[str, Value] | None:
        if isinstance(row, Reject):
            self._rejects.append(row)
            return None
        try:
            return self._parse(row)
        except BadRecordError as error:
            self._rejects.append(Reject(path=error.path, line=error.line, reason=error.reason))
            return None

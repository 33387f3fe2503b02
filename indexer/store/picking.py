"""Single values from large Arrow tables, read where they lie.

pyarrow's own `take` first joins all chunks of a column: that reads the whole file, and fails where
a column of texts or thumbnails holds more than 2 GiB.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa


class ColumnPicker:
    """One column of a table, for reading some of its rows. Memory grows with these alone."""

    def __init__(self, table: "pa.Table", name: str) -> None:
        self._chunks = table.column(name).chunks
        self._starts = np.cumsum([0, *(len(chunk) for chunk in self._chunks)])

    def pick(self, rows: npt.NDArray[np.int64]) -> list[Any]:
        """Return the values of some rows as plain values, in the order of `rows`.

        Raises
        ------
        IndexError
            There is no such row.
        """
        if len(rows) and not (rows.min() >= 0 and rows.max() < self._starts[-1]):
            message = f"rows {rows.min()} to {rows.max()} of {self._starts[-1]}"
            raise IndexError(message)
        places = np.searchsorted(self._starts, rows, side="right") - 1
        found = zip(places.tolist(), (rows - self._starts[places]).tolist(), strict=True)
        return [self._chunks[place][offset].as_py() for place, offset in found]

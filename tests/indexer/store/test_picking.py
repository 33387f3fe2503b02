import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.store.picking import ColumnPicker

CHUNKS = st.lists(st.lists(st.none() | st.text(max_size=3), max_size=5), min_size=1, max_size=5)


@given(CHUNKS, st.data())
def test_rows_come_in_the_order_asked_for(chunks: list[list[str | None]], data: object) -> None:
    flat = [value for chunk in chunks for value in chunk]
    table = pa.table({"a": pa.chunked_array([pa.array(one, pa.string()) for one in chunks])})
    places = st.lists(st.integers(0, max(len(flat) - 1, 0)), max_size=9 if flat else 0)
    rows = data.draw(places)  # type: ignore[attr-defined]
    assert ColumnPicker(table, "a").pick(np.array(rows, np.int64)) == [flat[row] for row in rows]


@pytest.mark.parametrize("row", [-1, 2])
def test_a_row_that_is_not_there_is_refused(row: int) -> None:
    picker = ColumnPicker(pa.table({"a": ["x", "y"]}), "a")
    with pytest.raises(IndexError, match="of 2"):
        picker.pick(np.array([row]))

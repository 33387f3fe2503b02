"""Streaming reader of parquet files that leaves the bytes of images where they are."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.datasets.raw_row import MAX_ROW_CHARS, RawRow
from indexer.records import Reject

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_BATCH_ROWS = 64
_BUFFER_BYTES = 1 << 16


def read_parquet_rows(
    root: Path, path: Path, columns: Sequence[str] | None = None
) -> Iterator[RawRow | Reject]:
    """Yield the rows of a parquet file; `row.index` is the row's number in the file, from 0.

    Columns of raw bytes (`image.bytes` of the hub's image struct {bytes, path}) are neither read
    nor decompressed; the struct's other members are. `columns` narrows it to those top-level
    names, as far as the file has them. Each row group is read by itself: of one that cannot be
    read the first row becomes a `Reject` that says how many went with it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = path.relative_to(root).as_posix()
    try:
        parquet = pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        yield Reject(path=name, line=None, reason=f"not a readable parquet file ({_say(error)})")
        return
    with parquet:
        leaves = _text_leaves(parquet, columns)
        first_row = 0
        for group in range(parquet.num_row_groups):
            yield from _read_group(parquet, name, group, leaves, first_row)
            first_row += parquet.metadata.row_group(group).num_rows


def read_parquet_columns(path: Path) -> frozenset[str] | None:
    """Return the names of a file's top-level columns; None if it is not readable parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return frozenset(pq.read_schema(path).names)
    except (pa.ArrowException, OSError):
        return None


def _read_group(
    parquet: "pq.ParquetFile", name: str, group: int, leaves: list[str], first_row: int
) -> Iterator[RawRow | Reject]:
    """Yield the rows of one row group, and a `Reject` where it breaks off."""
    import pyarrow as pa

    index = first_row
    try:
        batches = parquet.iter_batches(
            batch_size=_BATCH_ROWS, row_groups=[group], columns=leaves, use_threads=False
        )
        for batch in batches:
            for row in range(batch.num_rows):
                yield _convert_row(name, index, batch.slice(row, 1))
                index += 1
    except (pa.ArrowException, OSError) as error:
        lost = first_row + parquet.metadata.row_group(group).num_rows - index
        reason = f"{lost} rows from here on cannot be read ({_say(error)})"
        yield Reject(path=name, line=index + 1, reason=reason)


def _convert_row(name: str, index: int, row: "pa.RecordBatch") -> RawRow | Reject:
    """Return a batch of one row as a `RawRow`, or a reject if it is too long or not UTF-8."""
    if row.nbytes > MAX_ROW_CHARS:
        reason = f"longer than {MAX_ROW_CHARS} bytes"
    else:
        try:
            return RawRow(path=name, line=index + 1, index=index, values=row.to_pylist()[0])
        except UnicodeDecodeError:
            reason = "not valid UTF-8"
    return Reject(path=name, line=index + 1, reason=reason)


def _text_leaves(parquet: "pq.ParquetFile", columns: Sequence[str] | None) -> list[str]:
    """Return the paths of the leaf columns to read: all but raw bytes."""
    schema = parquet.schema
    leaves = [schema.column(position) for position in range(len(schema))]
    return [
        leaf.path
        for leaf in leaves
        if not (leaf.physical_type == "BYTE_ARRAY" and leaf.logical_type.type == "NONE")
        and (columns is None or leaf.path.split(".")[0] in columns)
    ]


def _say(error: Exception) -> str:
    """Return the first line of a library's message."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

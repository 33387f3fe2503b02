"""Readers of tables: csv, tsv, JSON lines, JSON lists and parquet, one row at a time.

All of them yield, in the file's order, a `RawRow` for each row that can be read and a `Reject`
for each that cannot; none of them raises for what stands in a file, and the memory that they take
does not depend on its size.

    for row in read_rows(root, root / "train_captions.csv"):
        if isinstance(row, Reject): ...
        row.path, row.line, row.index, row.values["Caption"], row.text("Caption")
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from indexer.datasets.csv_rows import read_csv_header, read_csv_rows
from indexer.datasets.json_rows import is_json_list, read_json_rows
from indexer.datasets.parquet_rows import read_parquet_columns, read_parquet_rows
from indexer.datasets.raw_row import MAX_ROW_CHARS, RawRow
from indexer.records import Reject

__all__ = [
    "MAX_ROW_CHARS",
    "TABLE_SUFFIXES",
    "RawRow",
    "find_tables",
    "read_columns",
    "read_csv_header",
    "read_csv_rows",
    "read_json_rows",
    "read_parquet_rows",
    "read_rows",
]

_JSON_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson"})
_CSV_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
TABLE_SUFFIXES = _JSON_SUFFIXES | _CSV_SUFFIXES | {".parquet"}
_ROWS_TRIED = 20


def read_rows(
    root: Path, path: Path, columns: Sequence[str] | None = None
) -> Iterator[RawRow | Reject]:
    """Yield the rows of a table below `root`, read as its suffix says.

    `columns` are, for csv, the names in a file without a header; for parquet, the top-level
    columns to read (all but raw bytes if None); JSON has no use for them.

    Raises
    ------
    ValueError
        The suffix is none of `TABLE_SUFFIXES`: a mistake of the caller, not of the file.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return read_parquet_rows(root, path, columns)
    if suffix in _JSON_SUFFIXES:
        return read_json_rows(root, path)
    if suffix in _CSV_SUFFIXES:
        return read_csv_rows(root, path, columns)
    message = f"{path.name} is not a table: expected one of {sorted(TABLE_SUFFIXES)}"
    raise ValueError(message)


def find_tables(root: Path) -> list[Path]:
    """Return the tables anywhere below `root`, sorted by their path; hidden ones are left out."""
    tables = (path for path in root.rglob("*") if path.suffix.lower() in TABLE_SUFFIXES)
    visible = (
        path
        for path in tables
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    return sorted(visible, key=lambda path: path.relative_to(root).parts)


def read_columns(path: Path) -> frozenset[str] | None:
    """Return the names of a table's columns; None if it cannot be read as a table at all.

    Of a JSON file the first readable of its first entries tells; a JSON file that is one object
    over several lines (metadata, say) is no table and has no columns, and neither has an empty
    file.
    """
    suffix = path.suffix.lower()
    if suffix in _CSV_SUFFIXES:
        return frozenset(read_csv_header(path))
    if suffix == ".parquet":
        return read_parquet_columns(path)
    rows = list(islice(read_json_rows(path.parent, path), _ROWS_TRIED))
    readable = [row for row in rows if isinstance(row, RawRow)]
    if readable:
        return frozenset(readable[0].values)
    whole = suffix == ".json" and not is_json_list(path)
    return frozenset() if whole or not rows else None

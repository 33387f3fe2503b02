import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.datasets.rows import RawRow, find_tables, read_columns, read_rows

ENTRIES = [{"a": f"text {n}", "b": str(n)} for n in range(3)]


def write(path: Path) -> Path:
    """Write the same three rows in the format that the suffix asks for."""
    lines = [json.dumps(entry) for entry in ENTRIES]
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(ENTRIES), path)
    elif path.suffix == ".json":
        path.write_text("[" + ",\n".join(lines) + "]")
    elif path.suffix in {".csv", ".tsv", ".txt"}:
        mark = "," if path.suffix == ".csv" else "\t"
        path.write_text(
            "".join(f"{a}{mark}{b}\n" for a, b in [("a", "b"), *map(dict.values, ENTRIES)])
        )
    else:
        path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize(
    "suffix", ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "CSV"]
)
def test_every_format_yields_the_same_rows(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"t.{suffix.lower()}").rename(tmp_path / f"t.{suffix}")
    rows = [row for row in read_rows(tmp_path, path) if isinstance(row, RawRow)]
    assert [dict(row.values) for row in rows] == ENTRIES
    assert [row.index for row in rows] == [0, 1, 2]
    assert read_columns(path) == {"a", "b"}


def test_another_suffix_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a table"):
        read_rows(tmp_path, tmp_path / "t.xlsx")


def test_tables_are_found_in_an_order_that_depends_on_names_only(tmp_path: Path) -> None:
    names = ["b/x.csv", "a.jsonl", "b.parquet", "b/.hidden/y.csv", ".z.csv", "b/read.me", "B/x.TSV"]
    for name in reversed(names):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.csv").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in find_tables(tmp_path)]
    assert found == ["B/x.TSV", "a.jsonl", "b/x.csv", "b.parquet"]


@pytest.mark.parametrize(
    ("name", "raw", "columns"),
    [
        ("info.json", b'{\n  "synthetic": true\n}\n', frozenset()),
        ("empty.jsonl", b"", frozenset()),
        ("empty.csv", b"", frozenset()),
        ("rows.jsonl", b'oops\n{"a": 1}\n', {"a"}),
        ("rows.jsonl", b"oops\noops\n", None),
        ("cut.json", b'[{"a": "', None),
        ("broken.parquet", b"PAR1", None),
    ],
)
def test_columns_tell_tables_from_other_files(
    tmp_path: Path, name: str, raw: bytes, columns: frozenset[str] | None
) -> None:
    (tmp_path / name).write_bytes(raw)
    assert read_columns(tmp_path / name) == columns


def large_file(path: Path, rows: int) -> Path:
    def lines() -> Iterator[str]:
        text = "lorem ipsum " * 40
        if path.suffix == ".csv":
            yield "a,b\n"
            yield from (f'{n},"{text}\n{text}"\n' for n in range(rows))
        elif path.suffix == ".json":
            yield "["
            yield from (json.dumps({"a": n, "b": text}) + "," for n in range(rows))
            yield "{}]"
        else:
            yield from (json.dumps({"a": n, "b": text}) + "\n" for n in range(rows))

    with path.open("w") as stream:
        stream.writelines(lines())
    return path


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, suffix: str) -> None:
    path = large_file(tmp_path / f"t.{suffix}", rows=6_000)
    tracemalloc.start()
    try:
        count = sum(1 for _ in read_rows(tmp_path, path))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count >= 6_000
    assert peak_bytes < path.stat().st_size / 5

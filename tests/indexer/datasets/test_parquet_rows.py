from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from indexer.datasets.parquet_rows import read_parquet_columns, read_parquet_rows
from indexer.datasets.raw_row import MAX_ROW_CHARS, RawRow
from indexer.records import Reject


def write_images(path: Path, rows: int = 3, rows_a_group: int = 2) -> None:
    """Write what the hub writes for images: a struct of bytes and path beside plain columns."""
    table = pa.table(
        {
            "image": [{"bytes": b"pixels" * 50, "path": f"{n}.png"} for n in range(rows)],
            "caption": [f"caption {n}" for n in range(rows)],
            "cui": [["C1", f"C{n}"] for n in range(rows)],
            "raw": [b"more pixels"] * rows,
        }
    )
    pq.write_table(table, path, row_group_size=rows_a_group, compression="zstd")


def spoil(path: Path, group: int, leaf: str) -> None:
    """Overwrite the pages of one column of one row group."""
    metadata = pq.read_metadata(path)
    row_group = metadata.row_group(group)
    chunks = [row_group.column(n) for n in range(row_group.num_columns)]
    (chunk,) = [chunk for chunk in chunks if chunk.path_in_schema == leaf]
    start = chunk.data_page_offset
    if chunk.dictionary_page_offset is not None:
        start = min(start, chunk.dictionary_page_offset)
    raw = bytearray(path.read_bytes())
    raw[start : start + chunk.total_compressed_size] = b"\xff" * chunk.total_compressed_size
    path.write_bytes(raw)


def test_rows_carry_their_number_and_no_raw_bytes(tmp_path: Path) -> None:
    path = tmp_path / "data" / "train.parquet"
    path.parent.mkdir()
    write_images(path)
    rows = [row for row in read_parquet_rows(tmp_path, path) if isinstance(row, RawRow)]
    assert [(row.path, row.line, row.index) for row in rows] == [
        ("data/train.parquet", 1, 0),
        ("data/train.parquet", 2, 1),
        ("data/train.parquet", 3, 2),
    ]
    assert dict(rows[2].values) == {
        "image": {"path": "2.png"},
        "caption": "caption 2",
        "cui": ["C1", "C2"],
    }


def test_image_bytes_are_not_even_touched(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_images(path)
    for group in (0, 1):
        spoil(path, group, "image.bytes")
        spoil(path, group, "raw")
    rows = list(read_parquet_rows(tmp_path, path))
    assert len(rows) == 3
    assert not any(isinstance(row, Reject) for row in rows)


def test_columns_may_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_images(path)
    (first, *_) = read_parquet_rows(tmp_path, path, columns=["caption", "not there"])
    assert isinstance(first, RawRow)
    assert dict(first.values) == {"caption": "caption 0"}
    assert read_parquet_columns(path) == {"image", "caption", "cui", "raw"}


def test_a_row_group_that_cannot_be_read_is_one_reject_with_its_number_of_rows(
    tmp_path: Path,
) -> None:
    path = tmp_path / "t.parquet"
    write_images(path, rows=6)
    spoil(path, 1, "caption")
    rows = list(read_parquet_rows(tmp_path, path))
    assert [row.index for row in rows if isinstance(row, RawRow)] == [0, 1, 4, 5]
    (reject,) = [row for row in rows if isinstance(row, Reject)]
    assert reject.line == 3
    assert reject.reason.startswith("2 rows from here on cannot be read")


def test_rows_come_before_later_groups_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_images(path, rows=100)
    for group in range(1, 50):
        spoil(path, group, "caption")
    rows = list(islice(read_parquet_rows(tmp_path, path), 2))
    assert [row.index for row in rows if isinstance(row, RawRow)] == [0, 1]


def test_a_truncated_file_is_one_reject(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_images(path)
    path.write_bytes(path.read_bytes()[:-20])
    (reject,) = read_parquet_rows(tmp_path, path)
    assert isinstance(reject, Reject)
    assert (reject.path, reject.line) == ("t.parquet", None)
    assert reject.reason.startswith("not a readable parquet file")
    assert str(tmp_path) not in reject.reason
    assert read_parquet_columns(path) is None


def test_text_that_is_not_utf8_or_too_long_costs_its_row_only(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    texts = pa.array([b"ok", b"caf\xe9", b"x" * (MAX_ROW_CHARS + 1), b"end"]).view(pa.string())
    pq.write_table(pa.table({"text": texts}), path)
    rows = list(read_parquet_rows(tmp_path, path))
    assert [row.values["text"] for row in rows if isinstance(row, RawRow)] == ["ok", "end"]
    rejects = [row for row in rows if isinstance(row, Reject)]
    assert [reject.line for reject in rejects] == [2, 3]
    assert rejects[0].reason == "not valid UTF-8"
    assert rejects[1].reason.startswith("longer than")

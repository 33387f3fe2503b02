import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.source import read_image_bytes
from indexer.records import ImageRef


def _ref(path: str, row: int | None = None) -> ImageRef:
    return ImageRef(path=path, row=row)


def test_a_plain_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.png").write_bytes(b"png")
    assert read_image_bytes(tmp_path, _ref("a/b.png")) == b"png"


@pytest.mark.parametrize("path", ["../secret", "a/../../secret", "/etc/passwd", "link", "a\0b"])
def test_nothing_outside_the_root_is_read(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (root / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(DecodeError, match=r"outside|NUL"):
        read_image_bytes(root, _ref(path))


def test_a_link_that_stays_inside_is_followed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    assert read_image_bytes(tmp_path, _ref("link")) == b"x"


def test_absent_files_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("absent", ".", "pipe"):
        with pytest.raises(DecodeError, match="no such file"):
            read_image_bytes(tmp_path, _ref(name))


def test_errors_name_no_absolute_path(tmp_path: Path) -> None:
    with pytest.raises(DecodeError) as caught:
        read_image_bytes(tmp_path, _ref("absent.png"))
    assert str(tmp_path) not in str(caught.value)
    assert "absent.png" in str(caught.value)


def test_file_size_is_limited(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(100))
    with pytest.raises(LimitExceededError, match="100 bytes"):
        read_image_bytes(tmp_path, _ref("file"), DecodeLimits(max_file_bytes=99))


def _write_parquet(path: Path, cells: list[Any], **options: Any) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    if not isinstance(cells[0], dict):
        kind = pa.binary()
    table = pa.table({"image_id": list(range(len(cells))), "image": pa.array(cells, kind)})
    pq.write_table(table, path, **options)


@pytest.mark.parametrize("as_struct", [True, False])
def test_rows_of_a_parquet_file_in_any_order(tmp_path: Path, as_struct: bool) -> None:
    images = [f"image {i}".encode() for i in range(25)]
    cells = [{"bytes": image, "path": "x.png"} for image in images] if as_struct else images
    _write_parquet(tmp_path / "train.parquet", cells, row_group_size=7)
    for row in [0, 1, 24, 6, 7, 8, 3, 24]:
        assert read_image_bytes(tmp_path, _ref("train.parquet", row)) == images[row]


def test_a_parquet_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    _write_parquet(path, [b"old"])
    assert read_image_bytes(tmp_path, _ref("train.parquet", 0)) == b"old"
    _write_parquet(path, [b"newer bytes"])
    assert read_image_bytes(tmp_path, _ref("train.parquet", 0)) == b"newer bytes"


def test_rows_that_are_not_there_or_empty_are_refused(tmp_path: Path) -> None:
    _write_parquet(
        tmp_path / "a.parquet", [{"bytes": b"x", "path": ""}, {"bytes": None, "path": ""}]
    )
    for row in (2, -1):
        with pytest.raises(DecodeError, match=f"no row {row}"):
            read_image_bytes(tmp_path, _ref("a.parquet", row))
    with pytest.raises(DecodeError, match="no image bytes"):
        read_image_bytes(tmp_path, _ref("a.parquet", 1))
    (tmp_path / "b.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(DecodeError, match="parquet"):
        read_image_bytes(tmp_path, _ref("b.parquet", 0))


def _as_array(raw: bytes) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = np.load(io.BytesIO(raw), allow_pickle=False)
    return array


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_members_of_an_archive(tmp_path: Path, save: Any) -> None:
    images = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)
    save(tmp_path / "full_archive.npz", idx=np.arange(3), image=images)
    for row in (2, 0, 1):
        raw = read_image_bytes(tmp_path, _ref("full_archive.npz", row))
        np.testing.assert_array_equal(_as_array(raw), images[row])


def test_archives_are_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=np.array([[[{}]]], object))
    with pytest.raises(DecodeError):
        read_image_bytes(tmp_path, _ref("a.npz", 0))


def test_archives_without_that_image_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=np.zeros((2, 3, 3)))
    np.savez(tmp_path / "b.npz", other=np.zeros((2, 3, 3)))
    np.savez(tmp_path / "c.npz", image=np.zeros((3, 3)))
    (tmp_path / "d.npz").write_bytes(b"PK no")
    for name, row in (("a", 2), ("a", -1), ("b", 0), ("c", 0), ("d", 0)):
        with pytest.raises(DecodeError):
            read_image_bytes(tmp_path, _ref(f"{name}.npz", row))


def test_an_archive_that_states_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((2, 3, 3), np.uint8))
    stated = buffer.getvalue().replace(b"(2, 3, 3)", b"(9, 3, 3)")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("image.npy", stated)
    with pytest.raises(DecodeError, match="ends before"):
        read_image_bytes(tmp_path, _ref("a.npz", 5))
    with pytest.raises(LimitExceededError):
        read_image_bytes(tmp_path, _ref("a.npz", 0), DecodeLimits(max_file_bytes=8))

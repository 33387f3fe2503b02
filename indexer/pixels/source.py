"""Reads the bytes of one image: a plain file, a row of a parquet file, a member of an archive."""

import io
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from zipfile import BadZipFile, ZipFile

import numpy as np

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.limits import BUILD_LIMITS, DecodeLimits
from indexer.pixels.npy import read_npy_header
from indexer.records import ImageRef

if TYPE_CHECKING:
    import pyarrow.parquet as pq

IMAGE_COLUMN: Final = "image"
ARCHIVE_MEMBER: Final = "image.npy"
_STACK_DIMENSIONS: Final = 3


def read_image_bytes(root: Path, ref: ImageRef, limits: DecodeLimits = BUILD_LIMITS) -> bytes:
    """Return the encoded bytes of the image that `ref` names below `root`.

    A member of an .npz archive is returned as a one-image .npy file.

    Raises
    ------
    DecodeError
        The file is absent, lies outside `root`, or has no such row.
    LimitExceededError
        It is larger than `limits.max_file_bytes`.
    """
    path = _resolve_below(root, ref.path)
    if ref.row is None:
        return _read_file(path, ref.path, limits)
    if path.suffix == ".npz":
        raw = _read_archive_member(path, ref, limits)
    else:
        raw = _read_parquet_row(path, ref)
    _check_size(len(raw), ref.path, limits)
    return raw


def _resolve_below(root: Path, relative: str) -> Path:
    """Return the real path of `relative`, refusing to leave `root` by `..` or by a link."""
    if "\0" in relative:
        raise DecodeError("A file name holds a NUL character.")
    base = root.resolve()
    path = (base / relative).resolve()
    if not path.is_relative_to(base):
        raise DecodeError(f"{relative}: lies outside the dataset's folder.")
    if not path.is_file():
        raise DecodeError(f"{relative}: there is no such file.")
    return path


def _read_file(path: Path, name: str, limits: DecodeLimits) -> bytes:
    """Read a whole file whose size is checked first."""
    try:
        _check_size(path.stat().st_size, name, limits)
        return path.read_bytes()
    except OSError as error:
        raise DecodeError(f"{name}: cannot be read ({error.strerror}).") from error


def _check_size(size_bytes: int, name: str, limits: DecodeLimits) -> None:
    """Refuse more bytes than a file may have."""
    if size_bytes > limits.max_file_bytes:
        raise LimitExceededError(
            f"{name}: {size_bytes} bytes are more than the {limits.max_file_bytes} allowed."
        )


class _RowGroupCache:
    """The row group that was read last, so that reading row after row decodes each group once.

    One cache a process; keyed by the file's path, size and time, so a replaced file is seen.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[str, int, int] | None = None
        self._file: pq.ParquetFile | None = None
        self._bounds: np.ndarray[Any, np.dtype[np.int64]] = np.zeros(1, np.int64)
        self._group = -1
        self._cells: Any = ()

    def cell(self, path: Path, row: int) -> Any:
        """Return the image cell of a row, counted from 0 through all row groups."""
        with self._lock:
            self._open(path)
            if not 0 <= row < int(self._bounds[-1]):
                raise IndexError(row)
            group = int(np.searchsorted(self._bounds, row, side="right")) - 1
            if group != self._group and self._file is not None:
                column = self._file.read_row_group(group, columns=[IMAGE_COLUMN])
                self._cells = column.column(0).combine_chunks()
                self._group = group
            return self._cells[row - int(self._bounds[group])].as_py()

    def _open(self, path: Path) -> None:
        """Open the file, unless it is the one that is open already."""
        import pyarrow.parquet as pq  # here: workers that meet no parquet start without it

        status = path.stat()
        key = (str(path), status.st_size, status.st_mtime_ns)
        if key == self._key:
            return
        self._key, self._group, self._cells = None, -1, ()
        self._file = pq.ParquetFile(path, memory_map=True)
        metadata = self._file.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._bounds = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        self._key = key


_ROW_GROUPS = _RowGroupCache()


def _read_parquet_row(path: Path, ref: ImageRef) -> bytes:
    """Return the bytes of the image column (binary, or struct {bytes, path}) in one row."""
    try:
        cell = _ROW_GROUPS.cell(path, ref.row or 0)
    except IndexError as error:
        raise DecodeError(f"{ref.path}: has no row {ref.row}.") from error
    except (OSError, ValueError, KeyError) as error:  # pyarrow's errors derive from these
        raise DecodeError(f"{ref.path}: row {ref.row} cannot be read as parquet.") from error
    raw = cell.get("bytes") if isinstance(cell, Mapping) else cell
    if not isinstance(raw, bytes) or not raw:
        raise DecodeError(f"{ref.path}: row {ref.row} holds no image bytes.")
    return raw


def _read_archive_member(path: Path, ref: ImageRef, limits: DecodeLimits) -> bytes:
    """Return one image of the `image` array (n, H, W) of an .npz archive as .npy bytes.

    Only the rows up to the wanted one are inflated, and none is kept.
    """
    index = ref.row or 0
    try:
        with ZipFile(path) as archive, archive.open(ARCHIVE_MEMBER) as member:
            shape, dtype = _read_stack_header(member)
            image_bytes = int(np.prod(shape[1:])) * dtype.itemsize
            if not 0 <= index < shape[0]:
                raise DecodeError(f"{ref.path}: has no image {index}, only {shape[0]}.")
            _check_size(image_bytes, ref.path, limits)
            member.seek(index * image_bytes, io.SEEK_CUR)
            raw = member.read(image_bytes)
    except (BadZipFile, KeyError, OSError, ValueError, EOFError) as error:
        if isinstance(error, DecodeError):
            raise
        raise DecodeError(f"{ref.path}: image {index} cannot be read as .npz.") from error
    if len(raw) != image_bytes:
        raise DecodeError(f"{ref.path}: ends before image {index} does.")
    buffer = io.BytesIO()
    np.save(buffer, np.frombuffer(raw, dtype).reshape(shape[1:]), allow_pickle=False)
    return buffer.getvalue()


def _read_stack_header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and dtype of an .npy stream that holds a stack of 2-d images in C order."""
    shape, is_fortran, dtype = read_npy_header(member)
    if is_fortran or dtype.hasobject or len(shape) != _STACK_DIMENSIONS:
        raise ValueError(shape)
    return shape, dtype

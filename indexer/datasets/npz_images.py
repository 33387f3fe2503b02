"""Which images an .npz archive holds, read from its headers: no pixels, no pickle."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile

import numpy as np

from indexer.pixels.npy import read_npy_header

_IMAGES: Final = "image.npy"
_NUMBERS: Final = "idx.npy"
_STACK_DIMENSIONS: Final = 3
_MAX_IMAGES: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedImages:
    """An archive with arrays `image` (n, H, W) and `idx` (n,): the row of each image number."""

    path: Path
    rows: dict[int, int]


def open_archive(path: Path) -> ArchivedImages | None:
    """Return what an archive holds; None if it holds no stack of images, or only pickled ones.

    `idx` gives the images' numbers; where it is missing they are numbered from 0.
    """
    try:
        with ZipFile(path) as archive:
            with archive.open(_IMAGES) as member:
                shape, _, dtype = read_npy_header(member)
            if (
                dtype.hasobject
                or len(shape) != _STACK_DIMENSIONS
                or not 0 < shape[0] <= _MAX_IMAGES
            ):
                return None
            if _NUMBERS not in archive.namelist():
                return ArchivedImages(path=path, rows={row: row for row in range(shape[0])})
            if archive.getinfo(_NUMBERS).file_size > _MAX_IMAGES * np.dtype(np.int64).itemsize:
                return None
            with archive.open(_NUMBERS) as member:
                numbers = np.lib.format.read_array(member, allow_pickle=False)
    except (BadZipFile, KeyError, OSError, ValueError, EOFError):
        return None
    if numbers.shape != shape[:1] or not np.issubdtype(numbers.dtype, np.integer):
        return None
    rows: dict[int, int] = {}
    for row, number in enumerate(numbers.tolist()):
        rows.setdefault(number, row)
    return ArchivedImages(path=path, rows=rows)

"""Arrays on disk: npy files, written part after part and read memory-mapped."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

_HEADER_BYTES = 128


def write_array(
    path: Path, parts: Iterable[npt.NDArray[Any]], shape: tuple[int, ...], dtype: npt.DTypeLike
) -> None:
    """Write one npy file from parts: its header first, then part after part.

    Bytes go through Python: numpy's own writing does not say why it fails on a full disk. The
    file is not synced; the folder that it is staged in will be.

    Raises
    ------
    ValueError
        The parts do not fill the shape.
    """
    kind = np.dtype(dtype)
    header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    count = 0
    with path.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for part in parts:
            stream.write(np.ascontiguousarray(part, kind).tobytes())
            count += len(part)
        if count != shape[0]:
            message = f"{path.name}: {count} rows came, {shape[0]} were announced"
            raise ValueError(message)


def read_array(path: Path) -> npt.NDArray[Any]:
    """Memory-map an npy file; object arrays, which would be pickles, are refused.

    An array without elements cannot be mapped and is read.
    """
    mode: Literal["r"] | None = "r" if path.stat().st_size > _HEADER_BYTES else None
    return np.asarray(np.load(path, mmap_mode=mode, allow_pickle=False))

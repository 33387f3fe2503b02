"""The header of an .npy file or stream (numpy's NEP 1): what it holds, before it is read."""

from typing import IO, Any

import numpy as np


def read_npy_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether the order is Fortran's, and dtype; the stream stands at the values.

    Raises
    ------
    ValueError
        No .npy file of version 1 or 2.
    """
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f".npy files of version {version} are not read")
    shape, is_fortran, dtype = read(stream)
    return tuple(shape), is_fortran, dtype

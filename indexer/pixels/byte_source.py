"""Bytes that may lie in memory or in a file, read by slices."""

import os
from typing import Final, Protocol


class ByteSource(Protocol):
    """Something whose bytes can be sliced: bytes themselves, or a `FileBytes`."""

    def __len__(self) -> int: ...

    def __getitem__(self, extent: slice, /) -> bytes: ...


class FileBytes:
    """The bytes of an open file, fetched a block at a time as they are asked for.

    Not a memory map: a file that shrinks while it is read gives short slices, not SIGBUS.
    """

    _BLOCK_BYTES: Final = 1 << 15

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._start = 0
        self._block = b""

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, extent: slice) -> bytes:
        start, stop, _ = extent.indices(self._size)
        if not self._start <= start <= stop <= self._start + len(self._block):
            wanted = max(stop - start, self._BLOCK_BYTES)
            self._block = os.pread(self._descriptor, wanted, start)
            self._start = start
        return self._block[start - self._start : stop - self._start]

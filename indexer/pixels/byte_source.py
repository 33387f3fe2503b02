"""Bytes that may lie in memory or in a file, read by slices."""

import os
import zlib
from typing import Final, Protocol

from indexer.errors import DecodeError, LimitExceededError

_STEP_BYTES: Final = 1 << 16


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


def inflate(source: ByteSource, offset: int, max_bytes: int, *, whole: bool) -> bytes:
    """Inflate the raw deflate stream (RFC 1951) at `offset` step by step, up to `max_bytes`.

    Raises
    ------
    LimitExceededError
        It goes on behind `max_bytes` (unless not the `whole` of it is wanted).
    DecodeError
        It is damaged, or ends early.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = bytearray()
    pending = b""
    try:
        while not inflater.eof and len(inflated) < max_bytes:
            if not pending:
                pending = source[offset : offset + _STEP_BYTES]
                offset += len(pending)
            if not pending:
                break
            room = min(_STEP_BYTES, max_bytes - len(inflated))
            inflated += inflater.decompress(pending, room)
            pending = inflater.unconsumed_tail
    except zlib.error as error:
        raise DecodeError("The deflated data set is damaged.") from error
    if whole and not inflater.eof:
        if len(inflated) >= max_bytes:
            raise LimitExceededError(f"The data set inflates to more than {max_bytes} bytes.")
        raise DecodeError("The deflated data set is cut short.")
    return bytes(inflated)

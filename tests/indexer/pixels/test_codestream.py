import struct

import imagecodecs
import numpy as np
import pytest

from indexer.errors import DecodeError
from indexer.pixels.codestream import begins_codestream, read_jpeg, read_jpeg2000

GREY = (np.arange(40 * 48).reshape(40, 48) % 251).astype(np.uint8)
JPEG = imagecodecs.jpeg8_encode(GREY, level=90)
J2K = imagecodecs.jpeg2k_encode(GREY, codecformat="J2K", reversible=True)


def test_jpeg_states_its_size() -> None:
    stated = read_jpeg(JPEG)
    assert (stated.rows, stated.columns, stated.components, stated.precision) == (40, 48, 1, 8)
    assert (stated.lossless, stated.scans, stated.adobe_transform) == (False, 1, None)
    assert JPEG[stated.end :] == b"\xff\xd9"


def test_lossless_jpeg_and_jpeg_ls_state_theirs() -> None:
    deep = GREY.astype(np.uint16) * 200
    lossless = read_jpeg(imagecodecs.jpeg8_encode(deep, lossless=True, bitspersample=16))
    assert (lossless.precision, lossless.lossless) == (16, True)
    near = read_jpeg(imagecodecs.jpegls_encode(deep))
    assert (near.rows, near.columns, near.precision) == (40, 48, 16)


def test_jpeg2000_states_its_size() -> None:
    stated = read_jpeg2000(J2K)
    assert (stated.rows, stated.columns, stated.components, stated.precision) == (40, 48, 1, 8)
    assert not stated.signed


def test_a_jp2_box_around_it_is_looked_into() -> None:
    assert read_jpeg2000(imagecodecs.jpeg2k_encode(GREY, codecformat="JP2")).rows == 40


@pytest.mark.parametrize("cut", [1, 2, 30, 200, len(JPEG) - 3])
def test_a_cut_jpeg_has_no_end(cut: int) -> None:
    with pytest.raises(DecodeError):
        read_jpeg(JPEG[:-cut])


def test_the_end_marker_of_a_thumbnail_inside_does_not_count() -> None:
    thumbnail = b"\xff\xe1" + struct.pack(">H", len(JPEG) + 2) + JPEG
    whole = JPEG[:2] + thumbnail + JPEG[2:]
    assert read_jpeg(whole).rows == 40
    with pytest.raises(DecodeError, match="no end marker"):
        read_jpeg(whole[:-2])


def test_fill_bytes_before_a_marker_are_no_data() -> None:
    padded = JPEG[:-2] + b"\xff\xff\xff\xd9"
    assert read_jpeg(padded).end == len(JPEG) - 2


def test_an_adobe_marker_is_read() -> None:
    marker = b"\xff\xee" + struct.pack(">H", 14) + b"Adobe" + bytes(6) + b"\x01"
    assert read_jpeg(JPEG[:2] + marker + JPEG[2:]).adobe_transform == 1


@pytest.mark.parametrize("raw", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"GIF89a", JPEG[20:]])
def test_what_is_no_jpeg_is_refused(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        read_jpeg(raw)


def test_jpeg2000_tiles_are_counted_before_they_are_allocated() -> None:
    with pytest.raises(DecodeError, match="tiles"):
        read_jpeg2000(J2K[:8] + struct.pack(">6I", 2**31, 2**31, 0, 0, 1, 1) + J2K[32:])
    with pytest.raises(DecodeError, match="impossible"):
        read_jpeg2000(J2K[:8] + struct.pack(">6I", 0, 0, 5, 5, 1, 1) + J2K[32:])


def test_a_cut_jpeg2000_is_refused() -> None:
    for cut in (2, 40, 500, len(J2K) - 20):
        with pytest.raises(DecodeError):
            read_jpeg2000(J2K[:-cut])


def test_beginnings() -> None:
    assert begins_codestream(JPEG)
    assert begins_codestream(J2K)
    assert not begins_codestream(b"\0\0\0\0more of the last one")

import io
import struct

import imagecodecs
import numpy as np
import pytest
from PIL import Image

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


def _resize_j2k(*numbers: int) -> bytes:
    """The small codestream with another SIZ: right, bottom, left, top, tile width and height."""
    return J2K[:8] + struct.pack(">6I", *numbers) + J2K[32:]


def test_jpeg2000_tiles_are_counted_before_they_are_allocated() -> None:
    with pytest.raises(DecodeError, match="absurd number of tiles"):
        read_jpeg2000(_resize_j2k(2**31, 2**31, 0, 0, 1, 1))
    with pytest.raises(DecodeError, match="impossible"):
        read_jpeg2000(_resize_j2k(0, 0, 5, 5, 1, 1))


def test_jpeg2000_lacks_no_tile() -> None:
    """OpenJPEG shows a missing tile as black, and calls the image good."""
    grown = _resize_j2k(6000, 6000, 0, 0, 48, 40)
    with pytest.raises(DecodeError, match="lacks tiles"):
        read_jpeg2000(grown)


def test_tile_parts_of_several_tiles_are_found() -> None:
    buffer = io.BytesIO()
    Image.fromarray(GREY).save(buffer, "JPEG2000", no_jp2=True, tile_size=(16, 20))
    tiled = buffer.getvalue()
    assert read_jpeg2000(tiled).end == tiled.rindex(b"\xff\xd9")
    second = tiled.index(b"\xff\x90\0\x0a\0\1")
    third = tiled.index(b"\xff\x90\0\x0a\0\2")
    with pytest.raises(DecodeError, match="lacks tiles"):
        read_jpeg2000(tiled[:second] + tiled[third:])


def test_a_progressive_jpeg_holds_a_bit_for_each_block() -> None:
    buffer = io.BytesIO()
    Image.fromarray(GREY).save(buffer, "JPEG", progressive=True)
    raw = buffer.getvalue()
    assert read_jpeg(raw).scans == 2
    at = raw.index(b"\xff\xc2") + 5
    with pytest.raises(DecodeError, match="cut short"):
        read_jpeg(raw[:at] + struct.pack(">HH", 6000, 6000) + raw[at + 4 :])


def test_a_cut_jpeg2000_is_refused() -> None:
    for cut in (2, 40, 500, len(J2K) - 20):
        with pytest.raises(DecodeError):
            read_jpeg2000(J2K[:-cut])


def test_beginnings() -> None:
    assert begins_codestream(JPEG)
    assert begins_codestream(J2K)
    assert not begins_codestream(b"\0\0\0\0more of the last one")

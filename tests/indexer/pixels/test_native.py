from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from indexer.errors import DecodeError
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.native import extend_sign
from indexer.pixels.stored import open_instance, read_stored_frame

LIMITS = DecodeLimits()
BIG = "1.2.840.10008.1.2.2"


def _values(raw: bytes, frame: int = 0) -> np.ndarray[Any, Any]:
    return read_stored_frame(open_instance(raw, LIMITS), frame, LIMITS).values


ARRAYS = st.sampled_from([np.uint8, np.int8, np.uint16, np.int16, np.uint32]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=3, max_dims=3, max_side=7))
)


@given(ARRAYS, st.sampled_from(["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", BIG]))
def test_what_pydicom_writes_is_read_back(
    build_dicom: Any, frames: np.ndarray[Any, Any], syntax: str
) -> None:
    raw = build_dicom(
        frames, syntax=syntax, SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2"
    )
    if frames.shape[-1] == 3:  # looks like colour to the builder
        return
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(_values(raw, index), frame)


def test_planes_become_pixels(build_dicom: Any) -> None:
    pixels = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    planes = np.ascontiguousarray(np.moveaxis(pixels, -1, 0)).tobytes()
    raw = build_dicom(pixels, raw_pixels=planes, PlanarConfiguration=1)
    np.testing.assert_array_equal(_values(raw), pixels)


def test_bits_outside_the_stored_ones_are_dropped(build_dicom: Any) -> None:
    overlaid = np.array([[0xF7FF, 0x0800, 0xF000]], np.uint16)
    unsigned = build_dicom(overlaid, BitsStored=12, HighBit=11)
    assert _values(unsigned).tolist() == [[0x7FF, 0x800, 0]]
    signed = build_dicom(overlaid.view(np.int16), BitsStored=12, HighBit=11)
    assert _values(signed).tolist() == [[2047, -2048, 0]]


def test_a_high_bit_above_the_stored_ones_shifts_them_down(build_dicom: Any) -> None:
    raw = build_dicom(np.array([[0x7FF0, 0x000F]], np.uint16), BitsStored=12, HighBit=15)
    assert _values(raw).tolist() == [[0x7FF, 0]]


@given(hnp.arrays(np.uint8, (3, 5, 5), elements=st.integers(0, 1)))
def test_single_bits_need_not_start_at_a_byte(
    build_dicom: Any, frames: np.ndarray[Any, Any]
) -> None:
    packed = np.packbits(frames.reshape(-1), bitorder="little").tobytes()
    raw = build_dicom(
        frames, raw_pixels=packed + bytes(len(packed) % 2), BitsAllocated=1, BitsStored=1, HighBit=0
    )
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(_values(raw, index), frame)


def test_big_endian_words_of_two_bytes_each_are_swapped(build_dicom: Any) -> None:
    pixels = np.arange(9, dtype=np.uint8).reshape(3, 3)
    raw = build_dicom(pixels, raw_pixels=bytes([1, 0, 3, 2, 5, 4, 7, 6, 0, 8]), syntax=BIG)
    as_words = raw.replace(b"\x7f\xe0\x00\x10OB", b"\x7f\xe0\x00\x10OW")
    assert as_words != raw
    np.testing.assert_array_equal(_values(as_words), pixels)


def test_subsampled_colour_is_spread(build_dicom: Any) -> None:
    quads = bytes([10, 20, 128, 128, 30, 40, 128, 128])
    raw = build_dicom(
        np.zeros((2, 2, 3), np.uint8), raw_pixels=quads, PhotometricInterpretation="YBR_FULL_422"
    )
    assert _values(raw)[..., 0].tolist() == [[10, 20], [30, 40]]


@pytest.mark.parametrize("missing", [1, 2, 23])
def test_missing_pixels_are_refused(build_dicom: Any, missing: int) -> None:
    pixels = np.arange(12, dtype=np.int16).reshape(3, 4)
    raw = build_dicom(pixels, raw_pixels=pixels.tobytes()[: 24 - missing] + bytes(missing % 2))
    if missing > 1:
        with pytest.raises(DecodeError, match="cut short"):
            _values(raw)
    with pytest.raises(DecodeError, match="cut short"):
        _values(build_dicom(pixels)[:-missing])


def test_junk_behind_the_pixels_does_not_matter_but_a_cut_element_does(build_dicom: Any) -> None:
    pixels = np.arange(12, dtype=np.int16).reshape(3, 4)
    raw = build_dicom(pixels)
    padding = b"\xfc\xff\xfc\xffOB\0\0" + (20).to_bytes(4, "little") + bytes(20)
    for tail in (padding, bytes(512), b"\r\n", b"signed by somebody, somewhere" * 9):
        np.testing.assert_array_equal(_values(raw + tail), pixels)
    with pytest.raises(DecodeError, match="behind its pixel data"):
        _values(raw + padding[:-1])


def test_a_frame_that_is_not_there(build_dicom: Any) -> None:
    raw = build_dicom(np.zeros((2, 3, 4), np.uint8))
    for frame in (2, -1):
        with pytest.raises(DecodeError, match=f"no frame {frame}"):
            _values(raw, frame)


@given(st.integers(1, 16), st.integers(0, 0xFFFF))
def test_sign_extension_is_two_s_complement(bits: int, word: int) -> None:
    kept = word & ((1 << bits) - 1)
    expected = kept - (1 << bits) if kept >> (bits - 1) else kept
    assert extend_sign(np.array([word], np.uint16), bits).tolist() == [expected]

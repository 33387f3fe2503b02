from typing import Any

import numpy as np
import pytest

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.layout import PixelLayout, read_layout
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.stored import open_instance

PIXELS = np.arange(12, dtype=np.int16).reshape(3, 4)


def _layout(raw: bytes, limits: DecodeLimits | None = None) -> PixelLayout:
    limits = limits or DecodeLimits()
    return read_layout(open_instance(raw, limits), limits)


def test_reads_the_image_pixel_module(build_dicom: Any) -> None:
    layout = _layout(build_dicom(PIXELS, BitsStored=12, HighBit=11))
    assert (layout.shape, layout.frames, layout.pixels) == ((3, 4), 1, 12)
    assert (layout.bits_allocated, layout.bits_stored, layout.high_bit) == (16, 12, 11)
    assert layout.signed
    assert layout.dtype == np.int16


def test_colour_and_frames(build_dicom: Any) -> None:
    layout = _layout(build_dicom(np.zeros((5, 3, 4, 3), np.uint8)))
    assert (layout.shape, layout.frames, layout.samples) == ((3, 4, 3), 5, 3)


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ({"Rows": 0}, "rows"),
        ({"Columns": None}, "columns"),
        ({"BitsAllocated": None}, "bits allocated"),
        ({"BitsAllocated": 13}, "13 bits"),
        ({"BitsStored": 17}, "17 bits stored"),
        ({"HighBit": 3}, "up to bit 3"),
        ({"SamplesPerPixel": 3}, "3 samples"),
        ({"PhotometricInterpretation": "RGB"}, "1 samples"),
        ({"PhotometricInterpretation": "MUELLER"}, "unknown photometric"),
        ({"NumberOfFrames": -2}, "frames"),
        ({"PixelData": None}, "no pixel data"),
    ],
)
def test_contradictions_are_refused(
    build_dicom: Any, attributes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(DecodeError, match=problem):
        _layout(build_dicom(PIXELS, **attributes))


def test_sizes_are_limited_before_anything_is_allocated(build_dicom: Any) -> None:
    limits = DecodeLimits(max_pixels=1_000_000, max_frames=10)
    with pytest.raises(LimitExceededError, match="65535 x 65535"):
        _layout(build_dicom(PIXELS, Rows=65535, Columns=65535), limits)
    with pytest.raises(LimitExceededError, match="frames"):
        _layout(build_dicom(PIXELS, NumberOfFrames=11), limits)


def test_file_size_is_limited(build_dicom: Any) -> None:
    with pytest.raises(LimitExceededError, match="bytes"):
        _layout(build_dicom(PIXELS), DecodeLimits(max_file_bytes=100))

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import DecodeError
from indexer.pixels.colour import convert_ybr, expand_segments, scale_to_bytes
from indexer.pixels.dicom import decode_dicom


def test_ybr_by_hand() -> None:
    """White, black and the primaries of ITU-R BT.601 in full range."""
    ybr = np.array([[255, 128, 128], [0, 128, 128], [76, 85, 255], [150, 44, 21]], np.uint8)
    rgb = convert_ybr(ybr[np.newaxis], "YBR_FULL", 8)[0]
    expected = [[255, 255, 255], [0, 0, 0], [254, 0, 0], [0, 255, 1]]
    assert np.abs(rgb.astype(int) - expected).max() <= 1


def test_ybr_partial_spans_16_to_235() -> None:
    ybr = np.array([[[16, 128, 128], [235, 128, 128]]], np.uint8)
    assert convert_ybr(ybr, "YBR_PARTIAL_422", 8).tolist() == [[[0, 0, 0], [255, 255, 255]]]


@given(st.integers(0, 255))
def test_grey_stays_grey(level: int) -> None:
    ybr = np.array([[[level, 128, 128]]], np.uint8)
    assert convert_ybr(ybr, "YBR_FULL", 8).tolist() == [[[level] * 3]]


@pytest.mark.parametrize("bits", [1, 4, 8, 10, 12, 16])
def test_bytes_keep_black_white_and_order(bits: int) -> None:
    values = np.arange(1 << bits, dtype=np.uint16)
    grey = scale_to_bytes(values, bits)
    assert grey.dtype == np.uint8
    assert (grey[0], grey[-1]) == (0, 255)
    assert (np.diff(grey.astype(int)) >= 0).all()


def _palette(values: list[int]) -> bytes:
    return np.array(values, "<u2").tobytes()


def _indexed(build_dicom: Any, indices: list[int], **palette: Any) -> bytes:
    pixels = np.array([indices], np.uint8)
    return bytes(build_dicom(pixels, PhotometricInterpretation="PALETTE COLOR", **palette))


def _tables(descriptor: list[int], red: bytes, green: bytes, blue: bytes) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for name, table in (("Red", red), ("Green", green), ("Blue", blue)):
        tables[f"{name}PaletteColorLookupTableDescriptor"] = descriptor
        tables[f"{name}PaletteColorLookupTableData"] = table
    return tables


def test_a_palette_of_16_bits_is_scaled_and_clamped_at_its_ends(build_dicom: Any) -> None:
    tables = _tables(
        [3, 10, 16],
        _palette([0, 0x8000, 0xFFFF]),
        _palette([0xFFFF, 0, 0]),
        _palette([0x0100, 0x0200, 0x0300]),
    )
    rgb = decode_dicom(_indexed(build_dicom, [0, 10, 11, 12, 200], **tables))
    assert rgb.tolist() == [[[0, 255, 1], [0, 255, 1], [128, 0, 2], [255, 0, 3], [255, 0, 3]]]


def test_a_palette_of_8_bits_may_be_stored_in_bytes_or_words(build_dicom: Any) -> None:
    in_words = _tables([2, 0, 8], _palette([1, 2]), _palette([3, 4]), _palette([5, 6]))
    in_bytes = _tables([2, 0, 8], b"\1\2", b"\3\4", b"\5\6")
    called_16 = _tables([2, 0, 16], _palette([1, 2]), _palette([3, 4]), _palette([5, 6]))
    for tables in (in_words, in_bytes, called_16):
        assert decode_dicom(_indexed(build_dicom, [0, 1], **tables)).tolist() == [
            [[1, 3, 5], [2, 4, 6]]
        ]


def test_palettes_that_are_missing_or_short_are_refused(build_dicom: Any) -> None:
    with pytest.raises(DecodeError, match="descriptor"):
        decode_dicom(_indexed(build_dicom, [0]))
    short = _tables([200, 0, 16], _palette([1]), _palette([1]), _palette([1]))
    with pytest.raises(DecodeError, match="200 entries"):
        decode_dicom(_indexed(build_dicom, [0], **short))


def test_segments_by_hand() -> None:
    """Discrete 0 5, linear in four steps to 45, and both once more by reference."""
    words = (0, 2, 0, 5, 1, 4, 45, 2, 2, 0, 0)
    assert expand_segments(words, 12).tolist() == [0, 5, 15, 25, 35, 45] * 2


@pytest.mark.parametrize(
    "words", [(), (0, 9, 1), (1, 2, 3), (7, 1, 1), (0, 1, 5), (2, 1, 0), (0, 1, 5, 2, 1, 0, 0)]
)
def test_damaged_segments_are_refused(words: tuple[int, ...]) -> None:
    with pytest.raises(DecodeError, match="segment"):
        expand_segments(words, 4)


@given(st.lists(st.integers(0, 0xFFFF), max_size=40))
def test_any_segments_end_in_a_table_or_an_error(words: list[int]) -> None:
    with contextlib.suppress(DecodeError):
        assert len(expand_segments(tuple(words), 256)) == 256


def test_deep_colour_is_scaled(build_dicom: Any) -> None:
    pixels = np.array([[[0, 0x7FFF, 0xFFFF]]], np.uint16)
    assert decode_dicom(build_dicom(pixels)).tolist() == [[[0, 127, 255]]]

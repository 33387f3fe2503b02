from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from indexer.errors import DecodeError
from indexer.pixels.dicom import decode_hu

STORED = np.array([[0, 100, 1000, -2000]], np.int16)


def test_rescale(build_dicom: Any) -> None:
    hu = decode_hu(build_dicom(STORED, RescaleSlope="2", RescaleIntercept="-1024"))
    assert hu.dtype == np.float32
    assert hu.tolist() == [[-1024, -824, 976, -5024]]


@pytest.mark.parametrize(
    ("written", "read"),
    [("-01.024000E+03", -1024.0), (" -1024 ", -1024.0), ("-1024,5", -1024.5), ("+00000012", 12.0)],
)
def test_odd_number_strings(build_dicom: Any, written: str, read: float) -> None:
    raw = build_dicom(STORED, RescaleIntercept="-99999999999999", RescaleSlope="1")
    odd = raw.replace(b"-99999999999999", written.encode().ljust(15))
    assert odd != raw
    assert decode_hu(odd)[0, 0] == read


@pytest.mark.parametrize("written", ["abc", "nan", "1e999", "--5"])
def test_a_rescale_that_is_no_number_is_refused(build_dicom: Any, written: str) -> None:
    raw = build_dicom(STORED, RescaleIntercept="-99999999999999", RescaleSlope="1")
    with pytest.raises(DecodeError, match=r"\(0028,1052\)"):
        decode_hu(raw.replace(b"-99999999999999", written.encode().ljust(15)))


def test_without_rescale_values_are_as_stored(build_dicom: Any) -> None:
    np.testing.assert_array_equal(decode_hu(build_dicom(STORED)), STORED)
    zero_slope = build_dicom(STORED, RescaleSlope="0", RescaleIntercept="5")
    np.testing.assert_array_equal(decode_hu(zero_slope), STORED + 5)


@pytest.mark.parametrize(("padding", "vr"), [(-2000, "SS"), (63536, "US")])
def test_padding_is_nan_whatever_sign_it_was_written_with(
    build_dicom: Any, padding: int, vr: str
) -> None:
    raw = build_dicom(STORED, RescaleIntercept="-1024", RescaleSlope="1", PixelPaddingValue=-2000)
    assert b"(\0\x20\x01SS" in raw
    written = raw.replace(b"(\0\x20\x01SS", b"(\0\x20\x01" + vr.encode())
    hu = decode_hu(written)
    assert np.isnan(hu).tolist() == [[False, False, False, True]]
    assert hu[0, 0] == -1024


def test_a_range_of_padding(build_dicom: Any) -> None:
    pixels = np.array([[5, 6, 7, 8, 9]], np.uint16)
    raw = build_dicom(pixels, PixelPaddingValue=8, PixelPaddingRangeLimit=6)
    assert np.isnan(decode_hu(raw)).tolist() == [[False, True, True, True, False]]


def _table(first: int, entries: list[int], bits: int = 16) -> Dataset:
    table = Dataset()
    table.LUTDescriptor = [len(entries), first, bits]
    table.LUTData = entries
    table["LUTDescriptor"].VR = "SS" if first < 0 else "US"
    table["LUTData"].VR = "US"
    return table


def test_a_modality_table_comes_before_rescale(build_dicom: Any) -> None:
    table = _table(-1, [10, 20, 30])
    raw = build_dicom(
        np.array([[-5, -1, 0, 1, 9]], np.int16), ModalityLUTSequence=[table], RescaleSlope="99"
    )
    assert decode_hu(raw).tolist() == [[10, 10, 20, 30, 30]]


def _transformation(intercept: str) -> Dataset:
    values = Dataset()
    values.RescaleIntercept, values.RescaleSlope, values.RescaleType = intercept, "1", "HU"
    groups = Dataset()
    groups.PixelValueTransformationSequence = [values]
    return groups


def test_enhanced_objects_rescale_each_frame_by_its_own_group(build_dicom: Any) -> None:
    frames = np.zeros((3, 2, 2), np.int16)
    own = build_dicom(
        frames,
        SharedFunctionalGroupsSequence=[_transformation("7")],
        PerFrameFunctionalGroupsSequence=[_transformation("-1"), _transformation("-2"), Dataset()],
    )
    assert [decode_hu(own, frame)[0, 0] for frame in range(3)] == [-1, -2, 7]


def test_colour_has_no_hounsfield_units(build_dicom: Any) -> None:
    with pytest.raises(DecodeError, match="colour"):
        decode_hu(build_dicom(np.zeros((2, 2, 3), np.uint8)))


def test_float_pixels_are_values_already(build_dicom: Any) -> None:
    raw = build_dicom(
        np.zeros((1, 2), np.uint32),
        PixelData=None,
        FloatPixelData=np.array([0.25, -3], "<f4").tobytes(),
    )
    assert decode_hu(raw).tolist() == [[0.25, -3]]
    assert decode_hu(raw).dtype == np.float32

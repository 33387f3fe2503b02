from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydicom.dataset import Dataset

from indexer.errors import NotAnImageError
from indexer.pixels.dicom import decode_dicom, decode_grey_or_colour
from indexer.pixels.limits import BUILD_LIMITS
from indexer.pixels.render import render_frame
from indexer.pixels.stored import open_instance, read_stored_frame
from indexer.pixels.window import PRESETS, Window, apply_window

HU = np.array([[-1024, -150, 50, 250, 1000]], np.int16)


def _grey(raw: bytes, **options: Any) -> list[int]:
    rgb = decode_dicom(raw, **options)
    assert rgb.dtype == np.uint8
    assert (rgb[..., 0] == rgb[..., 1]).all()
    assert (rgb[..., 0] == rgb[..., 2]).all()
    return [int(value) for value in rgb[0, :, 0]]


def test_the_file_s_own_window_is_used_and_of_several_the_first(build_dicom: Any) -> None:
    raw = build_dicom(HU, WindowCenter=["50", "-600"], WindowWidth=["400", "1500"])
    assert _grey(raw) == [0, 0, 128, 255, 255]


def test_the_caller_s_window_comes_first(build_dicom: Any) -> None:
    raw = build_dicom(HU, WindowCenter="50", WindowWidth="400")
    lung = apply_window(HU.astype(np.float32), PRESETS["lung"])
    assert _grey(raw, window=PRESETS["lung"]) == lung[0].tolist()


def test_ct_without_a_window_is_shown_as_soft_tissue(build_dicom: Any) -> None:
    assert _grey(build_dicom(HU)) == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("window", [("", ""), ("40", "0"), ("40", "-5"), ("x", "y")])
def test_an_unusable_window_is_no_window(build_dicom: Any, window: tuple[str, str]) -> None:
    raw = build_dicom(HU, WindowCenter="77777777", WindowWidth="88888888")
    raw = raw.replace(b"77777777", window[0].encode().ljust(8))
    raw = raw.replace(b"88888888", window[1].encode().ljust(8))
    assert _grey(raw) == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_file_s_own_function_is_used(build_dicom: Any, function: str) -> None:
    raw = build_dicom(HU, WindowCenter="50", WindowWidth="4", VOILUTFunction=function)
    expected = apply_window(HU.astype(np.float32), Window(50, 4), function)  # type: ignore[arg-type]
    assert _grey(raw) == expected[0].tolist()


def test_monochrome1_is_inverted_last_and_padding_stays_black(build_dicom: Any) -> None:
    raw = build_dicom(
        HU,
        PhotometricInterpretation="MONOCHROME1",
        WindowCenter="50",
        WindowWidth="400",
        PixelPaddingValue=-1024,
    )
    assert _grey(raw) == [0, 255, 127, 0, 0]


def test_rescale_comes_before_the_window(build_dicom: Any) -> None:
    stored = (HU + 1024).astype(np.uint16)
    raw = build_dicom(
        stored, RescaleIntercept="-1024", RescaleSlope="1", WindowCenter="50", WindowWidth="400"
    )
    assert _grey(raw) == [0, 0, 128, 255, 255]


def test_a_voi_table_is_scaled_by_its_bits(build_dicom: Any) -> None:
    table = Dataset()
    table.LUTDescriptor = [3, 49, 12]
    table.LUTData = [0, 2048, 4095]
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    raw = build_dicom(np.array([[0, 49, 50, 51, 90]], np.uint16), VOILUTSequence=[table])
    assert _grey(raw) == [0, 0, 128, 255, 255]


def test_a_window_of_the_frame_s_own_group(build_dicom: Any) -> None:
    def groups(centre: str) -> Dataset:
        window = Dataset()
        window.WindowCenter, window.WindowWidth = centre, "10"
        frame = Dataset()
        frame.FrameVOILUTSequence = [window]
        return frame

    raw = build_dicom(
        np.full((2, 1, 1), 100, np.int16),
        PerFrameFunctionalGroupsSequence=[groups("200"), groups("0")],
    )
    assert [_grey(raw, frame=frame) for frame in (0, 1)] == [[0], [255]]


def test_bytes_without_a_window_are_shown_as_they_are(build_dicom: Any) -> None:
    levels = np.array([[0, 1, 100, 254]], np.uint8)
    assert _grey(build_dicom(levels, Modality="US")) == [0, 1, 100, 254]
    signed = np.array([[-128, 0, 127]], np.int8)
    assert _grey(build_dicom(signed, Modality="US")) == [0, 128, 255]
    seven = build_dicom(np.array([[0, 64, 127]], np.uint8), BitsStored=7, HighBit=6, Modality="OT")
    assert _grey(seven) == [0, 129, 255]


def test_deep_images_without_a_window_span_their_values(build_dicom: Any) -> None:
    ramp = np.arange(300, 500, dtype=np.uint16).reshape(10, 20)
    grey = decode_grey_or_colour(build_dicom(ramp, Modality="MR"))
    assert (grey.min(), grey.max()) == (0, 255)
    assert abs(int(grey[4, 19]) - 127) <= 2


@given(
    hnp.arrays(st.sampled_from([np.uint16, np.int16]), (4, 5)),
    st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    st.none() | st.integers(0, 0xFFFF),
    st.sampled_from(["CT", "MR"]),
)
def test_the_table_gives_what_rendering_each_sample_gives(
    build_dicom: Any,
    pixels: np.ndarray[Any, Any],
    photometric: str,
    padding: int | None,
    modality: str,
) -> None:
    attributes = {} if padding is None else {"PixelPaddingValue": padding}
    if pixels.dtype.kind == "i" and padding is not None:
        attributes = {"PixelPaddingValue": padding - 0x8000}
    raw = build_dicom(
        pixels, PhotometricInterpretation=photometric, Modality=modality, **attributes
    )
    frame = read_stored_frame(open_instance(raw, BUILD_LIMITS), 0, BUILD_LIMITS)
    each = replace(frame, values=frame.values.astype(np.int32))  # 32 bits are never looked up
    for window in (None, Window(40, 400)):
        np.testing.assert_array_equal(render_frame(frame, window), render_frame(each, window))


def test_colour_is_shown_as_it_is(build_dicom: Any) -> None:
    rgb = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    np.testing.assert_array_equal(decode_dicom(build_dicom(rgb), window=PRESETS["lung"]), rgb)


def test_a_segmentation_is_not_an_image(build_dicom: Any) -> None:
    with pytest.raises(NotAnImageError):
        decode_dicom(build_dicom(HU, Modality="SEG"))


def test_float_pixels_are_windowed_exactly(build_dicom: Any) -> None:
    values = np.array([-0.5, 0, 0.5, 1.0, 2.0], "<f4").tobytes()
    raw = build_dicom(
        np.zeros((1, 5), np.uint32),
        PixelData=None,
        FloatPixelData=values,
        Modality="OT",
        WindowCenter="0.5",
        WindowWidth="1",
    )
    assert _grey(raw) == [0, 0, 128, 255, 255]

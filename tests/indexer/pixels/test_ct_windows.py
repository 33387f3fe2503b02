from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.pixels.ct_windows import (
    CT_WINDOWS,
    WINDOW_FIELDS,
    visible_windows,
    window_named,
    windows_of,
)
from indexer.pixels.decode import DecodeRequest, decode_image
from indexer.pixels.dicom import decode_dicom, decode_views
from indexer.pixels.header import DicomHeader
from indexer.pixels.resize import resize_square

AIR, LUNG, TISSUE = -1000.0, -800.0, 40.0
HEADER = DicomHeader(
    transfer_syntax_uid="1.2.840.10008.1.2.1", sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
    modality="CT", rows=8, columns=8, frames=1, patient_id=None, study_uid=None, series_uid=None,
    instance_uid=None, instance_number=1, image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
    body_part="CHEST", age_years=None, sex=None, contrast=None, burned_in=None,
)  # fmt: skip


def slice_of(lung: float, tissue: float) -> np.ndarray:
    """Draw a slice with shares of lung and of tissue, the rest air around the body."""
    values = np.full((100, 100), AIR, np.float32)
    values[: round(100 * tissue)] = TISSUE
    values[100 - round(100 * lung) :] = LUNG
    return values


@pytest.mark.parametrize(
    ("body_part", "windows"),
    [
        ("CHEST", ("lung", "soft_tissue", "bone")),
        ("PANCREAS", ("lung", "soft_tissue", "bone")),
        ("BRAIN", ("brain", "bone")),
        ("KNEE", ("soft_tissue", "bone")),
        (None, ("lung", "soft_tissue", "bone")),
    ],
)
def test_each_region_has_its_windows(body_part: str | None, windows: tuple[str, ...]) -> None:
    assert windows_of(replace(HEADER, body_part=body_part)) == windows


def test_only_slices_of_ct_have_windows() -> None:
    assert windows_of(replace(HEADER, modality="MR")) == ()
    assert windows_of(replace(HEADER, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))) == ()


@pytest.mark.parametrize(
    ("lung", "tissue", "windows"),
    [
        (0.3, 0.4, ("lung", "soft_tissue", "bone")),
        (0.01, 0.4, ("soft_tissue", "bone")),
        (0.0, 0.02, ()),
        (0.0, 0.0, ()),
    ],
)
def test_a_window_fits_what_shows_in_it(
    lung: float, tissue: float, windows: tuple[str, ...]
) -> None:
    assert visible_windows(slice_of(lung, tissue), ("lung", "soft_tissue", "bone")) == windows


def test_padding_is_neither_body_nor_lung() -> None:
    values = slice_of(0.0, 0.5)
    values[50:] = np.nan
    assert visible_windows(values, ("lung", "bone")) == ("bone",)
    assert visible_windows(np.full((9, 9), np.nan, np.float32), ("bone",)) == ()


def test_windows_are_known_by_their_fields() -> None:
    assert set(WINDOW_FIELDS.values()) == set(CT_WINDOWS)
    assert WINDOW_FIELDS["soft_tissue_window"] == "soft_tissue"
    assert [window_named(name) for name in CT_WINDOWS] == list(CT_WINDOWS)
    with pytest.raises(ValueError, match="no window"):
        window_named("door")


@pytest.mark.realdata
def test_a_real_slice_by_window_is_the_slice_in_that_window(realdata_dir: Path) -> None:
    file = realdata_dir / "genuine" / "siim_ct" / "dicom_dir" / "ID_0000_AGE_0060_CONTRAST_1_CT.dcm"
    raw = file.read_bytes()
    views = decode_views(raw)
    assert list(views.by_window) == ["lung", "soft_tissue", "bone"]
    for name, grey in views.by_window.items():
        expected = decode_dicom(raw, window=CT_WINDOWS[name])
        np.testing.assert_array_equal(grey, expected[:, :, 0])
    assert views.slice_number == 25
    image = decode_image(DecodeRequest(raw=raw, px=32, resize="letterbox", by_window=True))
    assert image.slice_number == 25
    expected = resize_square(views.by_window["lung"], 32, "letterbox")
    np.testing.assert_array_equal(image.by_window["lung"], expected[:, :, 0])
    np.testing.assert_array_equal(
        image.pixels, decode_image(DecodeRequest(raw=raw, px=32, resize="letterbox")).pixels
    )

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.pixels.ct_windows import (
    CT_WINDOWS,
    WINDOW_FIELDS,
    WindowName,
    visible_windows,
    window_named,
    windows_of,
)
from indexer.pixels.decode import DecodeRequest, decode_image
from indexer.pixels.dicom import decode_dicom, decode_views
from indexer.pixels.header import DicomHeader
from indexer.pixels.resize import resize_square

AIR, LUNG, FOAM, TISSUE, BRAIN, BONE = -1000.0, -800.0, -850.0, 40.0, 30.0, 900.0
HEADER = DicomHeader(
    transfer_syntax_uid="1.2.840.10008.1.2.1", sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
    modality="CT", rows=8, columns=8, frames=1, patient_id=None, study_uid=None, series_uid=None,
    instance_uid=None, instance_number=1, image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
    body_part="CHEST", age_years=None, sex=None, contrast=None, burned_in=None,
)  # fmt: skip


def disc(radius: float, centre: tuple[float, float] = (0.5, 0.5), px: int = 256) -> np.ndarray:
    """Return a mask (px, px) of a disc; lengths are shares of the side."""
    y, x = np.mgrid[:px, :px] / px
    inside: np.ndarray = np.hypot(y - centre[0], x - centre[1]) < radius
    return inside


def slice_of(lung: float, body: float, px: int = 256) -> np.ndarray:
    """Draw a body with two lungs in it, on a table of foam; radii are shares of the side."""
    values = np.full((px, px), AIR, np.float32)
    values[round(0.93 * px) : round(0.99 * px), px // 10 : -px // 10] = FOAM
    values[[round(0.92 * px), round(0.99 * px)], px // 10 : -px // 10] = TISSUE
    values[disc(body, px=px)] = TISSUE
    for side in (0.35, 0.65):
        values[disc(lung, (0.5, side), px)] = LUNG
    return values


def head_of(brain: float, px: int = 256) -> np.ndarray:
    """Draw a skull with a brain, 5 % of the side of bone and of skin around it."""
    values = np.full((px, px), AIR, np.float32)
    for radius, hu in ((brain + 0.1, TISSUE), (brain + 0.05, BONE), (brain, BRAIN)):
        values[disc(radius, px=px)] = hu
    return values


@pytest.mark.parametrize(
    ("body_part", "windows"),
    [
        ("CHEST", ("lung", "soft_tissue", "bone")),
        ("PANCREAS", ("lung", "soft_tissue", "bone")),
        ("BRAIN", ("brain", "bone")),
        ("KNEE", ("soft_tissue", "bone")),
        (None, ("lung", "brain", "soft_tissue", "bone")),
    ],
)
def test_each_region_has_its_windows(body_part: str | None, windows: tuple[str, ...]) -> None:
    assert windows_of(replace(HEADER, body_part=body_part)) == windows


def test_only_slices_of_ct_have_windows() -> None:
    assert windows_of(replace(HEADER, modality="MR")) == ()
    assert windows_of(replace(HEADER, image_type=("ORIGINAL", "PRIMARY", "LOCALIZER"))) == ()


TRUNK: tuple[WindowName, ...] = ("lung", "soft_tissue", "bone")
UNKNOWN: tuple[WindowName, ...] = tuple(CT_WINDOWS)


@pytest.mark.parametrize("px", [128, 512, 700])
@pytest.mark.parametrize(
    ("lung", "body", "windows"),
    [
        (0.12, 0.4, ("lung", "soft_tissue", "bone")),
        (0.04, 0.4, ("lung", "soft_tissue", "bone")),
        (0.0, 0.4, ("soft_tissue", "bone")),
        (0.0, 0.05, ()),
        (0.0, 0.0, ()),
    ],
)
def test_a_window_fits_what_shows_in_it(
    lung: float, body: float, windows: tuple[str, ...], px: int
) -> None:
    assert visible_windows(slice_of(lung, body, px), TRUNK) == windows
    assert visible_windows(slice_of(lung, body, px), UNKNOWN) == windows


def test_a_brain_is_known_by_its_skull() -> None:
    assert visible_windows(head_of(0.3), UNKNOWN) == ("brain", "soft_tissue", "bone")
    open_skull = head_of(0.3)
    open_skull[:, :128][open_skull[:, :128] == BONE] = TISSUE
    assert visible_windows(open_skull, UNKNOWN) == ("soft_tissue", "bone")
    assert visible_windows(open_skull, ("brain", "bone")) == ("brain", "bone")  # the file says so


def test_padding_is_neither_body_nor_lung() -> None:
    values = slice_of(0.12, 0.4)
    values[:, 128:] = np.nan
    assert visible_windows(values, TRUNK) == ("lung", "soft_tissue", "bone")
    values[values == LUNG] = np.nan
    assert visible_windows(values, TRUNK) == ("soft_tissue", "bone")
    assert visible_windows(np.full((9, 9), np.nan, np.float32), ("bone",)) == ()
    assert visible_windows(np.zeros((0, 0), np.float32), ("bone",)) == ()


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("file", "windows"),
    [
        ("siim_ct/dicom_dir/ID_0099_AGE_0061_CONTRAST_0_CT.dcm", TRUNK),
        # Kidneys and bowel gas under the name of the chest; so does the next, of an abdomen.
        ("siim_ct/dicom_dir/ID_0010_AGE_0060_CONTRAST_1_CT.dcm", ("soft_tissue", "bone")),
        ("dicom/pydicom-data/explicit_VR-UN.dcm", ("soft_tissue", "bone")),
        # Heads: one that states it, one that states nothing; a neck on a table of foam.
        ("dicom/pydicom-tests/J2K_pixelrep_mismatch.dcm", ("brain", "bone")),
        ("dicom/pydicom-data/693_UNCI.dcm", ("brain", "soft_tissue", "bone")),
        ("dicom/cornerstone/CTImage.dcm", ("soft_tissue", "bone")),
    ],
)
def test_genuine_slices_are_shown_in_the_windows_that_fit(
    realdata_dir: Path, file: str, windows: tuple[str, ...]
) -> None:
    views = decode_views((realdata_dir / "genuine" / file).read_bytes())
    assert tuple(views.by_window) == windows


@pytest.mark.realdata
def test_lung_ends_where_a_scan_of_the_abdomen_leaves_it(realdata_dir: Path) -> None:
    slices = sorted((realdata_dir / "genuine" / "tcia" / "CPTAC-PDA").rglob("*.dcm"))
    shown = ["lung" in decode_views(one.read_bytes()).by_window for one in slices]
    assert shown == [True, True, True, False, False, False]


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

"""166 real DICOM files of every common transfer syntax, deliberately broken ones among them.

`check.json` states, for each, what pydicom with pylibjpeg makes of it: shape, type, least and
greatest value, or that it cannot be decoded. All differences from that are listed here.
"""

import json
import logging
import re
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import pydicom
import pytest
import tifffile
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut

from indexer.errors import DecodeError, NotAnImageError
from indexer.pixels.dicom import decode_dicom, decode_hu, read_header
from indexer.pixels.limits import UPLOAD_LIMITS
from indexer.pixels.raster import decode_raster
from indexer.pixels.stored import open_instance, read_stored_frame
from indexer.pixels.window import PRESETS

pytestmark = pytest.mark.realdata

BETTER_THAN_REFERENCE: Final = {
    "pydicom-data/OT-PAL-8-face.dcm": "no file meta: the encoding is told from its first element",
    "pydicom-data/liver_deflate.dcm": "deflated frames, newer than the reference",
    "pydicom-data/liver_nonbyte_aligned_deflate.dcm": "deflated frames, newer than the reference",
    "pydicom-data/liver_rle.dcm": "single bits in RLE, which the reference does not unpack",
    "pydicom-data/liver_nonbyte_aligned_rle.dcm": "single bits in RLE",
    "pydicom-tests/JPEG-lossy.dcm": "12-bit JPEG, which libjpeg-turbo 3 decodes",
    "cornerstone/CTImage.dcm_JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm": (
        "progressive 12-bit JPEG"
    ),
    "cornerstone/CTImage.dcm_JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm": (
        "spectral selection, 12-bit JPEG"
    ),
}
"""Files that the reference could not decode and we do."""

LOSSY_BY_ONE: Final = {
    "cornerstone/CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm",
}
"""Lossy 12-bit JPEG: another inverse cosine transform rounds the darkest pixel to 497, not 498."""

REFUSED: Final = {
    "pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm": "cut inside its first elements",
    "pydicom-tests/JPEG2000-embedded-sequence-delimiter.dcm": "its size segment is overwritten",
    "pydicom-tests/MR_truncated.dcm": "62 bytes of pixels are missing",
    "pydicom-tests/no_meta.dcm": "a stray byte before its first element",
    "pydicom-tests/meta_missing_tsyntax.dcm": "a file meta group with nothing behind it",
}
"""Files that claim, or might claim, to be images but are damaged: `DecodeError`."""


def _entries() -> list[dict[str, Any]]:
    path = Path(__file__).resolve().parents[4] / "shared" / "data" / "genuine" / "dicom"
    check = path / "check.json"
    return json.loads(check.read_text()) if check.is_file() else []


ENTRIES: Final = {entry["file"]: entry for entry in _entries()}
DECODABLE: Final = [
    name for name in ENTRIES if ENTRIES[name].get("pixel") or name in BETTER_THAN_REFERENCE
]
NO_IMAGES: Final = ("SEG", "RTDOSE", "RTPLAN", "RTSTRUCT", "SR", "ECG")
SHOWN: Final = [
    name
    for name in ENTRIES
    if ENTRIES[name].get("pixel") and ENTRIES[name]["Modality"] not in NO_IMAGES
]
EVERY: Final = pytest.mark.parametrize("name", ENTRIES)


@pytest.fixture(scope="module")
def genuine(realdata_dir: Path) -> Path:
    return realdata_dir / "genuine"


def _stored(raw: bytes) -> np.ndarray[Any, Any]:
    instance = open_instance(raw, UPLOAD_LIMITS)
    first = read_stored_frame(instance, 0, UPLOAD_LIMITS)
    if first.layout.frames == 1:
        return first.values
    others = range(1, first.layout.frames)
    frames = [read_stored_frame(instance, index, UPLOAD_LIMITS).values for index in others]
    return np.stack([first.values, *frames])


def test_there_are_166_files(genuine: Path) -> None:
    assert len(ENTRIES) == 166
    listed = BETTER_THAN_REFERENCE.keys() | LOSSY_BY_ONE | REFUSED.keys()
    assert listed <= ENTRIES.keys()


@EVERY
def test_each_decodes_to_the_reference_or_is_refused(genuine: Path, name: str) -> None:
    entry = ENTRIES[name]
    raw = (genuine / "dicom" / name).read_bytes()
    if entry.get("pixel") is None and name not in BETTER_THAN_REFERENCE:
        with pytest.raises(DecodeError):
            _stored(raw)
        return
    values = _stored(raw)
    if name in BETTER_THAN_REFERENCE:
        assert values.max() > values.min()
        return
    stated = re.fullmatch(r"\(([\d, ]+)\) \S+ min=(\S+) max=(\S+)", entry["pixel"])
    assert stated is not None
    assert values.shape == tuple(int(size) for size in stated[1].split(",") if size.strip())
    tolerance = 1 if name in LOSSY_BY_ONE else 0
    assert abs(float(values.min()) - float(stated[2])) <= tolerance
    assert abs(float(values.max()) - float(stated[3])) <= tolerance


@pytest.mark.parametrize("name", SHOWN)
def test_each_is_shown_as_pydicom_would_show_it(genuine: Path, name: str) -> None:
    """Grey after modality and VOI transformation, palettes and colour: within one grey level."""
    raw = (genuine / "dicom" / name).read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        dataset = pydicom.dcmread(genuine / "dicom" / name, force=True)
        expected = _show_with_pydicom(dataset, _stored(raw))
        logging.disable(logging.NOTSET)
    if expected is None:
        assert decode_dicom(raw).dtype == np.uint8
        return
    shown = decode_dicom(raw).astype(float)
    shown = shown if expected.ndim == 3 else shown[..., 0]
    assert np.abs(shown - expected).max() <= 1


def _show_with_pydicom(
    dataset: pydicom.Dataset, stored: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any] | None:
    """Return what pydicom's functions give for the first frame; None where they say nothing."""
    first = stored[0] if int(dataset.get("NumberOfFrames", 1) or 1) > 1 else stored
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        coloured = apply_color_lut(first, dataset)
        return coloured >> 8 if coloured.max() > 255 else coloured
    if dataset.SamplesPerPixel == 3:
        return first if first.dtype == np.uint8 else None
    if "VOILUTSequence" in dataset:
        bits = dataset.VOILUTSequence[0].LUTDescriptor[2]
        return apply_voi_lut(apply_modality_lut(first, dataset), dataset) * (255 / (2**bits - 1))
    if "WindowCenter" not in dataset:
        return None
    values = apply_modality_lut(first, dataset)
    grey = apply_voi_lut(values, dataset).astype(float)
    signed, bits = bool(dataset.PixelRepresentation), dataset.BitsStored
    ends = np.array([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] if signed else [0, 2**bits - 1])
    low, high = ends * float(dataset.get("RescaleSlope", 1)) + float(
        dataset.get("RescaleIntercept", 0)
    )
    grey = (grey - low) / (high - low) * 255
    return 255 - grey if dataset.PhotometricInterpretation == "MONOCHROME1" else grey


@EVERY
def test_each_header_says_what_pydicom_reads(genuine: Path, name: str) -> None:
    entry = ENTRIES[name]
    path = genuine / "dicom" / name
    if entry["Modality"] in NO_IMAGES or entry["Rows"] is None:
        if name != "pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm":
            with pytest.raises(DecodeError):
                read_header(path)
        return
    header = read_header(path)
    assert header.modality == entry["Modality"]
    assert header.sop_class_uid == entry["SOPClassUID"]
    assert (str(header.rows), str(header.columns)) == (entry["Rows"], entry["Columns"])
    assert header.patient_id == (entry["PatientID"] or None)
    assert header.body_part in (entry["BodyPartExamined"], None)
    assert header.frames == int(entry["NumberOfFrames"] or 1)


@pytest.mark.parametrize("name", [name for name in ENTRIES if ENTRIES[name]["Modality"] == "SEG"])
def test_segmentations_are_not_images(genuine: Path, name: str) -> None:
    with pytest.raises(NotAnImageError):
        decode_dicom((genuine / "dicom" / name).read_bytes())


@pytest.mark.parametrize("name", DECODABLE)
def test_no_cut_of_a_file_is_taken_for_a_whole_one(genuine: Path, name: str) -> None:
    """At nine places; padding behind the pixels may be missing, pixels may not."""
    raw = (genuine / "dicom" / name).read_bytes()
    whole = _stored(raw)
    for tenths in range(1, 10):
        try:
            assert np.array_equal(_stored(raw[: len(raw) * tenths // 10]), whole)
        except DecodeError:
            continue


def test_pixels_of_named_files(genuine: Path) -> None:
    """Values read off the files themselves with pydicom, once."""
    ct = (genuine / "dicom/pydicom-tests/CT_small.dcm").read_bytes()
    assert decode_hu(ct)[0, :3].tolist() == [-849.0, -844.0, -858.0]
    compressed = genuine / "dicom/cornerstone"
    plain = decode_hu((compressed / "CTImage.dcm").read_bytes())
    assert (np.nanmin(plain), np.nanmax(plain)) == (-3024.0, 1378.0)
    lossless = ("RLELossless", "JPEGProcess14SV1", "JPEGLSLossless", "JPEG2000LosslessOnly")
    for path in sorted(compressed.glob("CTImage.dcm_*")):
        if path.name.removeprefix("CTImage.dcm_").startswith(lossless):
            np.testing.assert_array_equal(decode_hu(path.read_bytes()), plain)


def test_kaggle_tiff_and_dicom_hold_the_same_hounsfield_units(genuine: Path) -> None:
    for name in ("ID_0000_AGE_0060_CONTRAST_1_CT", "ID_0001_AGE_0069_CONTRAST_1_CT"):
        raw = (genuine / f"siim_ct/tiff_images/{name}.tif").read_bytes()
        hu = decode_hu((genuine / f"siim_ct/dicom_dir/{name}.dcm").read_bytes())
        with tifffile.TiffFile(genuine / f"siim_ct/tiff_images/{name}.tif") as file:
            np.testing.assert_array_equal(file.asarray(), hu)
        shown = decode_raster(raw, window=PRESETS["lung"])
        dicom = genuine / f"siim_ct/dicom_dir/{name}.dcm"
        np.testing.assert_array_equal(
            shown, decode_dicom(dicom.read_bytes(), window=PRESETS["lung"])
        )


def test_every_slice_of_tcia_and_kaggle_decodes(genuine: Path) -> None:
    paths = sorted(genuine.glob("tcia/**/*.dcm")) + sorted(genuine.glob("siim_ct/**/*.dcm"))
    assert len(paths) == 52
    for path in paths:
        raw = path.read_bytes()
        header = read_header(path)
        assert decode_dicom(raw).shape == (header.rows, header.columns, 3)
        expected = apply_modality_lut(*_stored_and_dataset(path))
        hu = decode_hu(raw)
        known = ~np.isnan(hu)
        np.testing.assert_allclose(hu[known], expected[known], atol=1e-3)


def _stored_and_dataset(path: Path) -> tuple[np.ndarray[Any, Any], pydicom.Dataset]:
    dataset = pydicom.dcmread(path)
    return dataset.pixel_array, dataset

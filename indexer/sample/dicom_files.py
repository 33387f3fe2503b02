"""DICOM files of the phantoms: CT Image Storage as scanners write it, and objects without images.

Tags follow PS3.3 A.3 (CT image), A.35.1 (basic text report) and A.51 (segmentation).
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from indexer.sample.curves import FloatMap

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Vendor: TypeAlias = Literal["signed", "unsigned", "compressed"]

_INTERCEPT = -1024
_PADDING = -2000
_SPACING_MM = 1.5
_THICKNESS_MM = 5.0
_CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
_BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"
_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What all files of a series have in common. Ages in years, dates as YYYYMMDD.

    `vendor` chooses how pixels are stored: `signed` with padding outside the round field of view,
    `unsigned` in implicit little endian with two windows, `compressed` as JPEG-LS lossless.
    """

    patient_id: str
    age_years: int
    sex: Literal["F", "M"]
    study_uid: str
    study_date: str
    study_description: str
    series_uid: str
    number: int
    description: str
    body_part: str
    vendor: Vendor = "signed"
    agent: str | None = None


def make_uid(*parts: object) -> str:
    """Return a UID that depends on the parts alone, below pydicom's root."""
    from pydicom.uid import generate_uid

    return str(generate_uid(entropy_srcs=["medsearch sample corpus", *map(str, parts)]))


def ct_bytes(series: Series, hu: FloatMap, instance: int) -> bytes:
    """Return a CT slice (HU, float32) as a DICOM file; `instance` numbers the slice from 1."""
    from pydicom.uid import (
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        JPEGLSLossless,
    )

    data_set = _start(series, _CT_IMAGE, "CT", instance)
    stored = np.rint(hu).astype(np.int16) - np.int16(_INTERCEPT)
    data_set.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    data_set.BodyPartExamined = series.body_part
    data_set.KVP = "120"
    data_set.SliceThickness = f"{_THICKNESS_MM}"
    data_set.PatientPosition = "HFS"
    data_set.ImagePositionPatient = ["-192", "-192", f"{-_THICKNESS_MM * instance}"]
    data_set.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    data_set.SliceLocation = f"{-_THICKNESS_MM * instance}"
    data_set.PixelSpacing = [f"{_SPACING_MM}", f"{_SPACING_MM}"]
    data_set.RescaleIntercept, data_set.RescaleSlope = f"{_INTERCEPT}", "1"
    if series.agent:
        data_set.ContrastBolusAgent = series.agent
    _set_pixels(data_set, stored, series.vendor)
    syntax = ImplicitVRLittleEndian if series.vendor == "unsigned" else ExplicitVRLittleEndian
    data_set.file_meta.TransferSyntaxUID = syntax
    if series.vendor == "compressed":
        data_set.compress(JPEGLSLossless, encoding_plugin="pyjpegls", generate_instance_uid=False)
    return _save(data_set)


def report_bytes(series: Series, text: str) -> bytes:
    """Return a structured report with one line of text: an object that has no image."""
    from pydicom.dataset import Dataset
    from pydicom.uid import ExplicitVRLittleEndian

    data_set = _start(series, _BASIC_TEXT_SR, "SR", 1)
    data_set.CompletionFlag, data_set.VerificationFlag = "COMPLETE", "UNVERIFIED"
    title, line = Dataset(), Dataset()
    title.CodeValue, title.CodingSchemeDesignator = "121071", "DCM"
    title.CodeMeaning = "Finding"
    line.RelationshipType, line.ValueType, line.TextValue = "CONTAINS", "TEXT", text
    line.ConceptNameCodeSequence = [title]
    data_set.ValueType, data_set.ContinuityOfContent = "CONTAINER", "SEPARATE"
    data_set.ContentSequence = [line]
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return _save(data_set)


def segmentation_bytes(series: Series, mask: np.ndarray) -> bytes:
    """Return a binary segmentation of one frame: pixels, but no image of its own."""
    from pydicom.uid import ExplicitVRLittleEndian

    data_set = _start(series, _SEGMENTATION, "SEG", 1)
    data_set.ImageType = ["DERIVED", "PRIMARY"]
    data_set.SegmentationType, data_set.NumberOfFrames = "BINARY", 1
    data_set.Rows, data_set.Columns = mask.shape
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.BitsAllocated = data_set.BitsStored = 1
    data_set.HighBit = data_set.PixelRepresentation = 0
    data_set.PixelData = np.packbits(mask.ravel(), bitorder="little").tobytes()
    data_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return _save(data_set)


def _start(series: Series, sop_class: str, modality: str, instance: int) -> "Dataset":
    """Return a data set with the modules that every object has: patient, study, series, SOP."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    data_set = Dataset()
    data_set.SpecificCharacterSet = "ISO_IR 100"
    data_set.SOPClassUID = sop_class
    instance_uid = make_uid(series.series_uid, instance)
    data_set.SOPInstanceUID = instance_uid
    data_set.StudyDate = data_set.SeriesDate = data_set.ContentDate = series.study_date
    data_set.StudyTime = data_set.ContentTime = "101500"
    data_set.AccessionNumber, data_set.ReferringPhysicianName = "", ""
    data_set.Modality, data_set.Manufacturer = modality, "SYNTHETIC"
    data_set.ManufacturerModelName = "medsearch sample corpus"
    data_set.StudyDescription = series.study_description
    data_set.SeriesDescription = series.description
    data_set.PatientName, data_set.PatientID = "SYNTHETIC^PHANTOM", series.patient_id
    data_set.PatientBirthDate, data_set.PatientSex = "", series.sex
    data_set.PatientAge = f"{series.age_years:03d}Y"
    data_set.PatientIdentityRemoved, data_set.BurnedInAnnotation = "YES", "NO"
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID = series.study_uid, series.series_uid
    data_set.StudyID, data_set.SeriesNumber = "", str(series.number)
    data_set.InstanceNumber = str(instance)
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    data_set.file_meta.MediaStorageSOPInstanceUID = UID(instance_uid)
    return data_set


def _set_pixels(data_set: "Dataset", stored: np.ndarray, vendor: Vendor) -> None:
    """Set pixel data and windows; stored values are HU + 1024."""
    rows, columns = stored.shape
    data_set.SamplesPerPixel, data_set.PhotometricInterpretation = 1, "MONOCHROME2"
    data_set.Rows, data_set.Columns = rows, columns
    data_set.BitsAllocated, data_set.BitsStored, data_set.HighBit = 16, 16, 15
    data_set.PixelRepresentation = 1
    if vendor == "unsigned":
        data_set.BitsStored, data_set.HighBit, data_set.PixelRepresentation = 12, 11, 0
        data_set.WindowCenter, data_set.WindowWidth = ["40", "-600"], ["400", "1500"]
        data_set.WindowCenterWidthExplanation = ["SOFT TISSUE", "LUNG"]
        data_set.PixelData = np.clip(stored, 0, 4095).astype("<u2").tobytes()
        return
    data_set.WindowCenter, data_set.WindowWidth = "40", "400"
    y, x = np.ogrid[:rows, :columns]
    outside = (2 * x + 1 - columns) ** 2 + (2 * y + 1 - rows) ** 2 > rows * columns
    padded = np.where(outside, np.int16(_PADDING), stored)
    data_set.add_new(0x00280120, "SS", _PADDING)
    data_set.PixelData = padded.astype("<i2").tobytes()


def _save(data_set: "Dataset") -> bytes:
    buffer = BytesIO()
    data_set.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def write_file(path: Path, content: bytes) -> None:
    """Write bytes to a file, its folders being made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)

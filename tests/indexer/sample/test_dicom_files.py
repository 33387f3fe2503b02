from dataclasses import replace
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless

from indexer.pixels.dicom import decode_hu, read_header
from indexer.sample.dicom_files import (
    Series,
    ct_bytes,
    make_uid,
    report_bytes,
    segmentation_bytes,
)

SERIES = Series(
    patient_id="TCGA-SY-0001",
    age_years=67,
    sex="F",
    study_uid=make_uid("study"),
    study_date="20010312",
    study_description="CT CHEST",
    series_uid=make_uid("series"),
    number=3,
    description="CHEST WITH CONTRAST",
    body_part="CHEST",
    agent="OMNIPAQUE 300",
)
HU = np.float32(np.linspace(-1000, 1400, 64 * 64).reshape(64, 64))


@pytest.mark.parametrize(
    ("vendor", "syntax", "signed"),
    [
        ("signed", ExplicitVRLittleEndian, 1),
        ("unsigned", ImplicitVRLittleEndian, 0),
        ("compressed", JPEGLSLossless, 1),
    ],
)
def test_a_slice_comes_back_in_hounsfield_units(vendor, syntax, signed):
    content = ct_bytes(replace(SERIES, vendor=vendor), HU, 5)
    data_set = pydicom.dcmread(BytesIO(content))
    assert data_set.file_meta.TransferSyntaxUID == syntax
    assert data_set.PixelRepresentation == signed
    assert str(data_set.PatientName) == "SYNTHETIC^PHANTOM"
    assert "DERIVED" in data_set.ImageType
    inside = np.s_[16:48, 16:48]
    np.testing.assert_allclose(decode_hu(content)[inside], np.rint(HU)[inside])


def test_padding_fills_the_corners_of_signed_slices_only():
    signed = pydicom.dcmread(BytesIO(ct_bytes(SERIES, HU, 1)))
    assert signed.PixelPaddingValue == -2000
    assert signed.pixel_array[0, 0] == -2000
    assert signed.pixel_array[32, 32] != -2000
    unsigned = pydicom.dcmread(BytesIO(ct_bytes(replace(SERIES, vendor="unsigned"), HU, 1)))
    assert "PixelPaddingValue" not in unsigned
    assert list(unsigned.WindowCenter) == [40, -600]


def test_the_header_says_who_what_and_with_which_agent():
    header = read_header(ct_bytes(SERIES, HU, 12))
    assert (header.modality, header.body_part, header.instance_number) == ("CT", "CHEST", 12)
    assert (header.patient_id, header.age_years, header.sex) == ("TCGA-SY-0001", 67, "F")
    assert (header.contrast, header.burned_in) == (True, False)
    assert read_header(ct_bytes(replace(SERIES, agent=None), HU, 1)).contrast is None


def test_objects_without_an_image_are_whole_files():
    report = pydicom.dcmread(BytesIO(report_bytes(SERIES, "nothing")))
    assert (report.Modality, report.ContentSequence[0].TextValue) == ("SR", "nothing")
    mask = np.zeros((16, 16), dtype=bool)
    mask[4:8, 2:6] = True
    segmentation = pydicom.dcmread(BytesIO(segmentation_bytes(SERIES, mask)))
    assert segmentation.Modality == "SEG"
    np.testing.assert_array_equal(segmentation.pixel_array, mask)


def test_uids_are_valid_and_depend_on_their_parts_alone():
    assert make_uid(1, "a") == make_uid(1, "a") != make_uid(1, "b")
    assert UID(make_uid("x")).is_valid


def test_the_same_slice_gives_the_same_bytes():
    for vendor in ("signed", "unsigned", "compressed"):
        series = replace(SERIES, vendor=vendor)
        assert ct_bytes(series, HU, 2) == ct_bytes(series, HU, 2)
    assert ct_bytes(SERIES, HU, 2) != ct_bytes(SERIES, HU, 3)

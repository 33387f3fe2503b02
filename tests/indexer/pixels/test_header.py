from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import keyword_dict, tag_for_keyword

from indexer.errors import DecodeError, NotAnImageError
from indexer.pixels.dicom import DicomHeader, read_header
from indexer.pixels.header import ALLOWED_TAGS

PIXELS = np.arange(12, dtype=np.int16).reshape(3, 4)


def test_reads_what_is_allowed(build_dicom: Any) -> None:
    header = read_header(
        build_dicom(
            PIXELS,
            PatientID="TCGA-17-Z011",
            PatientAge="060Y",
            PatientSex="M",
            BodyPartExamined="CHEST",
            InstanceNumber="49",
            ContrastBolusAgent="OMNI 350",
            BurnedInAnnotation="NO",
            ImageType=["ORIGINAL", "PRIMARY", "AXIAL", "SOMEBODY^NAMED"],
        )
    )
    assert header == DicomHeader(
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        sop_class_uid="1.2.840.10008.5.1.4.1.1.2",
        modality="CT",
        rows=3,
        columns=4,
        frames=1,
        patient_id="TCGA-17-Z011",
        study_uid="1.2.3",
        series_uid="1.2.3.1",
        instance_uid="1.2.3.4",
        instance_number=49,
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        body_part="CHEST",
        age_years=60.0,
        sex="M",
        contrast=True,
        burned_in=False,
    )
    assert not header.may_show_identity


def test_nothing_stated_is_nothing_known(build_dicom: Any) -> None:
    header = read_header(build_dicom(PIXELS, Modality=None, StudyInstanceUID=None))
    assert header.modality is None
    assert header.study_uid is None
    assert header.contrast is None
    assert header.age_years is None
    assert header.burned_in is None


def test_a_path_gives_what_its_bytes_give(build_dicom: Any, tmp_path: Path) -> None:
    raw = build_dicom(PIXELS, PatientID="X", AdditionalPatientHistory="h" * 100_000)
    (tmp_path / "image.dcm").write_bytes(raw)
    assert read_header(tmp_path / "image.dcm") == read_header(raw)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2"])
def test_every_encoding_reads_alike(build_dicom: Any, syntax: str) -> None:
    plain = read_header(build_dicom(PIXELS, InstanceNumber="7"))
    other = read_header(build_dicom(PIXELS, InstanceNumber="7", syntax=syntax))
    assert (other.rows, other.columns, other.instance_number) == (3, 4, 7)
    assert other.study_uid == plain.study_uid


def test_without_preamble(build_dicom: Any) -> None:
    assert read_header(build_dicom(PIXELS, preamble=False)).rows == 3


@pytest.mark.parametrize(
    ("age", "years"),
    [("060Y", 60.0), ("006M", 0.5), ("010W", 0.19), ("060", 60.0), ("89Y", 89.0), ("102Y", 90.0)],
)
def test_ages(build_dicom: Any, age: str, years: float) -> None:
    assert read_header(build_dicom(PIXELS, PatientAge=age)).age_years == years


@pytest.mark.parametrize("age", ["", "old", "-5Y", "5 years", "1e3Y"])
def test_ages_that_are_none(build_dicom: Any, age: str) -> None:
    assert read_header(build_dicom(PIXELS, PatientAge=age)).age_years is None


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("CHEST", "CHEST"),
        ("chest^abdomen", "CHEST ABDOMEN"),
        ("C-SPINE", None),
        ("MUELLER HANS", None),
        ("CHEST MUELLER", None),
        ("", None),
    ],
)
def test_body_parts_are_anatomy_or_nothing(
    build_dicom: Any, written: str, read: str | None
) -> None:
    assert read_header(build_dicom(PIXELS, BodyPartExamined=written)).body_part == read


@pytest.mark.parametrize("agent", ["", "NONE", "no"])
def test_no_agent_is_not_contrast(build_dicom: Any, agent: str) -> None:
    assert read_header(build_dicom(PIXELS, ContrastBolusAgent=agent)).contrast is None


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"BurnedInAnnotation": "YES"}, True),
        ({"Modality": "US"}, True),
        ({"Modality": "US", "BurnedInAnnotation": "NO"}, False),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, True),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.2"}, True),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.4"}, False),
        ({}, False),
    ],
)
def test_identity_in_the_picture(
    build_dicom: Any, attributes: dict[str, str], expected: bool
) -> None:
    assert read_header(build_dicom(PIXELS, **attributes)).may_show_identity is expected


@pytest.mark.parametrize(
    "attributes",
    [
        {"Modality": "SEG"},
        {"Modality": "RTDOSE"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4", "Modality": "CT"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11", "Modality": "OT"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.481.3", "Modality": "OT"},
        {"Rows": None},
    ],
)
def test_objects_without_an_image_are_told_apart(
    build_dicom: Any, attributes: dict[str, Any]
) -> None:
    with pytest.raises(NotAnImageError):
        read_header(build_dicom(PIXELS, **attributes))


def test_an_unknown_modality_is_not_repeated_in_the_error(build_dicom: Any) -> None:
    with pytest.raises(NotAnImageError) as caught:
        read_header(build_dicom(PIXELS, Modality="MUELLER", Rows=None))
    assert "MUELLER" not in str(caught.value)


def test_of_two_hundred_planted_names_none_but_the_identifiers_comes_through(
    build_dicom: Any,
) -> None:
    text_vrs = {"PN", "LO", "SH", "LT", "ST", "UT", "CS", "AE"}
    from pydicom.datadict import dictionary_VM, dictionary_VR

    planted = {}
    for keyword in sorted(keyword_dict):
        tag = tag_for_keyword(keyword)
        assert tag is not None
        group_is_usual = 0x0008 <= tag >> 16 <= 0x0040
        if group_is_usual and dictionary_VR(tag) in text_vrs and dictionary_VM(tag) == "1":
            planted[keyword] = f"CANARY{len(planted)}"
    planted = {
        keyword: value
        for keyword, value in planted.items()
        if keyword not in ("SpecificCharacterSet", "PhotometricInterpretation")
    }
    assert len(planted) > 200
    header = read_header(build_dicom(PIXELS, **planted))
    assert "CANARY" not in repr(header)
    identifiers = {header.patient_id, header.study_uid, header.series_uid, header.instance_uid}
    assert identifiers == {planted["PatientID"], "1.2.3", "1.2.3.1", "1.2.3.4"}
    others = [getattr(header, name) for name in header.__slots__ if name != "patient_id"]
    assert "CANARY" not in repr(others)


def test_the_allow_list_names_no_person_date_or_free_text() -> None:
    from pydicom.datadict import dictionary_VR

    assert {dictionary_VR(tag) for tag in ALLOWED_TAGS} <= {"CS", "UI", "LO", "AS", "IS", "US"}


@pytest.mark.parametrize("cut", [0, 3, 131, 140, 200])
def test_cut_headers_are_refused(build_dicom: Any, cut: int) -> None:
    with pytest.raises(DecodeError):
        read_header(build_dicom(PIXELS)[:cut])


def test_missing_and_special_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name in ("absent", "empty", "."):
        with pytest.raises(DecodeError):
            read_header(tmp_path / name)


@given(st.binary(max_size=400))
def test_any_bytes_give_a_header_or_a_decode_error(noise: bytes) -> None:
    for raw in (noise, bytes(128) + b"DICM" + noise, b"\x08\0\x05\0CS" + noise):
        try:
            read_header(raw)
        except DecodeError:
            continue


@pytest.mark.parametrize("number", ["49.0", " 49 ", "+49", "49\\50"])
def test_odd_instance_numbers(build_dicom: Any, number: str) -> None:
    raw = build_dicom(PIXELS, InstanceNumber="4242")
    assert b"4242" in raw
    odd = raw.replace(b"4242", number.encode().ljust(4)[:4])
    assert read_header(odd).instance_number == 49

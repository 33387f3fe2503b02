import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.datasets.tcga import TCGA_KICH, TCGA_LUAD
from indexer.datasets.tcia import MAX_FRAMES_PER_FILE, TciaDataset
from indexer.errors import DatasetNotFoundError
from indexer.records import ImageRecord, Reject

Write = Callable[..., Path]
SERIES = "TCGA-LUAD/TCGA-17-Z011/06-30-1982-NA-NA-32248/5.000000-NA-07044"
METADATA = "Series UID,Collection,Modality,File Location\r\n"


def records_of(root: Path, dataset: TciaDataset = TCGA_LUAD) -> list[ImageRecord]:
    return [row for row in dataset.iter_rows(root) if isinstance(row, ImageRecord)]


def rejects_of(root: Path, dataset: TciaDataset = TCGA_LUAD) -> list[Reject]:
    return [row for row in dataset.iter_rows(root) if isinstance(row, Reject)]


def test_a_slice_becomes_a_record_under_pseudonyms(tmp_path: Path, write_dicom: Write) -> None:
    write_dicom(
        f"{SERIES}/1-020.dcm", PatientID="TCGA-17-Z011", InstanceNumber=20,
        BodyPartExamined="LUNG", PatientAge="069Y", PatientSex="M", SOPInstanceUID="1.2.3.77",
    )  # fmt: skip
    (record,) = records_of(tmp_path)
    assert record.image.path == f"{SERIES}/1-020.dcm" == record.source_path
    assert (record.modality, record.body_part, record.slice_number) == ("CT", "chest", 20)
    assert (record.age_years, record.sex, record.split) == (69.0, "M", "all")
    assert record.labels == ("lung adenocarcinoma", "lung")
    assert record.patient_id == record.case_id
    known = {record.record_id, record.case_id, str(record.study_id), str(record.series_id)}
    assert not [text for text in known if "1.2.3" in text or "17-Z011" in text]
    assert record.record_id == f"tcga_luad/all/{record.source_id}"
    assert len({record.source_id, record.case_id, record.study_id, record.series_id}) == 4


@pytest.mark.parametrize(
    "name",
    ["1-1.dcm", "1-1.DCM", "1-1", "1.2.840.113", "1-1.ima", "manifest-12/TCGA-LUAD/P/S/E/1-1.dcm",
     "TCGA-LUAD/1-1.dcm", "a/b/c/d/e/f/1-1.dcm"],
)  # fmt: skip
def test_any_nesting_and_any_suffix_will_do(tmp_path: Path, write_dicom: Write, name: str) -> None:
    write_dicom(name)
    assert [record.image.path for record in records_of(tmp_path)] == [name]


def test_slices_come_in_the_order_of_series_and_number(tmp_path: Path, write_dicom: Write) -> None:
    for name, number, series in [
        ("s/a.dcm", 10, "1.1"), ("s/b.dcm", 2, "1.1"), ("s/c.dcm", 1, "1.2"),
        ("s/d.dcm", None, "1.1"), ("s10/e.dcm", 1, "1.0"), ("s9/f.dcm", 1, "1.0"),
    ]:  # fmt: skip
        write_dicom(name, InstanceNumber=number, SeriesInstanceUID=series)
    names = [record.image.path for record in records_of(tmp_path)]
    assert names == ["s/b.dcm", "s/a.dcm", "s/d.dcm", "s/c.dcm", "s9/f.dcm", "s10/e.dcm"]


def test_the_first_folder_is_yielded_before_the_second_is_read(
    tmp_path: Path, write_dicom: Write
) -> None:
    write_dicom("a/1.dcm")
    write_dicom("b/1.dcm").with_suffix(".dcm").chmod(0o644)
    rows = TCGA_LUAD.iter_rows(tmp_path)
    assert isinstance(next(rows), ImageRecord)
    (tmp_path / "b/1.dcm").write_bytes(b"overwritten after the first row was taken")
    assert isinstance(next(rows), Reject)


def test_objects_without_an_image_are_skipped_by_their_class(
    tmp_path: Path, write_dicom: Write, write_text: Write
) -> None:
    write_dicom("s/1.dcm")
    write_dicom("s/2.dcm", SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4", Modality="SEG")
    write_dicom("s/3.dcm", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", Modality="SR")
    write_dicom("s/4.dcm", SOPClassUID="1.2.840.10008.5.1.4.1.1.481.3", Modality="RTSTRUCT")
    write_dicom("s/5.dcm", BurnedInAnnotation="YES")
    write_text("s/6.dcm", "not DICOM at all")
    write_text("s/LICENSE")
    write_text("s/notes.txt")
    write_text("s/.DS_Store")
    kinds = [(reject.path, reject.kind) for reject in rejects_of(tmp_path)]
    assert kinds == [
        ("s/2.dcm", "not_an_image"), ("s/3.dcm", "not_an_image"), ("s/4.dcm", "not_an_image"),
        ("s/5.dcm", "burned_in"), ("s/6.dcm", "undecodable"),
    ]  # fmt: skip
    assert len(records_of(tmp_path)) == 1


def test_a_multi_frame_file_is_one_record_a_frame(tmp_path: Path, write_dicom: Write) -> None:
    write_dicom("cine.dcm", NumberOfFrames=3)
    records = records_of(tmp_path)
    assert [record.image.frame for record in records] == [0, 1, 2]
    assert len({record.record_id for record in records}) == 3
    assert records[1].record_id.endswith(":0002")


def test_frames_beyond_the_limit_are_one_reject(tmp_path: Path, write_dicom: Write) -> None:
    write_dicom("cine.dcm", NumberOfFrames=MAX_FRAMES_PER_FILE + 8)
    assert len(records_of(tmp_path)) == MAX_FRAMES_PER_FILE
    (reject,) = rejects_of(tmp_path)
    assert "513 to 520" in reject.reason


def test_an_instance_without_identifiers_is_known_by_its_path(
    tmp_path: Path, write_dicom: Write
) -> None:
    for name in ("a.dcm", "b.dcm"):
        write_dicom(name, PatientID=None, StudyInstanceUID=None, SeriesInstanceUID=None)
    for path in tmp_path.iterdir():
        raw = path.read_bytes()
        at = raw.index(b"\x08\x00\x18\x00UI")
        path.write_bytes(raw[:at] + b"\x08\x00\x19\x00UI" + raw[at + 6 :])
    first, second = records_of(tmp_path)
    assert first.record_id != second.record_id
    assert first.case_id == first.source_id


def test_mr_in_a_collection_is_a_record_with_its_modality(
    tmp_path: Path, write_dicom: Write
) -> None:
    write_dicom("1.dcm", SOPClassUID="1.2.840.10008.5.1.4.1.1.4", Modality="MR")
    (record,) = records_of(tmp_path, TCGA_KICH)
    assert (record.modality, record.body_part) == ("MRI", "abdomen")


def test_of_several_collections_only_its_own_is_read(tmp_path: Path, write_dicom: Write) -> None:
    write_dicom("manifest-1/TCGA-LUAD/P/S/E/1.dcm")
    write_dicom("manifest-1/TCGA-LIHC/P/S/E/1.dcm")
    assert [r.image.path for r in records_of(tmp_path)] == ["manifest-1/TCGA-LUAD/P/S/E/1.dcm"]
    assert TCGA_KICH.detect(tmp_path) is None
    with pytest.raises(DatasetNotFoundError, match="NBIA Data Retriever"):
        TCGA_KICH.iter_rows(tmp_path)


def test_a_series_that_metadata_lists_and_that_is_not_there_is_a_reject(
    tmp_path: Path, write_dicom: Write, write_text: Write
) -> None:
    write_dicom("m/TCGA-LUAD/P/S/one/1.dcm", SeriesInstanceUID="1.1")
    write_text("m/TCGA-LUAD/P/S/broken/1.dcm", "not DICOM")
    write_text(
        "m/metadata.csv",
        METADATA
        + "1.1,TCGA-LUAD,CT,.\\TCGA-LUAD\\P\\S\\one\r\n"
        + "1.2,TCGA-LUAD,CT,./TCGA-LUAD/P/S/gone\r\n"
        + "1.3,TCGA-LUAD,SEG,./TCGA-LUAD/P/S/seg\r\n"
        + "1.4,TCGA-LIHC,MR,./TCGA-LIHC/P/S/other\r\n"
        + "1.5,TCGA-LUAD,CT,./TCGA-LUAD/P/S/broken\r\n"
        + ",TCGA-LUAD,CT,./TCGA-LUAD/P/S/none\r\n",
    )
    assert TCGA_LUAD.detect(tmp_path) == "tcia-tree+metadata"
    found = [(reject.path, reject.line, reject.kind) for reject in rejects_of(tmp_path)]
    assert found == [
        ("m/TCGA-LUAD/P/S/broken/1.dcm", None, "undecodable"),
        ("m/metadata.csv", 3, "missing_file"),
        ("m/metadata.csv", 7, "bad_row"),
    ]


def test_one_table_may_list_the_series_of_several_downloads(
    tmp_path: Path, write_dicom: Write, write_text: Write
) -> None:
    write_dicom("m1/TCGA-LUAD/P/S/E/1.dcm", SeriesInstanceUID="1.1")
    write_dicom("m2/TCGA-LUAD/P/S/E/1.dcm", SeriesInstanceUID="1.2")
    lines = [f"1.{n},TCGA-LUAD,CT,\r\n" for n in (1, 2, 3)]
    write_text("metadata.csv", METADATA + "".join(lines))
    assert len(records_of(tmp_path)) == 2
    assert [(reject.line, reject.kind) for reject in rejects_of(tmp_path)] == [(4, "missing_file")]


def test_a_metadata_table_without_series_is_not_taken_for_one(
    tmp_path: Path, write_dicom: Write, write_text: Write
) -> None:
    write_dicom("1.dcm")
    write_text("metadata.csv", "name,value\na,b\n")
    assert TCGA_LUAD.detect(tmp_path) == "tcia-tree"
    assert not rejects_of(tmp_path)


def test_a_file_name_that_is_not_utf8_is_a_reject(tmp_path: Path, write_dicom: Write) -> None:
    write_dicom("a.dcm").rename(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.dcm"))
    write_dicom("b.dcm")
    (reject,) = rejects_of(tmp_path)
    assert (reject.path, reject.kind) == ("caf?.dcm", "bad_reference")


def test_pseudonyms_follow_the_key(
    tmp_path: Path, write_dicom: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dicom("1.dcm")
    (public,) = records_of(tmp_path)
    monkeypatch.setenv("MEDSEARCH_PSEUDONYM_KEY", "a key of one hospital")
    (secret,) = records_of(tmp_path)
    assert public.case_id != secret.case_id
    assert public.record_id != secret.record_id


def test_a_folder_without_dicom_is_not_found(tmp_path: Path, write_text: Write) -> None:
    write_text("readme.md")
    write_text("picture", "no DICOM")
    assert TCGA_LUAD.detect(tmp_path) is None
    assert TCGA_LUAD.detect(tmp_path / "gone") is None


@pytest.mark.realdata
def test_the_genuine_tree_gives_a_record_a_slice(realdata_dir: Path) -> None:
    tcia = realdata_dir / "genuine/tcia"
    records = records_of(tcia / "TCGA-LUAD")
    assert len(records) == 6
    assert (
        Counter(record.case_id for record in records).most_common()
        == Counter(
            {
                records[0].case_id: 2,
                records[2].case_id: 2,
                records[4].case_id: 1,
                records[5].case_id: 1,
            }
        ).most_common()
    )
    assert [record.slice_number for record in records] == [20, 49, 25, 9, 17, 16]
    assert {record.body_part for record in records} == {"chest"}
    assert [r.record_id for r in records_of(tcia)] == [r.record_id for r in records]


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("collection", "count", "modality", "region"),
    [("TCGA-LIHC", 30, "MRI", "abdomen"), ("CPTAC-PDA", 6, "CT", None)],
)
def test_other_collections_read_alike(
    realdata_dir: Path, collection: str, count: int, modality: str, region: str | None
) -> None:
    dataset = TciaDataset(info=TCGA_KICH.info, collection=collection)
    rows = list(dataset.iter_rows(realdata_dir / "genuine/tcia"))
    records = [row for row in rows if isinstance(row, ImageRecord)]
    assert len(rows) == len(records) == count
    assert {record.modality for record in records} == {modality}
    assert len({record.series_id for record in records}) == 1
    numbers = [record.slice_number or 0 for record in records]
    assert numbers == sorted(numbers)
    if region:
        assert {record.body_part for record in records} == {region}


@pytest.mark.realdata
def test_every_file_of_a_mixed_folder_is_a_record_or_a_reject(realdata_dir: Path) -> None:
    folder = realdata_dir / "genuine/dicom"
    rows = list(TCGA_LUAD.iter_rows(folder))
    read = {row.path if isinstance(row, Reject) else row.image.path for row in rows}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.dcm")}
    assert read == there
    kinds = {row.kind for row in rows if isinstance(row, Reject)}
    assert kinds == {"not_an_image", "undecodable", "burned_in"}


def test_pictures_that_may_show_a_name_are_quarantined_unless_allowed(
    tmp_path: Path, write_dicom: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dicom("s/1.dcm", Modality="US", SOPClassUID="1.2.840.10008.5.1.4.1.1.6.1")
    write_dicom("s/2.dcm", Modality="OT", SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    write_dicom("s/3.dcm", BurnedInAnnotation="YES")
    write_dicom("s/4.dcm", Modality="US", BurnedInAnnotation="NO")
    assert [reject.kind for reject in rejects_of(tmp_path)] == ["burned_in"] * 3
    assert len(records_of(tmp_path)) == 1
    monkeypatch.setenv("MEDSEARCH_ALLOW_BURNED_IN", "1")
    assert rejects_of(tmp_path) == []
    assert len(records_of(tmp_path)) == 4

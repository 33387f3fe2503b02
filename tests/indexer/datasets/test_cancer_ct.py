from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer.datasets.cancer_ct import DATASETS
from indexer.errors import DatasetNotFoundError
from indexer.records import ImageRecord, Reject

Write = Callable[..., Path]
(CANCER_CT,) = DATASETS
HEADER = ",Age,Contrast,ContrastTag,raw_input_path,id,tiff_name,dicom_name\r\n"
ZERO, ONE, TWO = (
    f"ID_000{n}_AGE_00{age}_CONTRAST_{contrast}_CT"
    for n, age, contrast in ((0, 60, 1), (1, 69, 0), (2, 74, 1))
)


def row(number: int, stem: str, age: str = "60", contrast: str = "True") -> str:
    return f"{number},{age},{contrast},NONE,../a\\b.dcm,{number},{stem}.tif,{stem}.dcm\r\n"


def read(root: Path) -> tuple[list[ImageRecord], list[Reject]]:
    rows = list(CANCER_CT.iter_rows(root))
    records = [one for one in rows if isinstance(one, ImageRecord)]
    return records, [one for one in rows if isinstance(one, Reject)]


def write_archive(path: Path, numbers: list[int] | None) -> None:
    images = np.zeros((3, 2, 2), np.float32)
    if numbers is None:
        np.savez_compressed(path, image=images)
    else:
        np.savez_compressed(path, image=images, idx=np.array(numbers))


def test_a_slice_that_exists_three_times_is_one_record_of_the_best(
    tmp_path: Path, write_dicom: Write, write_text: Write
) -> None:
    write_text(
        "overview.csv",
        HEADER + row(0, ZERO) + row(1, ONE, "69", "False") + row(2, TWO) + row(3, "ID_0003"),
    )
    write_dicom(
        f"dicom_dir/{ZERO}.dcm", PatientID="TCGA-17-Z034", PatientAge="061Y", InstanceNumber=25,
        BodyPartExamined="LUNG",
    )  # fmt: skip
    for stem in (ZERO, ONE):
        write_text(f"tiff_images/{stem}.tif")
    write_archive(tmp_path / "full_archive.npz", [2, 0, 1])
    (zero, one, two), (missing,) = read(tmp_path)
    assert CANCER_CT.detect(tmp_path) == "overview+dicom+tiff+npz"
    assert [record.record_id for record in (zero, one, two)] == [
        "cancer_ct/all/ID_0000", "cancer_ct/all/ID_0001", "cancer_ct/all/ID_0002",
    ]  # fmt: skip
    assert zero.image.path == f"dicom_dir/{ZERO}.dcm"
    assert one.image.path == f"tiff_images/{ONE}.tif"
    assert (two.image.path, two.image.row) == ("full_archive.npz", 0)
    assert (zero.age_years, zero.contrast, zero.slice_number) == (60.0, True, 25)
    assert (one.age_years, one.contrast, one.case_id) == (69.0, False, "ID_0001")
    assert (zero.source_path, zero.source_line) == ("overview.csv", 2)
    assert zero.case_id == zero.patient_id != "ID_0000"
    assert one.patient_id is None
    assert "Z034" not in repr(zero)
    assert {record.modality for record in (zero, one, two)} == {"CT"}
    assert (missing.path, missing.line, missing.kind) == ("overview.csv", 5, "missing_file")


def test_without_overview_the_file_names_say_age_and_contrast(
    tmp_path: Path, write_text: Write
) -> None:
    write_text(f"tiff_images/tiff_images/{ONE}.TIF")
    write_text(f"tiff_images/{ZERO}.tif")
    (zero, one), rejects = read(tmp_path)
    assert (zero.age_years, zero.contrast, rejects) == (60.0, True, [])
    assert (one.age_years, one.contrast) == (69.0, False)
    assert one.source_path == f"tiff_images/tiff_images/{ONE}.TIF"


@pytest.mark.parametrize("numbers", [[0, 1, 2], None])
def test_the_archive_alone_will_do(tmp_path: Path, numbers: list[int] | None) -> None:
    write_archive(tmp_path / "full_archive.npz", numbers)
    records, rejects = read(tmp_path)
    assert [record.image.row for record in records] == [0, 1, 2]
    assert (records[2].record_id, records[2].contrast) == ("cancer_ct/all/ID_0002", None)
    assert rejects == []


def test_a_pickled_archive_is_never_opened(tmp_path: Path) -> None:
    np.savez(tmp_path / "full_archive.npz", image=np.array([{"a": 1}], dtype=object))
    assert CANCER_CT.detect(tmp_path) is None


def test_a_broken_dicom_is_a_reject_and_the_tiff_stands_in(
    tmp_path: Path, write_text: Write
) -> None:
    write_text("overview.csv", HEADER + row(0, ZERO))
    write_text(f"dicom_dir/{ZERO}.dcm", "not DICOM")
    write_text(f"tiff_images/{ZERO}.tif")
    (record,), (reject,) = read(tmp_path)
    assert record.image.path == f"tiff_images/{ZERO}.tif"
    assert (reject.path, reject.kind) == (f"dicom_dir/{ZERO}.dcm", "undecodable")


@pytest.mark.parametrize(
    ("age", "contrast", "expected"),
    [("", "", (60.0, True)), ("abc", "maybe", (60.0, True)), ("999", "False", (60.0, False)),
     ("95", "0", (90.0, False)), ("nan", "1", (60.0, True)), ("61.0", "true", (61.0, True))],
)  # fmt: skip
def test_what_overview_does_not_say_comes_from_the_name(
    tmp_path: Path, write_text: Write, age: str, contrast: str, expected: tuple[float, bool]
) -> None:
    write_text("overview.csv", HEADER + row(0, ZERO, age, contrast))
    write_text(f"tiff_images/{ZERO}.tif")
    (record,), _ = read(tmp_path)
    assert (record.age_years, record.contrast) == expected


def test_a_row_without_a_number_is_a_bad_row(tmp_path: Path, write_text: Write) -> None:
    write_text("overview.csv", HEADER + "x,60,True,NONE,a,,,\r\n" + "0,60\r\n" + row(0, ZERO))
    write_text(f"tiff_images/{ZERO}.tif")
    records, rejects = read(tmp_path)
    assert [(reject.line, reject.kind) for reject in rejects] == [(2, "bad_row"), (3, "bad_row")]
    assert len(records) == 1


def test_a_file_that_overview_leaves_out_is_read_as_well(tmp_path: Path, write_text: Write) -> None:
    write_text("overview.csv", HEADER + row(1, ONE))
    for stem in (ZERO, ONE):
        write_text(f"tiff_images/{stem}.tif")
    records, _ = read(tmp_path)
    assert [record.source_id for record in records] == [ONE, ZERO]


def test_an_empty_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="kaggle"):
        CANCER_CT.iter_rows(tmp_path)


@pytest.mark.realdata
def test_the_genuine_files_give_ten_slices_of_a_hundred(realdata_dir: Path) -> None:
    records, rejects = read(realdata_dir / "genuine/siim_ct")
    assert (len(records), len(rejects)) == (10, 90)
    assert {reject.kind for reject in rejects} == {"missing_file"}
    assert [record.source_id[:7] for record in records] == [
        f"ID_{number:04d}" for number in (0, 1, 2, 10, 25, 50, 60, 75, 90, 99)
    ]
    assert all(record.image.path.endswith(".dcm") for record in records)
    by_number = {record.source_id[:7]: record for record in records}
    assert by_number["ID_0060"].case_id == by_number["ID_0075"].case_id
    assert [record.contrast for record in records] == [True] * 5 + [False] * 5
    assert [record.age_years for record in records] == [60, 69, 74, 60, 74, 74, 80, 80, 67, 61]


@pytest.mark.realdata
def test_the_genuine_tiffs_stand_in_where_the_dicom_files_are_gone(
    realdata_dir: Path, tmp_path: Path
) -> None:
    genuine = realdata_dir / "genuine/siim_ct"
    (tmp_path / "overview.csv").write_bytes((genuine / "overview.csv").read_bytes())
    (tmp_path / "tiff_images").mkdir()
    for path in (genuine / "tiff_images").iterdir():
        (tmp_path / "tiff_images" / path.name).symlink_to(path)
    records, rejects = read(tmp_path)
    assert [record.record_id for record in records] == [
        "cancer_ct/all/ID_0000", "cancer_ct/all/ID_0001",
    ]  # fmt: skip
    assert len(rejects) == 98

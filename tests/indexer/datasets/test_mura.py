from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.datasets.mura import DATASETS
from indexer.errors import DatasetNotFoundError
from indexer.records import ImageRecord, Reject

Write = Callable[..., Path]
(MURA,) = DATASETS
STUDY = "valid/XR_WRIST/patient11185/study1_positive"
NORMAL = "valid/XR_ELBOW/patient00011/study2_negative"


def read(root: Path) -> tuple[list[ImageRecord], list[Reject]]:
    rows = list(MURA.iter_rows(root))
    records = [row for row in rows if isinstance(row, ImageRecord)]
    return records, [row for row in rows if isinstance(row, Reject)]


@pytest.fixture
def tree(tmp_path: Path, write_text: Write) -> Path:
    """Two studies with their images, as unpacked, without the tables."""
    for name in (f"{STUDY}/image1.png", f"{STUDY}/image2.png", f"{NORMAL}/image1.png"):
        write_text(f"MURA-v1.1/{name}")
    return tmp_path


def test_the_folders_alone_say_everything(tree: Path) -> None:
    (elbow, first, second), rejects = read(tree)
    assert (MURA.detect(tree), rejects) == ("folders", [])
    assert first.record_id == "mura/valid/XR_WRIST:patient11185:study1:image1"
    assert first.source_id == f"{STUDY}/image1.png"
    assert first.image.path == first.source_path == f"MURA-v1.1/{STUDY}/image1.png"
    assert (first.modality, first.body_part, first.caption) == ("X-ray", "wrist", None)
    assert (first.abnormal, first.labels) == (True, ("abnormal",))
    assert (elbow.abnormal, elbow.labels, elbow.body_part) == (False, ("normal",), "elbow")
    assert first.case_id == second.case_id == "XR_WRIST/patient11185/study1"
    assert first.patient_id == "patient11185"


@pytest.mark.parametrize("header", ["", "Img_Path\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("prefix", ["MURA-v1.1/", "", "/data/MURA-v1.1/"])
def test_the_tables_are_read_however_they_are_written(
    tree: Path, write_text: Write, header: str, newline: str, prefix: str
) -> None:
    rows = [f"{prefix}{STUDY}/image2.png", f"{prefix}{STUDY}/image1.png",
            f"{prefix}{NORMAL}/image1.png"]  # fmt: skip
    text = header + "".join(f"{row}\n" for row in rows)
    write_text("MURA-v1.1/valid_image_paths.csv", text.replace("\n", newline))
    records, rejects = read(tree)
    assert (MURA.detect(tree), rejects) == ("tables", [])
    assert [record.source_id for record in records] == [
        f"{STUDY}/image2.png", f"{STUDY}/image1.png", f"{NORMAL}/image1.png",
    ]  # fmt: skip
    assert records[0].source_path == "MURA-v1.1/valid_image_paths.csv"
    assert records[0].source_line == (2 if header else 1)


@pytest.mark.parametrize("slash", ["/", "", "\\"])
@pytest.mark.parametrize("header", ["", "Img_Path,Label\n"])
def test_the_labels_file_wins_over_the_folder(
    tree: Path, write_text: Write, slash: str, header: str
) -> None:
    write_text(
        "MURA-v1.1/valid_labeled_studies.csv",
        f"{header}MURA-v1.1/{STUDY}{slash},0\nMURA-v1.1/{NORMAL}{slash},1\n",
    )
    records, rejects = read(tree)
    assert rejects == []
    assert [record.abnormal for record in records] == [True, False, False]


def test_the_root_may_be_the_folder_itself_or_further_up(tree: Path) -> None:
    inner, _ = read(tree / "MURA-v1.1")
    outer, _ = read(tree)
    (tree / "archive").mkdir()
    (tree / "MURA-v1.1").rename(tree / "archive/MURA-v1.1")
    further, _ = read(tree)
    ids = [record.record_id for record in inner]
    assert len(ids) == 3
    assert ids == [record.record_id for record in outer] == [one.record_id for one in further]


def test_what_the_tables_name_and_what_they_leave_out(tree: Path, write_text: Write) -> None:
    write_text(
        "MURA-v1.1/valid_image_paths.csv",
        f"MURA-v1.1/{STUDY}/image2.png\nMURA-v1.1/{STUDY}/image9.png\n"
        f"MURA-v1.1/valid/XR_WRIST/../image1.png\n",
    )
    records, rejects = read(tree)
    assert [record.source_id for record in records] == [
        f"{STUDY}/image2.png", f"{NORMAL}/image1.png", f"{STUDY}/image1.png",
    ]  # fmt: skip
    assert [(reject.line, reject.kind) for reject in rejects] == [
        (2, "missing_file"), (3, "bad_row"),
    ]  # fmt: skip


def test_bad_labels_are_rejects_and_the_folder_decides(tree: Path, write_text: Write) -> None:
    write_text(
        "MURA-v1.1/valid_labeled_studies.csv",
        f"MURA-v1.1/{STUDY}/,maybe\nMURA-v1.1/nowhere/,1\nMURA-v1.1/{NORMAL}/,0\n",
    )
    records, rejects = read(tree)
    assert [reject.line for reject in rejects] == [1, 2]
    assert [record.abnormal for record in records] == [False, True, True]


def test_a_study_without_a_label_has_none(tmp_path: Path, write_text: Write) -> None:
    write_text("test/XR_HAND/patient1/study1/image1.png")
    ((record,), rejects) = read(tmp_path)
    assert (record.abnormal, record.labels, rejects) == (None, (), [])


def test_strays_are_passed_over_and_suffixes_may_differ(tree: Path, write_text: Write) -> None:
    write_text(f"MURA-v1.1/{STUDY}/._image1.png")
    write_text(f"MURA-v1.1/{STUDY}/Thumbs.db")
    write_text(f"__MACOSX/MURA-v1.1/{STUDY}/image1.png")
    write_text("MURA-v1.1/valid_image_paths.csv", f"MURA-v1.1/{STUDY}/image3.png\n")
    write_text(f"MURA-v1.1/{STUDY}/image3.JPG")
    records, rejects = read(tree)
    assert (len(records), rejects) == (4, [])
    assert records[0].image.path.endswith("image3.JPG")


def test_an_empty_folder_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"MURA-v1\.1\.zip"):
        MURA.iter_rows(tmp_path)


@pytest.mark.realdata
def test_the_genuine_tables_without_images_are_found_and_all_rejected(realdata_dir: Path) -> None:
    for folder, count, first_line in (
        ("mura", 3197, 1), ("mura/MURA-v1.1", 3197, 1), ("mura/variants_with_header", 10, 2),
    ):  # fmt: skip
        records, rejects = read(realdata_dir / "genuine" / folder)
        assert (len(records), len(rejects)) == (0, count)
        assert {reject.kind for reject in rejects} == {"missing_file"}
        assert rejects[0].line == first_line


@pytest.mark.realdata
def test_the_genuine_tables_with_a_tree_of_images_give_all_of_them(
    realdata_dir: Path, tmp_path: Path
) -> None:
    published = realdata_dir / "genuine/mura/MURA-v1.1"
    home = tmp_path / "MURA-v1.1"
    home.mkdir()
    for name in ("valid_image_paths.csv", "valid_labeled_studies.csv"):
        (home / name).write_bytes((published / name).read_bytes())
    for line in (published / "valid_image_paths.csv").read_text().splitlines():
        path = tmp_path / line
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    records, rejects = read(tmp_path)
    assert (len(records), rejects) == (3197, [])
    assert len({record.record_id for record in records}) == 3197
    assert len({record.case_id for record in records}) == 1199
    assert len({record.patient_id for record in records}) == 783
    assert Counter(record.body_part for record in records)["wrist"] == 659
    positive = "_positive/"
    assert all(record.abnormal == (positive in record.source_id) for record in records)

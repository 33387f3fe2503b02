import json
import re
from pathlib import Path
from typing import Any

import pytest

from indexer.datasets.own_images import OwnImages
from indexer.errors import DatasetNotFoundError
from indexer.records import ImageRecord, Reject

ROWS = [
    {"file": "images/a.jpg", "text": "Chest radiograph.", "modality": "X-ray", "body_part": "chest",
     "labels": ["normal"], "patient_id": "MRN-7", "age": 61, "sex": "male", "source": "here"},
    {"file": "images/gone.jpg"},
    {"file": "../outside.jpg"},
    {"text": "no file"},
    {"file": "images/b.jpg", "labels": "a; b", "age": "unknown"},
]  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for name in "ab":
        (tmp_path / "images" / f"{name}.jpg").write_bytes(b"x")
    (tmp_path / "records.jsonl").write_text("\n".join(map(json.dumps, ROWS)))
    return tmp_path


def test_each_row_is_a_record_or_a_reject(root: Path) -> None:
    first, gone, outside, nameless, last = OwnImages().iter_rows(root)
    assert isinstance(first, ImageRecord)
    assert first.record_id == "own_images/all/images:a.jpg"
    assert (first.age_years, first.sex, first.article_id) == (61.0, "M", None)
    assert first.labels == ("normal",)
    assert "MRN-7" not in repr(first)
    assert isinstance(gone, Reject)
    assert (gone.kind, gone.line) == ("missing_file", 2)
    assert isinstance(outside, Reject)
    assert "below" in outside.reason
    assert isinstance(nameless, Reject)
    assert isinstance(last, ImageRecord)
    assert (last.labels, last.age_years, last.case_id) == (("a", "b"), None, last.record_id)
    assert last.patient_id is None


def test_the_language_is_that_of_the_caption(root: Path) -> None:
    rows = [{"file": "images/a.jpg", "text": "胸部正位片"}, {"file": "images/b.jpg"}]
    (root / "records.jsonl").write_text("\n".join(map(json.dumps, rows)))
    chinese, bare = OwnImages().iter_rows(root)
    assert isinstance(chinese, ImageRecord)
    assert isinstance(bare, ImageRecord)
    assert (chinese.language, bare.language) == ("zh", "en")


def test_patients_get_pseudonyms_and_groups_keep_their_names(root: Path) -> None:
    rows = [
        {"file": "images/a.jpg", "patient_id": "7", "source": "here", "article_id": "PMC1"},
        {"file": "images/b.jpg", "patient_id": "7", "source": "here", "group": "x"},
        {"file": "images/a.jpg", "patient_id": "7", "source": "there"},
        {"file": "images/b.jpg", "group": "g1", "source": "here"},
    ]
    (root / "records.jsonl").write_text("\n".join(map(json.dumps, rows)))
    one, same, other, grouped = OwnImages().iter_rows(root)
    assert re.fullmatch("[a-z2-7]{16}", one.patient_id)
    assert one.patient_id == one.case_id == same.patient_id != other.patient_id
    assert (one.article_id, grouped.case_id, grouped.patient_id) == ("PMC1", "here:g1", None)


@pytest.mark.parametrize(
    ("stated", "year"),
    [(2021, 2021), ("2021", 2021), (2021.0, 2021), (21, None), ("May 2021", None), (None, None)],
)
def test_a_year_is_one_of_four_digits(root: Path, stated: object, year: int | None) -> None:
    (root / "records.jsonl").write_text(json.dumps({"file": "images/a.jpg", "year": stated}))
    [record] = OwnImages().iter_rows(root)
    assert isinstance(record, ImageRecord)
    assert record.year == year


def test_dicom_files_that_may_show_a_name_are_quarantined(
    tmp_path: Path, write_dicom: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dicom("scan.dcm")
    write_dicom("scout.dcm", BurnedInAnnotation="YES")
    write_dicom("echo", Modality="US", SOPClassUID="1.2.840.10008.5.1.4.1.1.3.1")
    rows = [{"file": name} for name in ("scan.dcm", "scout.dcm", "echo")]
    (tmp_path / "records.jsonl").write_text("\n".join(map(json.dumps, rows)))
    scan, scout, echo = OwnImages().iter_rows(tmp_path)
    assert isinstance(scan, ImageRecord)
    for line, one in ((2, scout), (3, echo)):
        assert isinstance(one, Reject)
        assert (one.kind, one.line, one.of_scan) == ("burned_in", line, True)
    monkeypatch.setenv("MEDSEARCH_ALLOW_BURNED_IN", "1")
    assert all(isinstance(one, ImageRecord) for one in OwnImages().iter_rows(tmp_path))


def test_a_folder_without_a_table_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"records\.jsonl"):
        OwnImages().iter_rows(tmp_path)

"""A mirror of a PACS as a dataset; how it comes about is tested in `tests/indexer/pacs`."""

import json
from pathlib import Path
from typing import Any

import pytest

from indexer.datasets.mirror_layout import JOURNAL, REFUSED_TABLE
from indexer.datasets.pacs import PacsMirror
from indexer.errors import DatasetNotFoundError
from indexer.records import ImageRecord, Reject


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    (tmp_path / JOURNAL).parent.mkdir()
    (tmp_path / JOURNAL).touch()
    return tmp_path


def test_slices_come_in_order_and_what_could_not_be_had_is_told(
    mirror: Path, write_dicom: Any
) -> None:
    for name, number in (("a", 2), ("b", 1)):
        write_dicom(f"study/series/{name}.dcm", InstanceNumber=number)
    refused = {"file": "study/series/c.dcm", "reason": "the PACS answered 500"}
    (mirror / REFUSED_TABLE).write_text(json.dumps(refused))
    first, second, absent = PacsMirror().named("ward").iter_rows(mirror)
    assert isinstance(first, ImageRecord)
    assert isinstance(second, ImageRecord)
    assert (first.slice_number, second.slice_number, first.dataset) == (1, 2, "ward")
    assert isinstance(absent, Reject)
    assert (absent.kind, absent.line) == ("missing_file", 1)


def test_pictures_that_may_show_a_name_are_quarantined(
    mirror: Path, write_dicom: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dicom("study/us/a.dcm", Modality="US", SOPClassUID="1.2.840.10008.5.1.4.1.1.6.1")
    write_dicom("study/sc/b.dcm", Modality="OT", SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    write_dicom("study/ct/c.dcm", BurnedInAnnotation="YES")
    write_dicom("study/ct/d.dcm", BurnedInAnnotation="NO")
    rows = list(PacsMirror().iter_rows(mirror))
    kinds = [row.kind for row in rows if isinstance(row, Reject)]
    assert kinds == ["burned_in"] * 3
    monkeypatch.setenv("MEDSEARCH_ALLOW_BURNED_IN", "1")
    assert all(isinstance(row, ImageRecord) for row in PacsMirror().iter_rows(mirror))


def test_a_folder_that_is_no_mirror_is_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError):
        PacsMirror().iter_rows(tmp_path)

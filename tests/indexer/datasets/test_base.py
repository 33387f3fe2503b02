from dataclasses import replace
from pathlib import Path

import pytest

from indexer.datasets.base import Dataset, DatasetInfo, locate, not_found, parse_rows
from indexer.datasets.mura import INFO, MuraDataset
from indexer.errors import BadRecordError, DatasetNotFoundError
from indexer.records import Reject, TextRecord


@pytest.mark.parametrize("name", DatasetInfo.__slots__)
def test_metadata_left_empty_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        replace(INFO, **{name: () if isinstance(getattr(INFO, name), tuple) else ""})


def test_the_first_folder_must_bear_the_name() -> None:
    with pytest.raises(ValueError, match="first folder"):
        replace(INFO, folders=("MURA-v1.1", "mura"))


def test_a_dataset_is_what_has_its_members() -> None:
    assert isinstance(MuraDataset(), Dataset)
    assert not isinstance(INFO, Dataset)


def test_the_first_folder_that_is_there_is_the_one(tmp_path: Path) -> None:
    assert locate(INFO, tmp_path) is None
    (tmp_path / "MURA-v1.1").mkdir()
    assert locate(INFO, tmp_path) == tmp_path / "MURA-v1.1"
    (tmp_path / "mura").mkdir()
    assert locate(INFO, tmp_path) == tmp_path / "mura"


def test_a_file_of_that_name_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "mura").touch()
    assert locate(INFO, tmp_path) is None


def test_not_found_says_what_is_expected_and_how_to_get_it(tmp_path: Path) -> None:
    error = not_found(INFO, tmp_path)
    assert isinstance(error, DatasetNotFoundError)
    assert isinstance(error, FileNotFoundError)
    assert INFO.layout in error.remedy
    assert INFO.access in error.remedy


def test_a_row_that_cannot_be_parsed_is_a_reject_and_the_rest_goes_on() -> None:
    passed_on = Reject(path="t.csv", line=1, reason="not UTF-8")

    def parse(number: int) -> TextRecord:
        if number == 2:
            raise BadRecordError("t.csv", 3, "no answer")
        return TextRecord(
            record_id=f"x/all/{number}", dataset="x", split="all", source_id=str(number),
            source_path="t.csv", case_id="c", licence="MIT", question="q", answer="a",
        )  # fmt: skip

    first, second, third, fourth = parse_rows([passed_on, 1, 2, 3], parse)
    assert first is passed_on
    assert third == Reject(path="t.csv", line=3, reason="no answer")
    assert isinstance(second, TextRecord)
    assert isinstance(fourth, TextRecord)

import csv
import io
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import SourceFailedError
from indexer.fetching.nbia_series import (
    Series,
    choose_series,
    clean_name,
    parse_count,
    parse_series,
    place_series,
    write_metadata,
)

# A row as version 4 of the service gives it (values of a public series of TCGA-LUAD).
ROW = {
    "SeriesInstanceUID": "1.3.6.1.4.1.14519.5.2.1.7777.9002.264263398279563026271588167180",
    "StudyInstanceUID": "1.3.6.1.4.1.14519.5.2.1.7777.9002.198875990135120958338463421999",
    "Modality": "CT",
    "SeriesDescription": "Chest #1",
    "SeriesNumber": 2,
    "Collection": "TCGA-LUAD",
    "PatientID": "TCGA-17-Z013",
    "ImageCount": "54",
    "FileSize": 28412345.0,
    "StudyDesc": None,
    "StudyDate": "1982-08-14 00:00:00.0",
}


def make(number: int, patient: str = "P", images: int = 1, **changes: object) -> Series:
    return parse_series(
        ROW | {"SeriesInstanceUID": f"1.2.{number}", "PatientID": patient, "ImageCount": images}
        | changes
    )  # fmt: skip


def test_a_row_is_read_and_placed_as_the_retriever_places_it() -> None:
    series = parse_series(ROW)
    assert (series.images, series.size_bytes) == (54, 28_412_345)
    assert series.folder == (
        "TCGA-LUAD/TCGA-17-Z013/08-14-1982-NA-NA-21999/2.000000-Chest #1-67180"
    )


@pytest.mark.parametrize("uid", ["", "../../etc", "1.2.3/4", "x" * 64, "1" * 65])
def test_a_series_without_a_valid_uid_is_refused(uid: str) -> None:
    with pytest.raises(SourceFailedError):
        parse_series(ROW | {"SeriesInstanceUID": uid})


@given(st.text())
def test_a_name_is_one_part_of_a_path_whatever_the_text(text: str) -> None:
    name = clean_name(text)
    assert PurePosixPath("root", name).parts == ("root", name)
    assert name not in {"", ".", ".."}
    assert not set(name) & set('/\\:*?"<>|\0')
    assert not name.startswith(".")


@given(
    st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 3)), max_size=12),
    st.integers(1, 12),
)
def test_a_larger_limit_holds_a_smaller_one_and_no_patient_comes_twice_too_soon(
    kinds: list[tuple[str, int]], limit: int
) -> None:
    offered = [make(number, patient, images) for number, (patient, images) in enumerate(kinds)]
    chosen = choose_series(offered, limit)
    assert chosen == choose_series(offered, limit + 1)[:limit]
    assert chosen == choose_series(offered[::-1], limit)
    counts = [sum(one.patient_id == patient for one in chosen) for patient in "ABC"]
    offered_counts = [sum(one.patient_id == patient for one in offered) for patient in "ABC"]
    for taken, there in zip(counts, offered_counts, strict=True):
        assert taken == there or taken >= max(counts) - 1


def test_the_largest_series_of_a_patient_comes_first() -> None:
    localiser, chest = make(1, images=2), make(2, images=300)
    assert choose_series([localiser, chest], 1) == [chest]


def test_two_series_never_share_a_folder() -> None:
    twins = [make(100_001), make(200_001), make(3)]
    folders = place_series(twins)
    assert len(set(folders.values())) == 3
    assert folders["1.2.100001"].endswith("-1.2.100001")


def test_the_metadata_lists_each_series_with_its_folder() -> None:
    series = parse_series(ROW)
    text = write_metadata([(series, "a/b")], "2026-01-01T00:00:00+00:00").decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["Series UID"] == series.uid
    assert row["File Location"] == "./a/b"
    assert row["File Size"] == "28.41 MB"


@pytest.mark.parametrize(
    ("value", "count"),
    [("5.000000", 5), (5, 5), ("0", 0), (None, None), ("", None), ("-1", None), ("inf", None)],
)
def test_numbers_of_the_service_are_read_however_written(value: object, count: int | None) -> None:
    assert parse_count(value) == count

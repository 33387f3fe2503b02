"""One body of tests over every dataset: what the build relies on, whatever the format."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from indexer.datasets.base import Dataset, locate
from indexer.datasets.registry import all_datasets, get_dataset
from indexer.errors import DatasetNotFoundError
from indexer.records import ImageRecord, Record, Reject, Row, TextRecord, make_record_id
from tests.contracts.dataset_specimens import SPECIMENS, Specimen


@pytest.fixture(params=SPECIMENS, ids=lambda specimen: specimen.name)
def specimen(request: pytest.FixtureRequest) -> Specimen:
    chosen = request.param
    assert isinstance(chosen, Specimen)
    return chosen


@pytest.fixture
def dataset(specimen: Specimen) -> Dataset:
    return get_dataset(specimen.name)


@pytest.fixture
def root(specimen: Specimen, tmp_path: Path) -> Path:
    folder = tmp_path / "somewhere" / specimen.name
    folder.mkdir(parents=True)
    specimen.write(folder)
    return folder


def records_of(rows: list[Row]) -> list[Record]:
    return [row for row in rows if isinstance(row, Record)]


def test_every_dataset_is_held_to_this_contract() -> None:
    assert {specimen.name for specimen in SPECIMENS} == set(all_datasets())


def test_its_metadata_is_filled_and_points_somewhere(dataset: Dataset) -> None:
    info = dataset.info
    assert re.fullmatch(r"[a-z][a-z0-9_]*", info.name)
    for url in (info.homepage, info.licence_url):
        assert urlsplit(url).scheme == "https", url
        assert urlsplit(url).netloc, url
    assert len(info.description) > 40
    assert info.folders[0] == info.name
    assert len(set(info.folders)) == len(info.folders)


def test_the_counts_and_some_records_are_right(
    specimen: Specimen, dataset: Dataset, root: Path
) -> None:
    rows = list(dataset.iter_rows(root))
    records = records_of(rows)
    rejects = [(row.path, row.line, row.kind) for row in rows if isinstance(row, Reject)]
    assert sorted(rejects, key=str) == sorted(specimen.rejects, key=str)
    assert len(records) == specimen.records
    assert len(rows) == len(records) + len(rejects)
    for position, values in specimen.expected.items():
        found = {name: getattr(records[position], name) for name in values}
        assert found == values


def test_records_are_whole_and_their_ids_unique(dataset: Dataset, root: Path) -> None:
    records = records_of(list(dataset.iter_rows(root)))
    kind = ImageRecord if dataset.info.kind == "image" else TextRecord
    assert {type(record) for record in records} == {kind}
    ids = [record.record_id for record in records]
    assert len(set(ids)) == len(ids)
    for record in records:
        name, split, native_id = record.record_id.split("/")
        assert (name, split) == (dataset.info.name, record.split)
        assert make_record_id(name, split, native_id) == record.record_id
        assert record.dataset == name
        assert record.case_id
        assert record.source_id
        assert record.licence
        assert (root / record.source_path).is_file()
        assert not Path(record.source_path).is_absolute()


def test_an_image_is_where_the_record_says(dataset: Dataset, root: Path) -> None:
    for record in records_of(list(dataset.iter_rows(root))):
        if isinstance(record, ImageRecord):
            assert (root / record.image.path).is_file()
            assert ".." not in Path(record.image.path).parts


def test_no_row_betrays_the_machine_or_the_patient(dataset: Dataset, root: Path) -> None:
    for row in dataset.iter_rows(root):
        assert "somewhere" not in repr(row)
        if isinstance(row, Record):
            known = f"{row.record_id} {row.source_id} {row.case_id} {row.labels}"
            assert "17-Z011" not in known
            assert "1.2.3" not in known


def test_reading_twice_gives_equal_rows(dataset: Dataset, root: Path) -> None:
    assert list(dataset.iter_rows(root)) == list(dataset.iter_rows(root))


def test_a_copy_elsewhere_gives_equal_rows(dataset: Dataset, root: Path, tmp_path: Path) -> None:
    copy = tmp_path / "another folder" / "copy"
    shutil.copytree(root, copy)
    assert list(dataset.iter_rows(copy)) == list(dataset.iter_rows(root))
    assert dataset.detect(copy) == dataset.detect(root)


def test_the_order_does_not_depend_on_the_file_system(
    dataset: Dataset, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = list(dataset.iter_rows(root))
    scandir, listdir = os.scandir, os.listdir

    class Backwards:
        """What os.scandir returns, in the opposite order."""

        def __init__(self, path: Any = ".") -> None:
            with scandir(path) as entries:
                self._entries = iter(sorted(entries, key=lambda entry: entry.name)[::-1])

        def __enter__(self) -> "Backwards":
            return self

        def __exit__(self, *details: object) -> None: ...

        def __iter__(self) -> Iterator[os.DirEntry[str]]:
            return self._entries

        def __next__(self) -> os.DirEntry[str]:
            return next(self._entries)

        def close(self) -> None: ...

    monkeypatch.setattr(os, "scandir", Backwards)
    monkeypatch.setattr(os, "listdir", lambda path=".": sorted(listdir(path))[::-1])
    assert list(dataset.iter_rows(root)) == rows


def test_what_operating_systems_leave_behind_changes_nothing(dataset: Dataset, root: Path) -> None:
    rows = list(dataset.iter_rows(root))
    files = [path for path in root.rglob("*") if path.is_file()]
    for path in files:
        path.with_name(f"._{path.name}").write_bytes(b"resource fork")
        path.with_name(".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        twin = root / "__MACOSX" / path.relative_to(root).parent / f"._{path.name}"
        twin.parent.mkdir(parents=True, exist_ok=True)
        twin.write_bytes(b"resource fork")
    assert list(dataset.iter_rows(root)) == rows


def test_rows_come_one_by_one(dataset: Dataset, root: Path) -> None:
    rows = dataset.iter_rows(root)
    assert iter(rows) is rows
    first = next(rows)
    assert [first, *rows] == list(dataset.iter_rows(root))


def test_what_is_there_is_detected(specimen: Specimen, dataset: Dataset, root: Path) -> None:
    assert dataset.detect(root)
    assert locate(dataset.info, root.parent) == root


def test_what_is_not_there_says_how_to_get_it(dataset: Dataset, tmp_path: Path) -> None:
    for missing in (tmp_path, tmp_path / "gone"):
        assert dataset.detect(missing) is None
        with pytest.raises(DatasetNotFoundError) as caught:
            next(dataset.iter_rows(missing))
        assert dataset.info.access in caught.value.remedy
        assert dataset.info.layout in caught.value.remedy

"""Builds that earlier programs wrote still open."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from indexer.store.arrays import read_array
from indexer.store.files import sha256_of
from indexer.store.manifest import FORMAT_VERSION, MANIFEST_NAME, FileEntry, read_manifest
from indexer.store.reader import IndexReader
from indexer.store.records import IMAGE_SCHEMA
from indexer.store.shards import RECORDS_NAME, read_table
from indexer.store.subset import Subset
from service.retrieval.columns import BuildColumns
from service.retrieval.facets import count_facets
from service.retrieval.filters import Comparison, evaluate
from tests.indexer.store.conftest import Build, plan, record
from tests.indexer.store.faiss_file import write_faiss_file


def write_as_format_1(folder: Path) -> None:
    """Make a build what the program of format 1 would have written."""
    write_without(folder, ["patient_id", "article_id", "year"], 1)


def write_as_format_3(folder: Path) -> None:
    """Make a build what the program of format 3 would have written."""
    write_without(folder, ["year"], 3)


def write_without(folder: Path, columns: list[str], version: int) -> None:
    path = folder / RECORDS_NAME
    table = read_table(path).drop_columns(columns)
    batches = table.to_batches()
    path.unlink()
    with pa.OSFile(str(path), "wb") as stream, pa.ipc.new_file(stream, table.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    manifest = read_manifest(folder)
    files = {**manifest.files, RECORDS_NAME: entry_of(path)}
    older = dataclasses.replace(manifest, format_version=version, files=files)
    (folder / MANIFEST_NAME).write_text(older.to_json(), "utf-8")


def write_as_format_2(folder: Path) -> None:
    """Make a build of lists what the program of format 2 would have written."""
    manifest = read_manifest(folder)
    files, fields = dict(manifest.files), dict(manifest.fields)
    for name, field in manifest.fields.items():
        for part in ("lists", "directions", "centres", "starts"):
            (folder / f"{name}.{part}.npy").unlink()
            del files[f"{name}.{part}.npy"]
        path = folder / f"{name}.faiss"
        structure = write_faiss_file(np.array(read_array(folder / f"{name}.vectors.npy")), path)
        files[path.name] = entry_of(path)
        fields[name] = dataclasses.replace(field, structure=structure)
    older = dataclasses.replace(manifest, format_version=2, files=files, fields=fields)
    (folder / MANIFEST_NAME).write_text(older.to_json(), "utf-8")


def entry_of(path: Path) -> FileEntry:
    return FileEntry(sha256=sha256_of(path), size_bytes=path.stat().st_size)


@pytest.mark.parametrize(
    ("write_as_earlier", "missing"),
    [(write_as_format_1, ("patient_id", "article_id", "year")), (write_as_format_3, ("year",))],
)
def test_a_build_that_lacks_columns_opens_and_states_nothing_in_them(
    build: Build,
    tmp_path: Path,
    write_as_earlier: Callable[[Path], None],
    missing: tuple[str, ...],
) -> None:
    write_as_earlier(build().folder)
    reader = IndexReader.open(tmp_path / "tiny")
    assert reader.manifest.format_version < FORMAT_VERSION
    assert [reader.record(row) for row in range(40)] == [record(number) for number in range(40)]
    columns = BuildColumns(reader.table)
    for name in missing:
        value = 2021 if name == "year" else "p1"
        assert not evaluate(Comparison(name, "eq", value), columns).any()
    assert count_facets({"year": [None]}, [columns]) == {"year": ()}


def test_a_build_of_format_2_opens_and_is_searched_by_its_faiss_files(
    build: Build, tmp_path: Path, vectors: np.ndarray
) -> None:
    write_as_format_2(build(flat_limit=10).folder)
    reader = IndexReader.open(tmp_path / "tiny")
    assert reader.manifest.fields["image"].structure.kind == "ivf_sq8"
    odd = np.arange(40) % 2 == 1
    for query in vectors[:5]:
        [found] = reader.search("image", query[np.newaxis], 7, allowed=Subset(odd))
        assert found.rows.tolist() == np.argsort(-(vectors[:40] @ query) + 9.0 * ~odd)[:7].tolist()
        [near] = reader.search("image", query[np.newaxis], 7)
        assert len(near) == 7


@pytest.mark.parametrize(
    "write_as_earlier", [write_as_format_1, write_as_format_2, write_as_format_3]
)
def test_a_rebuild_of_the_same_content_writes_the_present_format(
    build: Build, tmp_path: Path, write_as_earlier: Callable[[Path], None]
) -> None:
    earlier = build(flat_limit=10)
    write_as_earlier(earlier.folder)
    rebuilt = build(flat_limit=10)
    assert not rebuilt.unchanged
    assert rebuilt.manifest.format_version == FORMAT_VERSION
    reader = IndexReader.open(tmp_path / "tiny")
    assert reader.build_id == rebuilt.manifest.build_id != earlier.manifest.build_id
    assert read_table(reader.folder / RECORDS_NAME).column_names == IMAGE_SCHEMA.names
    assert reader.manifest.fields["image"].structure.kind == "code_lists"
    assert build(flat_limit=10).unchanged


def test_shards_of_another_format_are_not_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    now = plan().digest()
    monkeypatch.setattr("indexer.store.plan.FORMAT_VERSION", 1)
    assert plan().digest() != now

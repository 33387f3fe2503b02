"""Builds that earlier programs wrote still open."""

import dataclasses
from pathlib import Path

import pyarrow as pa
import pytest

from indexer.store.files import sha256_of
from indexer.store.manifest import MANIFEST_NAME, FileEntry, read_manifest
from indexer.store.reader import IndexReader
from indexer.store.shards import RECORDS_NAME, read_table
from service.retrieval.columns import BuildColumns
from service.retrieval.filters import Comparison, evaluate
from tests.indexer.store.conftest import Build, plan, record


def write_as_format_1(folder: Path) -> None:
    """Make a build what the program of format 1 would have written."""
    path = folder / RECORDS_NAME
    table = read_table(path).drop_columns(["patient_id", "article_id"])
    batches = table.to_batches()
    path.unlink()
    with pa.OSFile(str(path), "wb") as stream, pa.ipc.new_file(stream, table.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    manifest = read_manifest(folder)
    entry = FileEntry(sha256=sha256_of(path), size_bytes=path.stat().st_size)
    files = {**manifest.files, RECORDS_NAME: entry}
    older = dataclasses.replace(manifest, format_version=1, files=files, content_hash="1" * 64)
    (folder / MANIFEST_NAME).write_text(older.to_json(), "utf-8")


def test_a_build_of_format_1_opens_and_states_no_patient_and_no_article(
    build: Build, tmp_path: Path
) -> None:
    write_as_format_1(build().folder)
    reader = IndexReader.open(tmp_path / "tiny")
    assert reader.manifest.format_version == 1
    assert [reader.record(row) for row in range(40)] == [record(number) for number in range(40)]
    columns = BuildColumns(reader.table)
    assert not evaluate(Comparison("patient_id", "eq", "p1"), columns).any()


def test_a_rebuild_writes_the_present_format(build: Build, tmp_path: Path) -> None:
    write_as_format_1(build().folder)
    assert build().manifest.format_version == 2
    assert "patient_id" in IndexReader.open(tmp_path / "tiny").table.column_names


def test_shards_of_another_format_are_not_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    now = plan().digest()
    monkeypatch.setattr("indexer.store.plan.FORMAT_VERSION", 1)
    assert plan().digest() != now

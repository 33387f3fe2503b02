import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.store import merge
from indexer.store.arrays import read_array
from indexer.store.shards import finished_shards, write_shard
from tests.indexer.store.conftest import DIM, record, shard


def merged(folder: Path, cuts: list[int], vectors: np.ndarray) -> dict[str, bytes]:
    """Write 40 records as shards that end at the cuts, merge them, return the files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    edges = [0, *sorted(cuts), 40]
    for number, (start, end) in enumerate(pairwise(edges)):
        write_shard(folder, number, shard(list(range(start, end)), vectors, duplicates=0), "image")
    shards = finished_shards(folder)
    build = folder / "build"
    build.mkdir()
    assert merge.merge_records(shards, build / "records.arrow", "image") == 40
    assert merge.merge_thumbnails(shards, build / "thumbnails.arrow") == 40
    assert merge.merge_field(shards, build, "image", DIM) == 40
    merge.merge_field(shards, build, "caption", DIM)
    merge.write_record_ids(build / "records.arrow", build / "record_ids.npy")
    return {path.name: path.read_bytes() for path in sorted(build.iterdir())}


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=8
)
@given(cuts=st.lists(st.integers(0, 40), max_size=4), batch=st.sampled_from([1, 3, 7, 40, 4096]))
def test_how_rows_were_cut_into_shards_does_not_show_in_a_single_byte(
    tmp_path: Path, vectors: np.ndarray, cuts: list[int], batch: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "_BATCH_ROWS", batch)
        whole = merged(tmp_path / "whole", [], vectors)
        assert merged(tmp_path / "cut", cuts, vectors) == whole


def test_records_vectors_and_ids_stay_in_step(tmp_path: Path, vectors: np.ndarray) -> None:
    merged(tmp_path / "all", [7, 7, 20], vectors)
    build = tmp_path / "all" / "build"
    assert list(merge.iter_records(build / "records.arrow")) == [record(n) for n in range(40)]
    assert (read_array(build / "image.vectors.npy") == vectors).all()
    rows = read_array(build / "caption.rows.npy")
    assert rows.tolist() == [n for n in range(40) if n % 3]
    assert (read_array(build / "caption.vectors.npy") == -vectors[rows]).all()
    table = read_array(build / "record_ids.npy")
    assert (np.diff(table[:, 0].astype(object)) > 0).all()
    for digest, row in table.tolist():
        assert digest == merge.id_digest(f"tiny/all/{row}")


def test_no_shards_make_an_empty_build(tmp_path: Path) -> None:
    assert merge.merge_records([], tmp_path / "records.arrow", "text") == 0
    assert merge.merge_field([], tmp_path, "question", DIM) == 0
    assert read_array(tmp_path / "question.vectors.npy").shape == (0, DIM)
    assert list(merge.iter_records(tmp_path / "records.arrow")) == []

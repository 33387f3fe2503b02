import json
import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import BuildLockedError
from indexer.store.reader import IndexReader
from indexer.store.writer import BuildWriter
from tests.indexer.store.conftest import Build, plan, shard


def test_a_build_holds_what_was_put_into_it(build: Build, tmp_path: Path) -> None:
    published = build()
    assert published.manifest.counts.records == 40
    assert published.manifest.counts.duplicates == 1
    assert published.manifest.counts.rejects == {"bad_row": 2}
    assert published.manifest.counts.rows == 43
    reader = IndexReader.open(tmp_path / "tiny")
    assert reader.build_id == published.manifest.build_id
    rejects = (published.folder / "rejects.jsonl").read_text().splitlines()
    assert json.loads(rejects[1]) == {
        "path": "rows.csv", "line": 1, "reason": "broken", "kind": "bad_row",
    }  # fmt: skip
    assert not (tmp_path / "tiny" / ".staging").exists()


def test_how_rows_were_cut_into_shards_does_not_show(build: Build, tmp_path: Path) -> None:
    first = build((range(25), range(25, 40)), source_digest="a")
    second = build((range(10), range(10, 25), range(25, 40)), source_digest="b")
    assert second.unchanged
    assert second.manifest.build_id == first.manifest.build_id


def test_other_vectors_or_another_encoder_are_another_content(
    build: Build, vectors: np.ndarray
) -> None:
    first = build()
    vectors[3, 0] = np.nextafter(vectors[3, 0], np.float32(2))
    second = build(source_digest="b")
    assert not second.unchanged
    assert second.manifest.content_hash != first.manifest.content_hash


def test_the_same_plan_goes_on_where_it_stopped(tmp_path: Path, vectors: np.ndarray) -> None:
    with BuildWriter.open(tmp_path, plan()) as writer:
        writer.add_shard(shard(list(range(25)), vectors))
    with BuildWriter.open(tmp_path, plan()) as writer:
        assert (writer.finished_shards, writer.rows_consumed, writer.records) == (1, 26, 25)
        assert not writer.seen.claim("tiny/all/3", "other")
        assert writer.seen.first_with_content("other") is None
        assert writer.seen.claim("tiny/all/30", "other")
        assert writer.seen.first_with_content(f"{3:032d}") == "tiny/all/3"
    with BuildWriter.open(tmp_path, plan(source_digest="other")) as writer:
        assert writer.finished_shards == 0


def test_a_half_written_shard_does_not_count(tmp_path: Path, vectors: np.ndarray) -> None:
    with BuildWriter.open(tmp_path, plan()) as writer:
        writer.add_shard(shard(list(range(25)), vectors))
        partial = tmp_path / "tiny" / ".staging" / "shard-000001.partial"
        partial.mkdir()
        (partial / "records.arrow").write_bytes(b"half")
    with BuildWriter.open(tmp_path, plan()) as writer:
        assert writer.finished_shards == 1
        writer.add_shard(shard(list(range(25, 40)), vectors))
        assert writer.publish([]).manifest.counts.records == 40


def test_a_second_build_at_once_is_refused(tmp_path: Path) -> None:
    with BuildWriter.open(tmp_path, plan()):
        context = multiprocessing.get_context("spawn")
        with context.Pool(1) as pool:
            assert pool.apply(_is_locked, (tmp_path,))
    with BuildWriter.open(tmp_path, plan()):
        pass


def _is_locked(folder: Path) -> bool:
    try:
        with BuildWriter.open(folder, plan()):
            return False
    except BuildLockedError as error:
        return "another process" in error.message


@pytest.mark.parametrize("moment", ["merge_field", "build_structure", "build_lexical", "_move_in"])
def test_death_while_publishing_leaves_the_earlier_build_and_all_shards(
    build: Build, tmp_path: Path, vectors: np.ndarray, moment: str
) -> None:
    earlier = build((range(10),), source_digest="earlier")
    child = multiprocessing.get_context("spawn").Process(
        target=_publish_and_die, args=(tmp_path, vectors, moment)
    )
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    reader = IndexReader.open(tmp_path / "tiny")
    assert reader.build_id == earlier.manifest.build_id
    with BuildWriter.open(tmp_path, plan()) as writer:
        assert writer.finished_shards == 1
        assert writer.publish([]).manifest.counts.records == 25


def _publish_and_die(folder: Path, vectors: np.ndarray, moment: str) -> None:
    from indexer.store import assemble, merge

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    place = {"merge_field": merge, "_move_in": BuildWriter}.get(moment, assemble)
    setattr(place, moment, die)
    with BuildWriter.open(folder, plan()) as writer:
        writer.add_shard(shard(list(range(25)), vectors))
        writer.publish([])

import dataclasses
import json
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.errors import BuildLockedError, ReconciliationError, StoreError
from indexer.store import merge
from indexer.store.files import clear_folder
from indexer.store.publish import current_build, list_builds
from indexer.store.reader import IndexReader
from indexer.store.writer import BuildWriter
from tests.indexer.store.conftest import Build, no_file_larger_than, plan, shard, unit


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
        "path": "rows.csv", "line": 1, "reason": "broken", "kind": "bad_row", "of_scan": False
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


def test_what_cannot_be_seen_in_records_is_content_all_the_same(build: Build) -> None:
    first = build()
    more_rejects = build(rejects=3, source_digest="b")
    assert not more_rejects.unchanged
    assert more_rejects.manifest.counts.rejects == {"bad_row": 3}
    assert not build(rejects=3, licence="MIT", source_digest="c").unchanged
    assert first.manifest.content_hash != more_rejects.manifest.content_hash


def test_a_live_build_that_is_damaged_is_not_taken_for_unchanged(
    build: Build, tmp_path: Path
) -> None:
    first = build()
    path = first.folder / "records.arrow"
    path.write_bytes(path.read_bytes()[:-1])
    second = build(source_digest="b")
    assert not second.unchanged
    assert second.manifest.content_hash == first.manifest.content_hash
    assert IndexReader.open(tmp_path / "tiny").build_id == second.manifest.build_id


def test_a_build_that_a_crash_left_unseen_is_made_live(
    build: Build, tmp_path: Path, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    first = build((range(10),))
    with monkeypatch.context() as patch:
        patch.setattr("indexer.store.writer.make_current", die)
        with pytest.raises(KeyboardInterrupt):
            build(source_digest="b")
    assert current_build(tmp_path / "tiny") == first.folder
    second = build(source_digest="b")
    assert not second.unchanged
    assert len(list_builds(tmp_path / "tiny")) == 2
    assert current_build(tmp_path / "tiny") == second.folder


@pytest.mark.parametrize("same_plan", [True, False])
def test_a_clearing_that_is_cut_short_leaves_nothing_that_looks_finished(
    tmp_path: Path, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch, same_plan: bool
) -> None:
    def delete_a_little_and_die(folder: Path) -> None:
        (folder / "shard-000000" / "records.arrow").unlink()
        raise KeyboardInterrupt

    with BuildWriter.open(tmp_path, plan()) as writer:
        writer.add_shard(shard(list(range(25)), vectors))
        with monkeypatch.context() as patch:
            patch.setattr("shutil.rmtree", delete_a_little_and_die)
            with pytest.raises(KeyboardInterrupt):
                clear_folder(tmp_path / "tiny" / ".staging", "plan.json")
    with BuildWriter.open(tmp_path, plan(source_digest="a" if same_plan else "b")) as writer:
        assert writer.finished_shards == 0
        writer.add_shard(shard(list(range(40)), vectors))
        assert writer.publish([]).manifest.counts.records == 40


def test_the_first_rejects_can_be_told(tmp_path: Path, vectors: np.ndarray) -> None:
    with BuildWriter.open(tmp_path, plan()) as writer:
        writer.add_shard(shard([], vectors, rejects=5, duplicates=0))
        assert writer.first_rejects(2) == ["rows.csv:0: broken", "rows.csv:1: broken"]


def test_what_does_not_fit_the_plan_is_refused_before_it_is_written(
    tmp_path: Path, vectors: np.ndarray
) -> None:
    good = shard([0, 1], vectors)
    lost = dataclasses.replace(good, rows_consumed=7)
    with BuildWriter.open(tmp_path, plan()) as writer:
        with pytest.raises(ReconciliationError):
            writer.add_shard(lost)
        assert (writer.finished_shards, writer.rows_consumed) == (0, 0)


def test_files_that_do_not_hold_what_the_ledgers_say_stop_the_build(
    build: Build, tmp_path: Path, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build((range(10),))

    def lose_one(*arguments: Any) -> int:
        return merge_records(*arguments) - 1

    merge_records = merge.merge_records
    with BuildWriter.open(tmp_path, plan(source_digest="b")) as writer:
        writer.add_shard(shard(list(range(25)), vectors))
        monkeypatch.setattr(merge, "merge_records", lose_one)
        with pytest.raises(ReconciliationError, match="26 rows were read, but 24 records"):
            writer.publish([])
    assert current_build(tmp_path / "tiny") == first.folder


def write_large(folder: Path, *, second_shard_bytes: int, publish_bytes: int) -> int:
    """Write 2,000 records in two shards with limits on file sizes; return what was resumed at."""
    vectors = unit(np.random.default_rng(5), 2000)
    with BuildWriter.open(folder, plan(index="large")) as writer:
        resumed_at = writer.finished_shards
        if resumed_at < 1:
            writer.add_shard(shard(list(range(1900)), vectors))
        if resumed_at < 2:
            with no_file_larger_than(second_shard_bytes):
                writer.add_shard(shard(list(range(1900, 2000)), vectors))
        with no_file_larger_than(publish_bytes):
            writer.publish([])
    return resumed_at


def test_no_room_is_said_and_made_good_when_there_is_room_again(
    build: Build, tmp_path: Path
) -> None:
    earlier = build(index="large", source_digest="earlier").folder
    enough = 1 << 30
    with pytest.raises(StoreError, match=r"no room.*large.*same command again"):
        write_large(tmp_path, second_shard_bytes=1000, publish_bytes=enough)
    with pytest.raises(StoreError, match=r"no room.*large.*same command again"):
        write_large(tmp_path, second_shard_bytes=enough, publish_bytes=100_000)
    assert current_build(tmp_path / "large") == earlier
    assert IndexReader.open(tmp_path / "large").find("tiny/all/5") == 5
    assert write_large(tmp_path, second_shard_bytes=0, publish_bytes=enough) == 2
    assert IndexReader.open(tmp_path / "large").manifest.counts.records == 2000

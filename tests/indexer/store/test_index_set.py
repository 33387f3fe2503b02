import threading
import time
from pathlib import Path

import numpy as np
import pytest

from indexer.store.index_set import IndexSet
from indexer.store.publish import prune, rollback
from indexer.store.reader import IndexReader
from indexer.store.subset import Subset
from tests.indexer.store.conftest import Build


def test_a_set_follows_what_is_published(build: Build, tmp_path: Path, vectors: np.ndarray) -> None:
    indexes = IndexSet(tmp_path)
    assert dict(indexes.snapshot()) == {}
    assert not indexes.refresh()
    first = build().manifest.build_id
    assert indexes.refresh()
    held = indexes.snapshot()
    assert held["tiny"].build_id == first
    assert not indexes.refresh()

    vectors[0] = np.roll(vectors[0], 1)
    second = build(source_digest="b").manifest.build_id
    assert indexes.refresh()
    assert indexes.snapshot()["tiny"].build_id == second
    rollback(tmp_path / "tiny")
    assert indexes.refresh()
    assert indexes.snapshot()["tiny"].build_id == first
    # A snapshot stays what it was.
    assert held["tiny"].build_id == first
    with pytest.raises(TypeError):
        held["other"] = held["tiny"]


def test_readers_of_unchanged_indexes_are_kept(
    build: Build, tmp_path: Path, vectors: np.ndarray
) -> None:
    build()
    build(index="other")
    indexes = IndexSet(tmp_path)
    before = indexes.snapshot()
    assert sorted(before) == ["other", "tiny"]
    vectors[0] = np.roll(vectors[0], 1)
    build(source_digest="b")
    indexes.refresh()
    assert indexes.snapshot()["other"] is before["other"]
    assert indexes.snapshot()["tiny"] is not before["tiny"]


def test_a_damaged_index_is_reported_and_the_others_serve(
    build: Build, tmp_path: Path, vectors: np.ndarray
) -> None:
    build(index="other")
    first = build()
    indexes = IndexSet(tmp_path)
    vectors[0] = np.roll(vectors[0], 1)
    second = build(source_digest="b")
    (second.folder / "records.arrow").write_bytes(b"")
    assert indexes.refresh()
    assert "records.arrow" in indexes.failures["tiny"].message
    # What was open before goes on serving; a set that is opened now has only the other.
    assert indexes.snapshot()["tiny"].build_id == first.manifest.build_id
    late = IndexSet(tmp_path)
    assert sorted(late.snapshot()) == ["other"]
    assert sorted(late.failures) == ["tiny"]
    rollback(tmp_path / "tiny")
    assert late.refresh()
    assert sorted(late.snapshot()) == ["other", "tiny"]
    assert not late.failures


def test_an_index_that_was_deleted_is_let_go(build: Build, tmp_path: Path) -> None:
    build()
    indexes = IndexSet(tmp_path)
    (tmp_path / "tiny" / "CURRENT").unlink()
    assert indexes.refresh()
    assert dict(indexes.snapshot()) == {}


def check_request(reader: IndexReader) -> None:
    """Ask one build in every way; its answers must fit together."""
    own = reader.vectors("image")[[7]]
    [hits] = reader.search("image", own, 3)
    assert hits.rows[0] == 7
    assert reader.record(int(hits.rows[0])).record_id == "tiny/all/7"
    assert reader.search_lexical("number 17", 1).rows.tolist() == [17]
    assert reader.thumbnail(7) == b"jpeg 7"
    [hits] = reader.search("image", own, 40, allowed=Subset(np.arange(40) % 2 == 0))
    assert len(hits) == 20


def test_no_request_fails_while_builds_come_and_go(
    build: Build, tmp_path: Path, vectors: np.ndarray
) -> None:
    build()
    indexes = IndexSet(tmp_path)
    done = threading.Event()
    faults: list[BaseException] = []
    answered: set[str] = set()

    def ask() -> None:
        try:
            while not done.wait(0.001):
                reader = indexes.snapshot()["tiny"]
                check_request(reader)
                answered.add(reader.build_id)
        except BaseException as fault:  # noqa: BLE001 - whatever it is, it is a failed request
            faults.append(fault)

    def watch() -> None:
        while not done.wait(0.005):
            indexes.refresh()

    threads = [threading.Thread(target=work) for work in (ask, ask, watch, watch)]
    for thread in threads:
        thread.start()
    for number in range(4):
        vectors[0] = np.roll(vectors[0], 1)
        last = build(source_digest=str(number)).manifest.build_id
        prune(tmp_path / "tiny", keep=1)
    deadline = time.monotonic() + 20
    while last not in answered and not faults and time.monotonic() < deadline:
        time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()
    assert not faults
    assert last in answered
    assert len(answered) > 1

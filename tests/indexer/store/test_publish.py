from pathlib import Path

import numpy as np
import pytest

from indexer.errors import (
    BuildLockedError,
    CorruptBuildError,
    IndexNotFoundError,
    UnknownNameError,
)
from indexer.store.publish import (
    CURRENT_NAME,
    current_build,
    index_folders,
    list_builds,
    lock,
    prune,
    rollback,
)
from indexer.store.reader import IndexReader
from tests.indexer.store.conftest import Build


@pytest.fixture
def builds(build: Build, vectors: np.ndarray) -> list[str]:
    """Three builds of the same index, oldest first."""
    ids = []
    for number in range(3):
        vectors[0] = np.roll(vectors[0], 1)
        ids.append(build(source_digest=str(number)).manifest.build_id)
    return ids


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tiny"


def test_going_back_step_by_step(builds: list[str], folder: Path) -> None:
    assert [one.build_id for one in list_builds(folder)] == builds
    assert rollback(folder) == builds[1]
    assert IndexReader.open(folder).build_id == builds[1]
    assert rollback(folder) == builds[0]
    with pytest.raises(IndexNotFoundError, match="no build before"):
        rollback(folder)
    assert rollback(folder, builds[2]) == builds[2]
    with pytest.raises(UnknownNameError, match="There is no build named"):
        rollback(folder, "../elsewhere")
    assert current_build(folder).name == builds[2]


def test_the_same_input_after_going_back_makes_the_later_build_live_again(
    builds: list[str], folder: Path, build: Build
) -> None:
    rollback(folder)
    published = build(source_digest="2")
    assert published.manifest.build_id == builds[2]
    assert not published.unchanged
    assert current_build(folder).name == builds[2]
    assert len(list_builds(folder)) == 3


def test_a_damaged_build_is_not_gone_back_to(builds: list[str], folder: Path) -> None:
    vectors = folder / builds[1] / "image.vectors.npy"
    vectors.write_bytes(vectors.read_bytes()[:-1])
    with pytest.raises(CorruptBuildError, match=r"image\.vectors\.npy"):
        rollback(folder)
    assert current_build(folder).name == builds[2]
    assert rollback(folder, builds[0]) == builds[0]


@pytest.mark.parametrize("damage", ["manifest.json", "CURRENT names nothing", "CURRENT is broken"])
def test_one_can_go_back_from_a_live_build_that_is_damaged_or_gone(
    builds: list[str], folder: Path, damage: str
) -> None:
    if damage == "manifest.json":
        (folder / builds[2] / damage).unlink()
        expected = builds[1]
    elif damage == "CURRENT names nothing":
        (folder / CURRENT_NAME).write_text("20990101t000000000000-00000000\n")
        expected = builds[2]
    else:
        (folder / CURRENT_NAME).write_bytes(b"\xff../\n")
        expected = builds[2]
    with pytest.raises(CorruptBuildError, match="medsearch rollback tiny"):
        current_build(folder)
    assert rollback(folder) == expected
    assert IndexReader.open(folder).build_id == expected


def test_clearing_up_keeps_the_live_build_and_the_newest(builds: list[str], folder: Path) -> None:
    rollback(folder, builds[0])
    held = IndexReader.open(folder)
    assert prune(folder, keep=1) == [builds[1]]
    assert [one.build_id for one in list_builds(folder)] == [builds[0], builds[2]]
    rollback(folder, builds[2])
    assert prune(folder, keep=0) == [builds[0]]
    assert [path.name for path in (folder / ".verified").iterdir()] == [f"{builds[2]}.json"]
    # Who had it open goes on reading it.
    assert len(held.search_lexical("number 17", 1)) == 1
    assert held.find("tiny/all/17") == 17
    [hits] = held.search("image", held.vectors("image")[[5]], 1)
    assert hits.rows.tolist() == [5]


def test_what_an_interrupted_deletion_left_is_cleared_up(builds: list[str], folder: Path) -> None:
    (folder / builds[0] / "manifest.json").unlink()
    assert [one.build_id for one in list_builds(folder)] == builds[1:]
    assert prune(folder, keep=2) == [builds[0]]
    assert not (folder / builds[0]).exists()


def test_who_holds_the_lock_is_alone_and_lets_go_of_it(folder: Path) -> None:
    with lock(folder), pytest.raises(BuildLockedError, match="another process"), lock(folder):
        pass
    with pytest.raises(KeyError), lock(folder):
        raise KeyError
    with lock(folder):
        pass


def test_indexes_without_a_live_build_are_not_listed(builds: list[str], tmp_path: Path) -> None:
    (tmp_path / "half" / ".staging").mkdir(parents=True)
    assert index_folders(tmp_path) == [tmp_path / "tiny"]
    assert index_folders(tmp_path / "nowhere") == []

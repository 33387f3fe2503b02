from pathlib import Path

import pytest

from indexer.datasets.registry import get_dataset
from indexer.errors import FetchError, TargetOccupiedError
from indexer.fetching.receipt import RECEIPT_NAME, Receipt, make_receipt, read_receipt
from indexer.fetching.staging import Staging, is_unfinished
from tests.indexer.fetching.conftest import files_below

INFO = get_dataset("jmed").info


def receipt(**pieces: int) -> Receipt:
    return make_receipt(INFO, origin="here", revision="r", checked="size", pieces=pieces)


def put(staging: Staging, *names: str) -> None:
    for name in names:
        path = staging.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_nothing_is_in_place_before_all_of_it_is(tmp_path: Path) -> None:
    staging = Staging(INFO, tmp_path)
    with staging.open():
        put(staging, "a", "b/c")
        assert staging.has("b")
        assert not staging.final.exists()
        assert is_unfinished(INFO, tmp_path)
        staging.publish(receipt(a=1))
    assert files_below(tmp_path) == {"jmed/a", "jmed/b/c", f"jmed/{RECEIPT_NAME}"}
    assert not is_unfinished(INFO, tmp_path)


def test_more_is_added_to_what_is_in_place(tmp_path: Path) -> None:
    for names in (("a", "p1/s1/x"), ("a", "p1/s2/y", "p2/s1/z")):
        staging = Staging(INFO, tmp_path)
        with staging.open():
            put(staging, *names)
            staging.publish(receipt(**dict.fromkeys(map(str, range(len(names))), 1)))
    wanted = {"a", "p1/s1/x", "p1/s2/y", "p2/s1/z", RECEIPT_NAME}
    assert files_below(tmp_path / "jmed") == wanted
    placed = read_receipt(tmp_path / "jmed")
    assert placed is not None
    assert len(placed.pieces) == 3


def test_a_run_that_dies_while_moving_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Staging(INFO, tmp_path)
    with first.open():
        put(first, "s0/x")
        first.publish(receipt(s0=1))
    dying = Staging(INFO, tmp_path)
    moved = []
    replace = Path.replace

    def die(path: Path, target: Path) -> Path:
        if moved:
            raise KeyboardInterrupt
        moved.append(path)
        return replace(path, target)

    with monkeypatch.context() as patched, dying.open():
        put(dying, "s1/x", "s2/x")
        patched.setattr(Path, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            dying.publish(receipt(s0=1, s1=1, s2=1))
    staging = Staging(INFO, tmp_path)
    assert staging.has("s1/x")
    assert staging.has("s2/x")
    assert not staging.is_in_place
    with staging.open():
        staging.publish(receipt(s0=1, s1=1, s2=1))
    assert files_below(tmp_path / "jmed") == {"s0/x", "s1/x", "s2/x", RECEIPT_NAME}
    assert Staging(INFO, tmp_path).is_in_place


def test_what_was_begun_is_remembered(tmp_path: Path) -> None:
    staging = Staging(INFO, tmp_path)
    assert staging.recall() == {}
    with staging.open():
        staging.remember({"revision": "abc"})
    assert Staging(INFO, tmp_path).recall() == {"revision": "abc"}


@pytest.mark.parametrize("folder", ["jmed", "JMED"])
def test_a_folder_that_was_not_fetched_is_left_alone(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    Staging(INFO, tmp_path)  # empty: nothing to lose
    (tmp_path / folder / "mine").touch()
    with pytest.raises(TargetOccupiedError):
        Staging(INFO, tmp_path)


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "jmed").mkdir()
    staging = Staging(INFO, tmp_path)
    with staging.open():
        put(staging, "a")
        staging.publish(receipt(a=1))
    assert files_below(tmp_path) == {"jmed/a", f"jmed/{RECEIPT_NAME}"}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(FetchError, match="cannot be written"),
        Staging(INFO, tmp_path / "file").open(),
    ):
        pass


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"dataset": 1}'])
def test_a_damaged_receipt_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / RECEIPT_NAME).write_text(text)
    assert read_receipt(tmp_path) is None


def test_a_receipt_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = receipt(b=2, a=1)
    (tmp_path / RECEIPT_NAME).write_bytes(written.to_json())
    assert read_receipt(tmp_path) == written
    assert list(written.pieces) == ["a", "b"]
    assert written.licence_url == INFO.licence_url

"""CT by window in a search: one ranking over several fields of one space."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from indexer.store.index_set import IndexSet
from service.opening import Opened, assemble
from service.retrieval.encoding import QueryEncoders
from service.retrieval.query import ImageSource, Query, RecordSource, Source, TextSource
from service.retrieval.reply import SearchReply

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def opened(kit: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """Slices as shown (grey 0-5) and in windows: 0 and 3 show lung, all but 5 show bone."""
    folder: Path = tmp_path_factory.mktemp("views")
    records = [
        kit.image_record("ct", number, caption=None, case_id=f"p{number // 2}")
        for number in range(6)
    ]
    by_window = {
        "lung_window": {0: 100, 3: 101},
        "bone_window": {0: 110, 1: 111, 2: 112, 3: 113, 4: 114},
    }
    kit.publish(folder, "ct", records, by_window=by_window)
    films = [kit.image_record("films", number, caption=None) for number in range(2)]
    kit.publish(folder, "films", films, greys=[100, 50])
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    return assemble(IndexSet(folder), encoders)


@pytest.fixture
def search(opened: Opened) -> Callable[..., SearchReply]:
    def ask(source: Source, **options: object) -> SearchReply:
        query = Query(target="images", source=source, mode="dense", **options)
        return opened.retriever.search(query)

    return ask


def found(reply: SearchReply) -> list[tuple[str, str | None]]:
    return [(hit.record.record_id, hit.window) for hit in reply.hits]


def test_a_hit_names_the_window_that_matched(search: Callable[..., SearchReply]) -> None:
    [hit] = search(TextSource("grey 113"), k=1).hits
    assert hit.record.record_id == "ct/train/3"
    assert hit.window == "bone"
    assert hit.why["image"].field == "bone_window"
    assert hit.why["image"].score == hit.score == pytest.approx(1, abs=1e-5)


def test_a_record_is_found_once_by_its_nearest_view(search: Callable[..., SearchReply]) -> None:
    reply = search(TextSource("grey 100"), k=50)
    ids = [hit.record.record_id for hit in reply.hits]
    assert len(ids) == len(set(ids)) == 8
    assert found(reply)[:2] == [("ct/train/0", "lung"), ("films/train/0", None)]
    [leg] = reply.legs
    assert leg.scanned == 6 + 2 + 5 + 2


def test_words_about_a_window_are_compared_with_it_alone(
    search: Callable[..., SearchReply],
) -> None:
    reply = search(TextSource("lung window"), k=50)
    assert sorted(found(reply)) == [
        ("ct/train/0", "lung"), ("ct/train/3", "lung"),
        ("films/train/0", None), ("films/train/1", None),
    ]  # fmt: skip


def test_windows_can_be_named_by_option(search: Callable[..., SearchReply]) -> None:
    reply = search(TextSource("grey 100"), k=50, windows=("bone",), indexes=("ct",))
    assert {window for _, window in found(reply)} == {"bone"}
    assert len(reply.hits) == 5


def test_a_slice_is_compared_in_its_leading_window(search: Callable[..., SearchReply]) -> None:
    reply = search(ImageSource(b"grey 1 lung=101 bone=113"), k=3)
    assert found(reply)[0] == ("ct/train/3", "lung")
    bone = search(ImageSource(b"grey 1 lung=101 bone=114"), k=1, windows=("brain", "bone"))
    assert found(bone) == [("ct/train/4", "bone")]


def test_a_slice_of_lung_is_not_like_one_that_shows_none_however_that_is_shown(
    search: Callable[..., SearchReply],
) -> None:
    shown_alike = ImageSource(b"grey 0 lung=1")  # slice 1 is shown as this lung is, and has none
    reply = search(shown_alike, k=50, indexes=("ct",))
    assert sorted(found(reply)) == [
        ("ct/train/0", "lung"), ("ct/train/3", "lung"), ("ct/train/5", None),
    ]  # fmt: skip
    assert [leg.scanned for leg in reply.legs] == [2 + 1]
    bones = search(shown_alike, k=50, windows=("brain",), indexes=("ct",))
    assert found(bones) == [("ct/train/5", None)]


def test_what_has_no_window_is_still_found_by_a_slice(search: Callable[..., SearchReply]) -> None:
    reply = search(ImageSource(b"grey 5 lung=5"), k=1)
    assert found(reply) == [("ct/train/5", None)]


def test_a_record_is_searched_like_in_its_leading_window(
    search: Callable[..., SearchReply],
) -> None:
    reply = search(RecordSource("ct/train/0"), k=2)
    assert found(reply) == [("ct/train/0", "lung"), ("films/train/0", None)]
    others = search(RecordSource("ct/train/0"), k=1, exclude_same=frozenset({"case"}),
                    windows=("bone",), indexes=("ct",))  # fmt: skip
    assert others.hits[0].record.case_id != "p0"
    assert others.hits[0].window == "bone"


def test_pages_of_several_fields_neither_overlap_nor_skip(
    search: Callable[..., SearchReply],
) -> None:
    whole = found(search(TextSource("grey 7"), k=8))
    paged = [one for offset in range(0, 8, 2)
             for one in found(search(TextSource("grey 7"), k=2, offset=offset))]  # fmt: skip
    assert paged == whole

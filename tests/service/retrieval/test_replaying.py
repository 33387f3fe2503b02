"""Receipts and replays over real indexes: rebuilt, pruned, damaged, with other encoders."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TypeAlias

import numpy as np
import pytest

from indexer.errors import (
    EncoderMismatchError,
    EncoderUnavailableError,
    IndexNotFoundError,
    QueryError,
    ReplayError,
)
from indexer.store.index_set import IndexSet
from indexer.store.publish import prune
from service.replies import search_json
from service.retrieval.encoding import QueryEncoders
from service.retrieval.filters import Comparison
from service.retrieval.query import ImageSource, Query, RecordSource, TextSource, VectorSource
from service.retrieval.receipt import EncoderStamp, read_receipt
from service.retrieval.replaying import replay
from service.retrieval.reply import SearchReply
from service.retrieval.retriever import Retriever

Place: TypeAlias = SimpleNamespace


def make_place(folder: Path, kit: SimpleNamespace) -> Place:
    """Publish an index of 20 scans, which can grow, and one of questions."""
    encoder = kit.HashEncoder()

    def grow(count: int) -> None:
        records = [
            kit.image_record("scans", n, case_id=f"p{n // 2}", labels=("odd",) * (n % 2))
            for n in range(count)
        ]
        kit.publish(folder, "scans", records, encoder)

    def encoders(*known: object) -> QueryEncoders:
        return QueryEncoders(kit.loader(*(known or (encoder,))), kit.decode_grey)

    def search(**options: object) -> SearchReply:
        retriever = Retriever(IndexSet(folder), encoders())
        return retriever.search(Query(**({"target": "images", "k": 5} | options)))

    grow(20)
    kit.publish(folder, "asked", [kit.text_record("asked", n) for n in range(6)], encoder)
    return SimpleNamespace(folder=folder, grow=grow, encoders=encoders, search=search)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, kit: SimpleNamespace) -> Place:
    """Indexes that nobody changes."""
    return make_place(tmp_path_factory.mktemp("still"), kit)


@pytest.fixture
def changing(tmp_path: Path, kit: SimpleNamespace) -> Place:
    """Indexes of one test's own."""
    return make_place(tmp_path, kit)


def found(reply: SearchReply) -> list[tuple[str, float, str]]:
    return [(hit.record.record_id, hit.score, hit.index) for hit in reply.hits]


QUERIES = {
    "text": {"source": TextSource("grey 3")},
    "image": {"source": ImageSource(b"grey 3")},
    "image and text": {"source": ImageSource(b"grey 3"), "also": (TextSource("grey 9"),)},
    "record": {"source": RecordSource("scans/train/3"), "unlike": ("scans/train/9",)},
    "vector": {"source": VectorSource("image", np.ones(64, np.float32))},
    "page": {"source": TextSource("grey"), "offset": 4, "group_by": "case", "group_size": 2},
    "filtered": {"source": ImageSource(b"grey 3"), "filters": Comparison("labels", "eq", "odd")},
    "words": {"source": TextSource("disease number"), "target": "questions", "mode": "lexical"},
    "question": {"source": RecordSource("asked/train/3"), "target": "questions"},
}


def test_a_replay_gives_the_hits_of_the_time_though_the_index_has_grown(changing: Place) -> None:
    before = {name: changing.search(**options) for name, options in QUERIES.items()}
    changing.grow(40)
    for name, reply in before.items():
        receipt = read_receipt(reply.receipt.to_json())
        again = replay(receipt, changing.folder, changing.encoders(), [b"other", b"grey 3"])
        assert reply.hits, name
        assert found(again) == found(reply), name
        assert again.builds == reply.builds, name
    now = changing.search(**QUERIES["text"])
    assert now.builds != before["text"].builds
    assert found(now) != found(before["text"])


def test_a_receipt_says_what_the_search_ran_on(place: Place, kit: SimpleNamespace) -> None:
    reply = place.search(source=ImageSource(b"grey 3"))
    receipt = read_receipt(reply.receipt.to_json())
    assert receipt == reply.receipt
    encoder = kit.HashEncoder()
    assert receipt.encoders == (
        EncoderStamp(
            field="image", encoder="hash", revision="1",
            weights_sha256=encoder.image_fingerprint.weights_sha256, indexes=("scans",),
        ),
    )  # fmt: skip
    assert receipt.builds == reply.builds
    assert receipt.created_at.endswith("+00:00")
    assert "grey" not in json.dumps(receipt.query)


def test_the_build_of_the_querys_own_record_is_kept_too(
    changing: Place, kit: SimpleNamespace
) -> None:
    kit.publish(changing.folder, "films", [kit.image_record("films", n) for n in range(30, 34)])
    reply = changing.search(source=RecordSource("scans/train/3"), indexes=("films",))
    assert set(reply.builds) == {"films"}
    assert set(reply.receipt.builds) == {"films", "scans"}
    assert found(replay(reply.receipt, changing.folder, changing.encoders())) == found(reply)


def test_after_pruning_it_is_said_what_is_left(changing: Place) -> None:
    receipt = changing.search(source=TextSource("grey 3")).receipt
    changing.grow(40)
    prune(changing.folder / "scans", keep=1)
    left = IndexSet(changing.folder).snapshot()["scans"].build_id
    with pytest.raises(IndexNotFoundError, match=f"'scans'.*prune --keep N.*left are: {left}"):
        replay(receipt, changing.folder, changing.encoders())


@pytest.mark.parametrize("build_id", ["../asked", "", "/etc", "..", ".staging"])
def test_a_receipt_opens_builds_and_nothing_else(place: Place, build_id: str) -> None:
    receipt = place.search(source=TextSource("grey 3")).receipt
    for builds in ({"scans": build_id}, {build_id: "scans"}):
        with pytest.raises(IndexNotFoundError):
            replay(replace(receipt, builds=builds), place.folder, place.encoders())


@pytest.mark.parametrize("images", [[], [b"grey 4"]])
def test_another_image_is_refused(place: Place, images: list[bytes]) -> None:
    receipt = place.search(source=ImageSource(b"grey 3")).receipt
    with pytest.raises(QueryError, match=r"no file has its sha256.*--image FILE"):
        replay(receipt, place.folder, place.encoders(), images)


def test_another_encoder_is_refused(place: Place, kit: SimpleNamespace) -> None:
    receipt = place.search(source=TextSource("grey 3")).receipt
    other = kit.HashEncoder()
    for name in ("image_fingerprint", "text_fingerprint"):
        setattr(other, name, replace(getattr(other, name), weights_sha256="f" * 64))
    with pytest.raises(EncoderMismatchError, match="another encoder"):
        replay(receipt, place.folder, place.encoders(other))
    with pytest.raises(EncoderUnavailableError):
        replay(receipt, place.folder, place.encoders(kit.HashEncoder("elsewhere")))


def test_an_encoder_that_only_some_indexes_need_may_not_be_left_out_silently(
    changing: Place, kit: SimpleNamespace
) -> None:
    second = kit.HashEncoder("second")
    kit.publish(changing.folder, "films", [kit.image_record("films", n) for n in range(4)], second)
    first = kit.HashEncoder()
    query = Query(target="images", source=ImageSource(b"grey 3"), k=5)
    receipt = (
        Retriever(IndexSet(changing.folder), changing.encoders(first, second)).search(query).receipt
    )
    with pytest.raises(ReplayError, match=r"Missing: image by second \(films\). New: none"):
        replay(receipt, changing.folder, changing.encoders(first), [b"grey 3"])


def test_hits_that_differ_are_never_passed_off_as_those_of_the_time(place: Place) -> None:
    receipt = place.search(source=TextSource("grey 3")).receipt
    with pytest.raises(ReplayError, match="hits differ"):
        replay(replace(receipt, hits_sha256="0" * 64), place.folder, place.encoders())


def test_a_whole_reply_is_read_as_the_receipt_in_it(place: Place) -> None:
    reply = place.search(source=TextSource("grey 3"))
    assert read_receipt(json.dumps(search_json(reply), default=list)) == reply.receipt


def altered(change: Callable[[dict], object]) -> Callable[[str], str]:
    def run(text: str) -> str:
        values = json.loads(text)
        change(values)
        return json.dumps(values)

    return run


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda _: "", "not a receipt"),
        (lambda _: "[]", "not a receipt"),
        (lambda text: text[:-9], "not a receipt"),
        (altered(lambda one: one.pop("builds")), "not a receipt"),
        (altered(lambda one: one.update(builds={"scans": 1})), "not a receipt"),
        (altered(lambda one: one.update(encoders=[{}])), "not a receipt"),
        (altered(lambda one: one.update(more=1)), "not a receipt"),
        (altered(lambda one: one.update(receipt_version=2)), "version 2; this program reads 1"),
        (altered(lambda one: one["query"].update(k=6)), "altered"),
        (altered(lambda one: one["query"].update(source=None)), "altered"),
    ],
)
def test_what_is_no_receipt_is_refused(
    place: Place, damage: Callable[[str], str], told: str
) -> None:
    text = place.search(source=TextSource("grey 3")).receipt.to_json()
    with pytest.raises(QueryError, match=told):
        read_receipt(damage(text))

"""Receipts and replays over real indexes: rebuilt, pruned, damaged, with other encoders."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TypeAlias

import numpy as np
import pytest

from indexer.encoders.base import Reranker
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
from service.retrieval.columns import ColumnCache
from service.retrieval.encoding import QueryEncoders
from service.retrieval.filters import Comparison
from service.retrieval.query import (
    ImageSource,
    Query,
    RecordSource,
    Rerank,
    StudySource,
    TextSource,
    VectorSource,
)
from service.retrieval.receipt import EncoderStamp, read_receipt
from service.retrieval.refining import Refiner
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
    "without a dataset": {
        "source": TextSource("grey 3"), "exclude_datasets": frozenset({"films", "asked"}),
    },
    "a named index without its dataset": {
        "source": TextSource("grey 3"), "exclude_datasets": frozenset({"films"}),
        "indexes": ("films", "scans"),
    },
    "record of a dataset that is left out": {
        "source": RecordSource("films/train/31"), "exclude_datasets": frozenset({"films"}),
    },
}  # fmt: skip


def publish_films(place: Place, kit: SimpleNamespace) -> None:
    kit.publish(place.folder, "films", [kit.image_record("films", n) for n in range(30, 34)])


def test_a_replay_gives_the_hits_of_the_time_though_the_index_has_grown(
    changing: Place, kit: SimpleNamespace
) -> None:
    publish_films(changing, kit)
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
    publish_films(changing, kit)
    reply = changing.search(source=RecordSource("scans/train/3"), indexes=("films",))
    assert set(reply.builds) == {"films"}
    assert set(reply.receipt.builds) == {"films", "scans"}
    assert found(replay(reply.receipt, changing.folder, changing.encoders())) == found(reply)


def test_a_search_that_leaves_every_dataset_out_is_replayed(place: Place) -> None:
    reply = place.search(source=TextSource("grey 3"), exclude_datasets=frozenset({"scans"}))
    assert reply.hits == ()
    again = replay(read_receipt(reply.receipt.to_json()), place.folder, place.encoders())
    assert (again.hits, again.builds) == ((), {})


def test_a_replay_does_not_call_ids_unknown_that_its_builds_do_not_hold(place: Place) -> None:
    known = frozenset({"asked/train/1", "scans/train/5"})
    for excluded, codes in ((known, []), (known | {"scans/trian/5"}, ["exclude_records"])):
        reply = place.search(source=TextSource("grey 3"), exclude_records=excluded)
        assert [note.code for note in reply.notes] == codes
        assert set(reply.receipt.builds) == {"scans"}
        again = replay(read_receipt(reply.receipt.to_json()), place.folder, place.encoders())
        assert again.notes == ()
        assert found(again) == found(reply)


def test_a_study_is_looked_up_in_the_columns_that_are_kept(
    tmp_path: Path, kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    slices = [kit.image_record("ct", n, study_id="s1", series_id=f"s1.{n % 2}") for n in range(6)]
    kit.publish(tmp_path, "ct", slices)
    retriever = Retriever(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))
    query = Query(target="images", source=StudySource("study", "s1"), group_by="study")
    first = retriever.search(query).receipt
    read = []
    monkeypatch.setattr(ColumnCache, "__init__", lambda self: read.append(self))
    assert replace(retriever.search(query).receipt, created_at=first.created_at) == first
    assert read == []


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


class LikesLow:
    """A reranker that likes low numbers."""

    def score(self, query: str, texts: Sequence[str]) -> np.ndarray:
        return np.array([-float(text.split("disease ")[1].split("?")[0]) for text in texts])


WORDS = {"source": TextSource("What is disease 5?"), "target": "questions"}


def search_reranked(place: Place, budget_ms: float = 1e6) -> SearchReply:
    refiner = Refiner(lambda _: LikesLow())
    stage = Rerank(encoder="low", depth=4, budget_ms=budget_ms)
    return Retriever(IndexSet(place.folder), place.encoders(), refiner=refiner).search(
        Query(**WORDS, k=6, rerank=stage)
    )


def test_a_reranked_search_is_replayed(place: Place) -> None:
    reply = search_reranked(place)
    assert found(reply) != found(place.search(**WORDS, k=6))
    receipt = read_receipt(reply.receipt.to_json())
    assert receipt.reranked is True
    again = replay(receipt, place.folder, place.encoders(), reranker=lambda _: LikesLow())
    assert found(again) == found(reply)
    with pytest.raises(QueryError, match="no rerankers here"):
        replay(receipt, place.folder, place.encoders())


@pytest.mark.parametrize(("then_ms", "now_ms"), [(0.0, 1e6), (1e6, 0.0)])
def test_reranking_ends_in_a_replay_if_it_ended_then(
    place: Place, then_ms: float, now_ms: float
) -> None:
    reply = search_reranked(place, then_ms)
    receipt = read_receipt(reply.receipt.to_json())
    stage = {**receipt.query["rerank"], "budget_ms": now_ms}  # a machine that is slower, or faster
    again = replay(
        replace(receipt, query={**receipt.query, "rerank": stage}),
        place.folder,
        place.encoders(),
        reranker=lambda _: LikesLow(),
    )
    assert receipt.reranked is (then_ms > 0) is again.receipt.reranked
    assert found(again) == found(reply)
    assert [note.code for note in again.notes] == [note.code for note in reply.notes]


def missing_reranker(key: str) -> Reranker:
    raise EncoderUnavailableError(key, remedy="Install it.")


@pytest.mark.parametrize("reranker", [None, missing_reranker])
def test_reranking_that_did_not_end_is_replayed_without_the_reranker(
    place: Place, reranker: Callable[[str], Reranker] | None
) -> None:
    reply = search_reranked(place, 0.0)
    receipt = read_receipt(reply.receipt.to_json())
    again = replay(receipt, place.folder, place.encoders(), reranker=reranker)
    assert again.receipt.reranked is False
    assert found(again) == found(reply)
    assert [hit.contradicts for hit in again.hits] == [hit.contradicts for hit in reply.hits]
    assert again.notes == reply.notes


def test_receipts_of_searches_that_rerank_nothing_do_not_speak_of_it(place: Place) -> None:
    receipt = place.search(**WORDS).receipt
    assert receipt.reranked is None
    assert "reranked" not in receipt.values()


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
        (altered(lambda one: one.update(reranked="no")), "not a receipt"),
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

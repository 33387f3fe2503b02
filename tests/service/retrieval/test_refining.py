"""Reranking and the guard, on the first hits of real indexes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import QueryError
from indexer.records import TextRecord
from indexer.store.index_set import IndexSet
from service.opening import Opened, assemble
from service.retrieval.encoding import QueryEncoders
from service.retrieval.hits import Hit
from service.retrieval.query import ImageSource, Query, Rerank, TextSource
from service.retrieval.refining import Refiner
from service.retrieval.reply import SearchReply
from service.retrieval.retriever import Retriever

WORDS = TextSource("What is disease 3?")


class Backwards:
    """A reranker that likes high numbers."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def score(self, query: str, texts: Sequence[str]) -> np.ndarray:
        self.read += texts
        return np.array([float(text.split("disease ")[1].split("?")[0]) for text in texts])


def search(opened: Opened, reranker: object | None, **options: object) -> SearchReply:
    given = None if reranker is None else (lambda key: reranker)
    retriever = Retriever(opened.indexes, opened.encoders, opened.columns, Refiner(given))  # type: ignore[arg-type]
    return retriever.search(
        Query(**{"target": "questions", "source": WORDS, "indexes": ("asked",)} | options)  # type: ignore[arg-type]
    )


@pytest.fixture
def diseases(tmp_path: Path, kit) -> Opened:  # type: ignore[no-untyped-def]
    kit.publish(tmp_path, "asked", [kit.text_record("asked", n) for n in range(12)])
    return assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))


def test_the_reranker_orders_what_it_read(diseases: Opened) -> None:
    plain = search(diseases, None, k=12)
    reranker = Backwards()
    reply = search(diseases, reranker, k=12, rerank=Rerank(encoder="backwards", depth=5))
    read = {hit.record.record_id for hit in plain.hits[:5]}
    numbers = [int(hit.record.source_id) for hit in reply.hits]
    assert {hit.record.record_id for hit in reply.hits[:5]} == read
    assert numbers[:5] == sorted(numbers[:5], reverse=True)
    assert [hit.record for hit in reply.hits[5:]] == [hit.record for hit in plain.hits[5:]]
    assert [hit.why["rerank"].rank for hit in reply.hits[:5]] == [1, 2, 3, 4, 5]
    assert "It is called number" in reranker.read[0]
    assert reply.notes == ()


@pytest.fixture(scope="module")
def many_diseases(tmp_path_factory: pytest.TempPathFactory, kit) -> Opened:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("many")
    kit.publish(folder, "asked", [kit.text_record("asked", n) for n in range(150)])
    return assemble(IndexSet(folder), QueryEncoders(kit.loader(kit.HashEncoder())))


@pytest.mark.parametrize("mode", ["dense", "hybrid", "lexical"])
@pytest.mark.parametrize("depth", [1, 50, 100, 200])
def test_as_many_texts_are_read_as_asked(many_diseases: Opened, mode: str, depth: int) -> None:
    gone = frozenset(f"asked/train/{n}" for n in range(20))
    for options, left in (({}, 150), ({"offset": 30}, 150), ({"exclude_records": gone}, 130)):
        reranker = Backwards()
        stage = Rerank(encoder="backwards", depth=depth, budget_ms=1e6)
        search(many_diseases, reranker, mode=mode, rerank=stage, **options)
        assert len(reranker.read) == min(depth, left)


def test_pages_of_a_reranked_search_follow_on_each_other(diseases: Opened) -> None:
    stage = Rerank(encoder="backwards", depth=7)
    pages = [
        hit.record.record_id
        for offset in range(0, 12, 3)
        for hit in search(diseases, Backwards(), k=3, offset=offset, rerank=stage).hits
    ]
    whole = search(diseases, Backwards(), k=12, rerank=stage)
    assert pages == [hit.record.record_id for hit in whole.hits]


def test_too_little_time_leaves_the_order_and_says_so(diseases: Opened) -> None:
    plain = search(diseases, None)
    reply = search(diseases, Backwards(), rerank=Rerank(encoder="backwards", budget_ms=0.0))
    assert [hit.record for hit in reply.hits] == [hit.record for hit in plain.hits]
    assert [note.code for note in reply.notes] == ["rerank"]
    assert "pages that were reranked may repeat" in reply.notes[0].message


def test_without_words_or_rerankers_it_is_refused(diseases: Opened, opened: Opened) -> None:
    stage = Rerank(encoder="backwards")
    with pytest.raises(QueryError, match="rerankers"):
        search(diseases, None, rerank=stage)
    retriever = Retriever(
        opened.indexes, opened.encoders, opened.columns, Refiner(lambda _: Backwards())
    )
    with pytest.raises(QueryError, match="words"):
        retriever.search(Query(target="images", source=ImageSource(b"grey 3"), rerank=stage))


def find_contradiction(reply: SearchReply) -> tuple[int, Hit]:
    """Return how many hits there are, and the one that contradicts."""
    [hit] = [hit for hit in reply.hits if hit.contradicts]
    return len(reply.hits), hit


PAIN = TextSource("effusion chest pain cause")
DENIED = "no effusion chest pain cause"


def weather(kit, count: int) -> list[TextRecord]:  # type: ignore[no-untyped-def]
    """Questions that have nothing to do with the first."""
    others = [kit.text_record("aq", n, question=f"topic{n} weather") for n in range(1, count)]
    return [kit.text_record("aq", 0, question=DENIED), *others]


def test_questions_that_are_fused_by_rank_are_marked_and_stay(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    """How much better a place is than the next is not known: by scores, it would be last of 50."""
    other = kit.HashEncoder("other")
    other.text_fingerprint = replace(other.text_fingerprint, weights_sha256="0" * 64)
    kit.publish(tmp_path, "aq", weather(kit, 40))
    kit.publish(
        tmp_path, "bq",
        [kit.text_record("bq", n, question=f"thing{n} cooking") for n in range(40)], other,
    )  # fmt: skip
    both = QueryEncoders(kit.loader(kit.HashEncoder(), other))
    reply = search(assemble(IndexSet(tmp_path), both), None, source=PAIN, k=60, indexes=None)
    assert reply.score_kind == "rrf"
    count, hit = find_contradiction(reply)
    assert (count, hit.rank) == (60, 1)
    scores = [hit.score for hit in reply.hits]
    assert scores == sorted(scores, reverse=True)


class Agreeing:
    """A reranker that prefers what speaks of an effusion."""

    def score(self, query: str, texts: Sequence[str]) -> np.ndarray:
        return np.array([float("effusion" in text) for text in texts])


def test_the_reranker_has_the_last_word_on_questions(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    kit.publish(tmp_path, "asked", weather(kit, 60))
    opened = assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))
    stage = Rerank(encoder="agreeing", budget_ms=1e6)
    count, hit = find_contradiction(search(opened, Agreeing(), source=PAIN, k=60, rerank=stage))
    assert (count, hit.rank, hit.why["rerank"].rank) == (60, 1, 1)


def test_reports_that_contradict_go_behind_all_even_if_reranked(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    captions = ["No effusion.", "Chest.", "Heart."]
    records = [kit.image_record("films", n, caption=one) for n, one in enumerate(captions)]
    kit.publish(tmp_path, "films", records)
    opened = assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))
    for options in ({}, {"rerank": Rerank(encoder="agreeing", budget_ms=1e6)}):
        reply = search(
            opened, Agreeing(), source=TextSource("effusion"), target="images", indexes=None,
            **options,
        )  # fmt: skip
        count, hit = find_contradiction(reply)
        assert count == hit.rank == 3


def test_without_time_to_rerank_the_guard_goes_by_scores(tmp_path: Path, kit) -> None:  # type: ignore[no-untyped-def]
    near = [kit.text_record("asked", n, question=PAIN.text) for n in (90, 91)]
    kit.publish(tmp_path, "asked", [*weather(kit, 20), *near])
    opened = assemble(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder())))
    plain = search(opened, None, source=PAIN, k=22)
    count, hit = find_contradiction(plain)
    assert (count, hit.rank) == (22, 3)
    stage = Rerank(encoder="agreeing", budget_ms=0.0)
    reply = search(opened, Agreeing(), source=PAIN, k=22, rerank=stage)
    assert [(hit.record, hit.score, hit.contradicts) for hit in reply.hits] == [
        (hit.record, hit.score, hit.contradicts) for hit in plain.hits
    ]

"""Reranking and the guard, on the first hits of real indexes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import QueryError
from indexer.store.index_set import IndexSet
from service.opening import Opened
from service.retrieval.encoding import QueryEncoders
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
    from service.opening import assemble

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


def test_without_words_or_rerankers_it_is_refused(diseases: Opened, opened: Opened) -> None:
    stage = Rerank(encoder="backwards")
    with pytest.raises(QueryError, match="rerankers"):
        search(diseases, None, rerank=stage)
    retriever = Retriever(
        opened.indexes, opened.encoders, opened.columns, Refiner(lambda _: Backwards())
    )
    with pytest.raises(QueryError, match="words"):
        retriever.search(Query(target="images", source=ImageSource(b"grey 3"), rerank=stage))

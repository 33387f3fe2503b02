from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.encoders.base import Scores
from indexer.encoders.rerankers import RERANKERS
from indexer.encoders.spec import RerankerSpec
from indexer.errors import EncoderError
from service.retrieval.fusion import Fused, Key
from service.retrieval.rerank import BATCH_TEXTS, rerank

WORDS = ("", " ", "a", "bb", "ccc", "dddd")


class Clock:
    """A clock that stands still until it is put forward."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class LengthReranker:
    """Scores a text by its length; each call takes some seconds of a clock."""

    def __init__(self, clock: Clock | None = None, seconds: float = 0.0) -> None:
        self.batches: list[list[str]] = []
        self._clock = clock or Clock()
        self._seconds = seconds

    @property
    def spec(self) -> RerankerSpec:
        return RERANKERS["medcpt-cross"]

    def score(self, query: str, texts: Sequence[str]) -> Scores:
        self.batches.append(list(texts))
        self._clock.now_s += self._seconds
        return np.array([len(text) for text in texts], dtype=np.float32)


def ranking(count: int) -> list[Fused]:
    return [Fused(Key(0, row), 1 / (1 + row)) for row in range(count)]


def rows(ranked: Sequence[Fused]) -> list[int]:
    return [one.key.row for one in ranked]


def test_the_best_text_comes_first_and_what_is_deeper_stays() -> None:
    texts = ["bb", "a", "dddd", "ccc", "eeeeee"]
    ranked = ranking(5)
    done = rerank(ranked, "q", lambda key: texts[key.row], LengthReranker(), depth=4, budget_ms=1e6)
    assert done.done
    assert rows(done.ranked) == [2, 3, 0, 1, 4]
    assert [done.scores[Key(0, row)] for row in range(4)] == [2, 1, 4, 3]
    assert {one.key: one.score for one in done.ranked} == {one.key: one.score for one in ranked}


def test_a_record_without_text_keeps_its_place() -> None:
    texts = ["a", "", "ccc", "  ", "bb"]
    reranker = LengthReranker()
    done = rerank(ranking(5), "q", lambda key: texts[key.row], reranker, depth=5, budget_ms=1e6)
    assert rows(done.ranked) == [2, 1, 4, 3, 0]
    assert reranker.batches == [["a", "bb", "ccc"]]


def test_out_of_time_gives_the_old_order_and_says_so() -> None:
    clock = Clock()
    count = 3 * BATCH_TEXTS
    reranker = LengthReranker(clock, seconds=0.06)
    ranked = ranking(count)
    done = rerank(
        ranked, "q", lambda key: "x" * (1 + key.row), reranker,
        depth=count, budget_ms=100, clock=clock,
    )  # fmt: skip
    assert not done.done
    assert done.ranked == tuple(ranked)
    assert done.scores == {}
    assert done.took_ms == pytest.approx(120)
    assert len(reranker.batches) == 2  # the third would have begun too late


def test_the_last_batch_may_end_late() -> None:
    clock = Clock()
    done = rerank(
        ranking(2), "q", lambda key: "x" * (1 + key.row), LengthReranker(clock, seconds=5),
        depth=2, budget_ms=100, clock=clock,
    )  # fmt: skip
    assert done.done
    assert rows(done.ranked) == [1, 0]
    assert done.took_ms == pytest.approx(5000)


@pytest.mark.parametrize("budget_ms", [0, -1])
def test_without_time_nothing_is_scored(budget_ms: float) -> None:
    reranker = LengthReranker()
    done = rerank(ranking(3), "q", lambda _: "x", reranker, depth=3, budget_ms=budget_ms)
    assert not done.done
    assert reranker.batches == []


@pytest.mark.parametrize("depth", [0, -3])
def test_nothing_to_read_is_done(depth: int) -> None:
    done = rerank(ranking(3), "q", lambda _: "x", LengthReranker(), depth=depth, budget_ms=0)
    assert done.done
    assert rows(done.ranked) == [0, 1, 2]


def test_a_reranker_that_fails_is_not_hidden() -> None:
    class Broken(LengthReranker):
        def score(self, query: str, texts: Sequence[str]) -> Scores:
            raise EncoderError("broken")

    with pytest.raises(EncoderError, match="broken"):
        rerank(ranking(3), "q", lambda _: "x", Broken(), depth=3, budget_ms=1e6)


@given(st.lists(st.sampled_from(WORDS), max_size=40), st.integers(0, 50))
def test_it_sorts_what_it_read_and_moves_nothing_else(texts: list[str], depth: int) -> None:
    ranked = ranking(len(texts))
    done = rerank(
        ranked, "q", lambda key: texts[key.row], LengthReranker(), depth=depth, budget_ms=1e6
    )
    read = [row for row, text in enumerate(texts[:depth]) if text.strip()]
    places = [place for place, one in enumerate(done.ranked) if one.key.row in set(read)]
    assert places == read
    assert [done.ranked[place].key.row for place in places] == sorted(
        read, key=lambda row: (-len(texts[row]), row)
    )
    assert sorted(rows(done.ranked)) == list(range(len(texts)))
    assert all(rows(done.ranked)[row] == row for row in range(len(texts)) if row not in set(read))

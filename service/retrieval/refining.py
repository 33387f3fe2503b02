"""What is done to the first hits once their words are read: reranking, and the guard."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from indexer.encoders.base import Reranker
from indexer.errors import QueryError
from indexer.store.reader import IndexReader
from service.retrieval.contradictions import demote
from service.retrieval.fusion import Fused, Key
from service.retrieval.hits import Note, Place, ScoreKind
from service.retrieval.query import Query, Rerank, Target, TextSource
from service.retrieval.rerank import rerank

RERANK = "rerank"
# Where a record states what is and what is not; options and answers do not speak of one case.
_STATING = MappingProxyType({"image": ("caption",), "text": ("question", "context")})
# What a reranker reads beside that: whether a text answers a question shows in its answer.
_READ = MappingProxyType({"image": ("caption",), "text": ("question", "context", "answer")})

# How much better than others a contradicting question may score and still go behind them, where
# scores are shares of 1: `contradictions` has the figures.
_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Refined:
    """The first tier in its final order.

    `contradicting` are the records that contradict the query, of those that were read: no more
    than the page needs. `places` says where a reranker put those that it read, `reranked` whether
    it ended in its time; None if there was none.
    """

    ranked: Sequence[Fused]
    contradicting: frozenset[Key] = frozenset()
    places: Mapping[Key, Place] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    reranked: bool | None = None


class Refiner:
    """Reads the words of the first hits. `reranker` gives a loaded one by its catalogue key.

    `ends` says whether reranking ends, however long it takes: a replay knows. Else time decides.
    Where it does not end, none is loaded.
    """

    def __init__(
        self, reranker: Callable[[str], Reranker] | None = None, *, ends: bool | None = None
    ) -> None:
        self._reranker = reranker
        self._ends = ends

    def refine(
        self,
        ranked: Sequence[Fused],
        score_kind: ScoreKind,
        query: Query,
        readers: Sequence[IndexReader],
        place_of: Callable[[Key], Hashable],
    ) -> Refined:
        """Rerank the first tier if the query asks for it, then put contradictions behind others.

        `score_kind` is that of the first tier; `place_of` says which records share a place of the
        page. A query without words contradicts nothing.

        Raises
        ------
        QueryError
            A query without words is to be reranked.
        UnknownNameError, EncoderError
            There is no such reranker, or it cannot be loaded or fails.
        """
        words = "\n".join(one.text for one in query.sources if isinstance(one, TextSource))
        stage = query.rerank
        if stage is None:
            refined = Refined(ranked)
        elif words:
            refined = self._rerank(ranked, stage, words, readers)
        else:
            raise QueryError("Reranking needs words.", remedy="Leave rerank out, or add words.")
        if not words:
            return refined
        guarded = demote(
            refined.ranked,
            words,
            _text_of(readers, _STATING),
            margin=_margin(query.target, score_kind, refined.reranked),
            needed=_needed(query),
            place_of=place_of,
        )
        # What a reranker put first need not have the best score.
        settled = guarded.ranked if refined.reranked else _let_fall(guarded.ranked)
        return replace(refined, ranked=settled, contradicting=guarded.contradicting)

    def _rerank(
        self, ranked: Sequence[Fused], stage: Rerank, words: str, readers: Sequence[IndexReader]
    ) -> Refined:
        if self._ends is False:
            return _unfinished(ranked, stage)  # as a replay may lack the reranker of that time
        if self._reranker is None:
            raise QueryError("There are no rerankers here.", remedy="Leave rerank out.")
        done = rerank(
            ranked,
            words,
            _text_of(readers, _READ),
            self._reranker(stage.encoder),
            depth=stage.depth,
            budget_ms=math.inf if self._ends else stage.budget_ms,
        )
        if not done.done:
            return _unfinished(ranked, stage)
        order = sorted(done.scores, key=lambda key: -done.scores[key])
        places = {key: Place(rank, done.scores[key]) for rank, key in enumerate(order, start=1)}
        return Refined(done.ranked, places=places, reranked=True)


def _unfinished(ranked: Sequence[Fused], stage: Rerank) -> Refined:
    """Return the order as it was, with a note that there was not time enough to rerank it."""
    note = Note(
        RERANK,
        f"Reranking did not end within {stage.budget_ms:g} ms, so the order is that of "
        "the rankings, and pages that were reranked may repeat or skip hits of this one. "
        "Give it more time (budget_ms) or fewer texts (depth).",
    )
    return Refined(ranked, notes=(note,), reranked=False)


def _margin(target: Target, score_kind: ScoreKind, reranked: bool | None) -> float | None:
    """Return the margin by which contradictions go behind others: see `demote`.

    Reports go behind all, questions behind such as are nearly as good. Where these are fused by
    rank, or reranked, that cannot be told from their scores: they are marked and stay.
    """
    if target == "images":
        return None
    return 0.0 if reranked or score_kind == "rrf" else _MARGIN


def _text_of(
    readers: Sequence[IndexReader], columns: Mapping[str, tuple[str, ...]]
) -> Callable[[Key], str]:
    def text_of(key: Key) -> str:
        reader = readers[key.reader]
        read = reader.row(key.row, columns[reader.manifest.kind])
        return "\n".join(text for text in read.values() if text)

    return text_of


def _needed(query: Query) -> int | None:
    """Return how many places decide over the page; None if all, as each shows several records."""
    return None if query.group_size > 1 else query.offset + query.k


def _let_fall(ranked: Sequence[Fused]) -> list[Fused]:
    """Let what went behind score no more than what it went behind, so that scores still fall."""
    settled: list[Fused] = []
    lowest = float("inf")
    for one in ranked:
        lowest = min(lowest, one.score)
        settled.append(one if one.score == lowest else Fused(one.key, lowest))
    return settled

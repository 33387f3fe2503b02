"""What is done to the first hits once their words are read: reranking, and the guard."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from indexer.encoders.base import Reranker
from indexer.errors import QueryError
from indexer.store.reader import IndexReader
from service.retrieval.contradictions import demote
from service.retrieval.fusion import Fused, Key
from service.retrieval.hits import Note, Place
from service.retrieval.query import Query, Target, TextSource
from service.retrieval.rerank import rerank

RERANK = "rerank"
# Where a record states what is and what is not; options and answers do not speak of one case.
_STATING = MappingProxyType({"image": ("caption",), "text": ("question", "context")})
# What a reranker reads beside that: whether a text answers a question shows in its answer.
_READ = MappingProxyType({"image": ("caption",), "text": ("question", "context", "answer")})

# Behind which others contradictions are put: those of reports behind all, those of questions, whose
# scores are shares of 1, behind such as are nearly as good (`contradictions` has the figures).
_MARGINS: Mapping[Target, float] = MappingProxyType({"questions": 0.05})


@dataclass(frozen=True, slots=True)
class Refined:
    """The first tier in its final order.

    `contradicting` are the records that contradict the query, of those that were read: no more
    than the page needs. `places` says where a reranker put those that it read.
    """

    ranked: Sequence[Fused]
    contradicting: frozenset[Key] = frozenset()
    places: Mapping[Key, Place] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


class Refiner:
    """Reads the words of the first hits. `reranker` gives a loaded one by its catalogue key."""

    def __init__(self, reranker: Callable[[str], Reranker] | None = None) -> None:
        self._reranker = reranker

    def refine(
        self,
        ranked: Sequence[Fused],
        query: Query,
        readers: Sequence[IndexReader],
        place_of: Callable[[Key], Hashable],
    ) -> Refined:
        """Rerank the first tier if the query asks for it, then put contradictions behind others.

        A query without words contradicts nothing. `place_of` says which records share a place of
        the page.

        Raises
        ------
        QueryError
            A query without words is to be reranked.
        UnknownNameError, EncoderError
            There is no such reranker, or it cannot be loaded or fails.
        """
        words = "\n".join(one.text for one in query.sources if isinstance(one, TextSource))
        if query.rerank is not None:
            return self._rerank(ranked, query, words, readers, place_of)
        if not words:
            return Refined(ranked)
        guarded = demote(
            ranked,
            words,
            _text_of(readers, _STATING),
            margin=_MARGINS.get(query.target),
            needed=_needed(query),
            place_of=place_of,
        )
        return Refined(_let_fall(guarded.ranked), guarded.contradicting)

    def _rerank(
        self,
        ranked: Sequence[Fused],
        query: Query,
        words: str,
        readers: Sequence[IndexReader],
        place_of: Callable[[Key], Hashable],
    ) -> Refined:
        stage = query.rerank
        if stage is None or not words:
            raise QueryError("Reranking needs words.", remedy="Leave rerank out, or add words.")
        if self._reranker is None:
            raise QueryError("There are no rerankers here.", remedy="Leave rerank out.")
        done = rerank(
            ranked,
            words,
            _text_of(readers, _READ),
            self._reranker(stage.encoder),
            depth=stage.depth,
            budget_ms=stage.budget_ms,
        )
        notes = () if done.done else (
            Note(
                RERANK,
                f"Reranking did not end within {stage.budget_ms:g} ms, so the order is that of "
                "the rankings. Give it more time (budget_ms) or fewer texts (depth).",
            ),
        )  # fmt: skip
        order = sorted(done.scores, key=lambda key: -done.scores[key])
        places = {key: Place(rank, done.scores[key]) for rank, key in enumerate(order, start=1)}
        guarded = demote(
            done.ranked,
            words,
            _text_of(readers, _STATING),
            needed=_needed(query),
            place_of=place_of,
        )
        return Refined(guarded.ranked, guarded.contradicting, places, notes)


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

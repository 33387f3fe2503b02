"""Reads the first texts of a ranking together with the query, and puts the best first."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from indexer.encoders.base import Reranker
from service.retrieval.fusion import Fused, Key

BATCH_TEXTS = 8
"""Texts scored at once: between batches the time is looked at, and larger ones overrun it more."""


@dataclass(frozen=True, slots=True)
class Reranked:
    """A ranking after reranking, or as it was where there was not time enough (`done` False).

    `scores` are the reranker's, of the records that it read; those of `ranked` stay the fused ones.
    """

    ranked: tuple[Fused, ...]
    done: bool
    took_ms: float
    scores: dict[Key, float]


def rerank(
    ranked: Sequence[Fused],
    query_text: str,
    text_of: Callable[[Key], str],
    reranker: Reranker,
    *,
    depth: int,
    budget_ms: float,
    clock: Callable[[], float] = time.monotonic,
) -> Reranked:
    """Order the first `depth` records by how well their texts answer the query.

    A record without a text cannot be read and keeps its place. Equal scores keep their order. When
    `budget_ms` is used up and texts are left, what was scored is dropped and the order stays as it
    was. A batch that has begun is finished, so the time may be overrun by one. `clock`: seconds.

    Raises
    ------
    EncoderError
        The reranker fails.
    """
    began = clock()
    texts = {one.key: text_of(one.key) for one in ranked[: max(depth, 0)]}
    read = [key for key, text in texts.items() if text.strip()]
    by_length = sorted(read, key=lambda key: len(texts[key]))  # little padding in each batch
    scores: dict[Key, float] = {}
    for start in range(0, len(by_length), BATCH_TEXTS):
        if (clock() - began) * 1e3 >= budget_ms:
            return Reranked(tuple(ranked), False, (clock() - began) * 1e3, {})
        batch = by_length[start : start + BATCH_TEXTS]
        found = reranker.score(query_text, [texts[key] for key in batch])
        scores.update(zip(batch, found.tolist(), strict=True))
    order = _reorder(ranked, scores)
    return Reranked(order, True, (clock() - began) * 1e3, {key: scores[key] for key in read})


def _reorder(ranked: Sequence[Fused], scores: dict[Key, float]) -> tuple[Fused, ...]:
    """Put the scored records, best first, into the places that scored records hold."""
    scored = (one for one in ranked if one.key in scores)
    best = iter(sorted(scored, key=lambda one: -scores[one.key]))
    return tuple(next(best) if one.key in scores else one for one in ranked)

"""What is done to the first hits once their words are read: contradictions go behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from indexer.store.reader import IndexReader
from service.retrieval.contradictions import demote
from service.retrieval.fusion import Fused, Key
from service.retrieval.query import Query, TextSource

# Where a record states what is and what is not; options and answers do not speak of one case.
_STATING = MappingProxyType({"image": ("caption",), "text": ("question", "context")})


@dataclass(frozen=True, slots=True)
class Refined:
    """The first tier in its final order, and which of its records contradict the query."""

    ranked: tuple[Fused, ...]
    contradicting: frozenset[Key] = frozenset()


def refine(ranked: Sequence[Fused], query: Query, readers: Sequence[IndexReader]) -> Refined:
    """Return the first tier with what contradicts the query's words behind the rest.

    A query without words contradicts nothing. What goes behind scores no more than what it went
    behind, so that scores still fall.
    """
    words = "\n".join(source.text for source in query.sources if isinstance(source, TextSource))
    if not words:
        return Refined(tuple(ranked))

    def text_of(key: Key) -> str:
        reader = readers[key.reader]
        read = reader.row(key.row, _STATING[reader.manifest.kind])
        return "\n".join(text for text in read.values() if text)

    guarded = demote(ranked, words, text_of)
    settled: list[Fused] = []
    for one in guarded.ranked:
        previous = settled[-1].score if settled else float("inf")
        settled.append(Fused(one.key, min(one.score, previous)))
    return Refined(tuple(settled), guarded.contradicting)

"""How well a text could cover a query's words at most, by which BM25 becomes a share of 1."""

from collections.abc import Sequence

from indexer.store.reader import IndexReader
from indexer.text.tokenise import weigh


def ceilings(readers: Sequence[IndexReader], text: str) -> tuple[float, ...]:
    """Return for each reader the BM25 that none of its texts can exceed for some words.

    Words that a build does not hold count as the rarest of all: a text cannot cover them.
    """
    tokens = weigh(text)
    return tuple(reader.lexical_ceiling(tokens) for reader in readers)

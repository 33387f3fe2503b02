"""How well a text could cover a query's words at most, by which BM25 becomes a share of 1."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from indexer.store.reader import IndexReader
from indexer.text.tokenise import tokenise

# tantivy's k1 is 1.2: however often a text holds a word, that counts for k1 + 1 at most.
_SATURATION = 2.2


def ceilings(readers: Sequence[IndexReader], text: str) -> tuple[float, ...]:
    """Return for each reader the BM25 that none of its texts can exceed for some words.

    Words that a build does not hold count as the rarest of all: a text cannot cover them.
    """
    counts = Counter(tokenise(text))
    return tuple(_ceiling(reader, counts) for reader in readers)


def _ceiling(reader: IndexReader, counts: Mapping[str, int]) -> float:
    """Return the sum of each word's weight (its idf as tantivy computes it) times k1 + 1."""
    records = reader.manifest.counts.records
    total = 0.0
    for token, times in counts.items():
        holding = reader.records_with(token)
        total += times * math.log1p((records - holding + 0.5) / (holding + 0.5))
    return _SATURATION * total

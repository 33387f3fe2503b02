"""How well a text could cover a query's words at most, by which BM25 becomes a share of 1."""

import math
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from indexer.store.reader import IndexReader
from indexer.text.tokenise import tokenise

if TYPE_CHECKING:
    import tantivy

# tantivy's k1 is 1.2: however often a text holds a word, that counts for k1 + 1 at most.
_SATURATION = 2.2
_LEXICAL_FOLDER = "lexical"
_TEXT_FIELD = "text"


class CoverageCache:
    """Knows how rare each word is in the live build of each index. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._searchers: dict[str, tuple[str, tantivy.Searcher]] = {}

    def ceilings(self, readers: Sequence[IndexReader], text: str) -> tuple[float, ...]:
        """Return for each reader the BM25 that none of its texts can exceed for some words.

        Words that a build does not hold count as the rarest of all: a text cannot cover them.
        """
        counts = Counter(tokenise(text))
        return tuple(_ceiling(self._searcher(reader), counts) for reader in readers)

    def _searcher(self, reader: IndexReader) -> "tantivy.Searcher":
        with self._lock:
            build_id, searcher = self._searchers.get(reader.name, ("", None))
            if searcher is None or build_id != reader.build_id:
                import tantivy

                searcher = tantivy.Index.open(str(reader.folder / _LEXICAL_FOLDER)).searcher()
                self._searchers[reader.name] = (reader.build_id, searcher)
            return searcher


def _ceiling(searcher: "tantivy.Searcher", counts: Mapping[str, int]) -> float:
    """Return the sum of each word's weight (its idf as tantivy computes it) times k1 + 1."""
    records = searcher.num_docs
    total = 0.0
    for token, times in counts.items():
        holding = searcher.doc_freq(_TEXT_FIELD, token)
        total += times * math.log1p((records - holding + 0.5) / (holding + 0.5))
    return _SATURATION * total

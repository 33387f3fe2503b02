"""The full-text index of a build: BM25 over tokens that the project cuts itself.

tantivy stores and ranks; which tokens there are is decided by `indexer.text.tokenise`, the same
function when building and when asking. Tokens are joined by single spaces, so that tantivy's
white-space tokenizer gives exactly them back.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from indexer.errors import CorruptBuildError
from indexer.records import AnyRecord, ImageRecord
from indexer.store.files import sync_tree
from indexer.text.questions import lexical_text
from indexer.text.tokenise import tokenise

if TYPE_CHECKING:
    import tantivy

_HEAP_BYTES = 128 << 20
# A note pasted as a query repeats itself; beyond these the rarest tokens decide anyway.
_MAX_QUERY_TOKENS = 256
_TEXT, _ROW = "text", "row"


def searchable_text(record: AnyRecord) -> str:
    """Return the words under which a record is found by the full-text index."""
    if not isinstance(record, ImageRecord):
        return lexical_text(record)
    named = (record.caption, record.modality, record.body_part, *record.labels)
    return "\n".join(part for part in named if part)


def build_lexical(records: Iterable[AnyRecord], folder: Path) -> None:
    """Write the full-text index of records, row after row, into an empty folder."""
    import tantivy

    folder.mkdir()
    index = tantivy.Index(_schema(), path=str(folder))
    # One thread: rows then lie in their order, and equal scores rank in the order of rows.
    writer = index.writer(_HEAP_BYTES, num_threads=1)
    for row, record in enumerate(records):
        document = tantivy.Document()
        document.add_text(_TEXT, " ".join(tokenise(searchable_text(record))))
        document.add_unsigned(_ROW, row)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
    sync_tree(folder)


class LexicalIndex:
    """An open full-text index."""

    def __init__(self, folder: Path, rows: int) -> None:
        """Open the index of a build with that many rows.

        Raises
        ------
        CorruptBuildError
            tantivy cannot open the folder.
        """
        import tantivy

        try:
            index = tantivy.Index.open(str(folder))
            self._searcher = index.searcher()
        except (ValueError, OSError) as error:
            raise CorruptBuildError(
                f"The full-text index of build {folder.parent.name} cannot be opened.",
                remedy="Rebuild the index with `medsearch index`.",
            ) from error
        self._schema = index.schema
        self._rows = rows

    def search(
        self, text: str, count: int, allowed: npt.NDArray[np.bool_] | None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return rows int64 (m,) and BM25 scores float32 (m,), best first, ties by row; m <= count.

        With `allowed`, ranks are read until `count` allowed rows are found or none is left, so
        the answer is that of ranking the allowed rows alone.
        """
        query = self._query(text)
        if query is None or count <= 0 or self._rows == 0:
            return _nothing()
        depth = min(self._rows, count if allowed is None else 4 * count)
        while True:
            # One more than asked for: rows that tie with the last must be seen to be ordered.
            hits = self._searcher.search(query, depth, count=False).hits
            rows, scores = self._read(hits)
            if allowed is not None:
                keep = allowed[rows]
                rows, scores = rows[keep], scores[keep]
            if len(rows) >= count or len(hits) < depth or depth >= self._rows:
                order = np.lexsort((rows, -scores))[:count]
                return rows[order], scores[order]
            depth = min(self._rows, 4 * depth)

    def _read(
        self, hits: list[tuple[float, Any]]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        if not hits:
            return _nothing()
        rows = self._searcher.fast_field_values(_ROW, [address for _, address in hits])
        return np.array(rows, np.int64), np.array([score for score, _ in hits], np.float32)

    def _query(self, text: str) -> "tantivy.Query | None":
        """Return the query for any of the tokens, each weighed by how often it was said."""
        import tantivy

        counts = Counter(tokenise(text))
        if len(counts) > _MAX_QUERY_TOKENS:
            counts = self._rarest(counts)
        if not counts:
            return None
        clauses = []
        for token, times in counts.items():
            query = tantivy.Query.term_query(self._schema, _TEXT, token, index_option="freq")
            weighed = tantivy.Query.boost_query(query, float(times)) if times > 1 else query
            clauses.append((tantivy.Occur.Should, weighed))
        return tantivy.Query.boolean_query(clauses)

    def _rarest(self, counts: Counter[str]) -> Counter[str]:
        """Keep the tokens that the fewest records hold, leaving out those that none does."""
        known = {token: self._searcher.doc_freq(_TEXT, token) for token in counts}
        ranked = sorted((held, token) for token, held in known.items() if held)
        return Counter({token: counts[token] for _, token in ranked[:_MAX_QUERY_TOKENS]})


def _schema() -> "tantivy.Schema":
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field(_TEXT, stored=False, tokenizer_name="whitespace", index_option="freq")
    builder.add_unsigned_field(_ROW, stored=False, indexed=False, fast=True)
    return builder.build()


def _nothing() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    return np.empty(0, np.int64), np.empty(0, np.float32)

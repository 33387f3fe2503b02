"""The full-text index of a build: BM25 over tokens that the project cuts itself.

tantivy stores and ranks; which tokens there are is decided by `indexer.text.tokenise`, the same
function when building and when asking. Tokens are joined by single spaces, so that tantivy's
white-space tokenizer gives exactly them back.
"""

import hashlib
import math
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from shutil import rmtree
from stat import S_IMODE
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.errors import CorruptBuildError, StoreError
from indexer.records import AnyRecord, ImageRecord
from indexer.text.questions import lexical_text
from indexer.text.tokenise import tokenise, weigh
from indexer.text.wordings import FOLDED

if TYPE_CHECKING:
    import tantivy

Words: TypeAlias = str | Mapping[str, float]
"""A text, or its tokens with what each counts, as `indexer.text.tokenise.weigh` gives them."""

LEXICAL_NAME = "lexical"
_HEAP_BYTES = 128 << 20
# A note pasted as a query repeats itself; beyond these the rarest tokens decide anyway.
_MAX_QUERY_TOKENS = 256
_REMOVALS, _REMOVAL_PAUSE_S = 20, 0.01
# tantivy's k1 is 1.2: however often a text holds a word, that counts for k1 + 1 at most.
_SATURATION = 2.2
_TEXT, _ROW = "text", "row"
# Says by example how words are cut: every kind of token that the tokeniser knows, every wording.
_SPECIMEN = "COVID-19 patients' IL-6 was 1,234.5 at follow-up; 急性心肌梗死的治療 β-blockers café\n"
_SPECIMENS = _SPECIMEN + "\n".join(FOLDED)


def searchable_text(record: AnyRecord) -> str:
    """Return the words under which a record is found by the full-text index."""
    if not isinstance(record, ImageRecord):
        return lexical_text(record)
    named = (record.caption, record.modality, record.body_part, *record.labels)
    return "\n".join(part for part in named if part)


def cutting_digest() -> str:
    """Return a digest of how words are cut: indexes made with another one answer differently."""
    return hashlib.sha256(" ".join(tokenise(_SPECIMENS)).encode()).hexdigest()[:16]


def build_lexical(records: Iterable[AnyRecord], folder: Path) -> None:
    """Write the full-text index of records, row after row, into a new folder.

    Raises
    ------
    StoreError
        tantivy could not write it.
    """
    import tantivy

    folder.mkdir()
    try:
        index = tantivy.Index(_schema(), path=str(folder))
        # One thread: rows lie in their order, and the same records give the same segments.
        writer = index.writer(_HEAP_BYTES, num_threads=1)
        for row, record in enumerate(records):
            document = tantivy.Document()
            document.add_text(_TEXT, " ".join(tokenise(searchable_text(record))))
            document.add_unsigned(_ROW, row)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        _tidy(folder)
    except ValueError as error:
        raise StoreError(
            f"The full-text index could not be written ({error}).",
            remedy="Free some space and run the same command again: it goes on where it stopped.",
        ) from error


def _tidy(folder: Path) -> None:
    """Delete tantivy's locks; let everybody read all files who may read any.

    tantivy makes some of them for their owner alone, but a service may run as another user.
    """
    for lock in folder.glob("*.lock"):
        lock.unlink()
    paths = list(folder.iterdir())
    mode = 0
    for path in paths:
        mode |= S_IMODE(path.stat().st_mode)
    for path in paths:
        path.chmod(mode)


class LexicalIndex:
    """An open full-text index."""

    def __init__(self, folder: Path, rows: int) -> None:
        """Open the index of a build with that many rows.

        Raises
        ------
        CorruptBuildError
            tantivy cannot open the folder.
        """
        try:
            self._searcher, self._schema = _open_searcher(folder)
        except (ValueError, OSError) as error:
            raise CorruptBuildError(
                f"The full-text index of build {folder.parent.name} cannot be opened.",
                remedy="Rebuild the index with `medsearch index`.",
            ) from error
        self._rows = rows

    def search(
        self, words: Words, count: int, allowed: npt.NDArray[np.bool_] | None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Return rows int64 (m,) and BM25 scores float32 (m,), best first, ties by row; m <= count.

        Ranks are read until `count` allowed rows are found, and all that tie with the last, or
        none is left: the answer is that of ranking the allowed rows alone.
        """
        query = self._query(self.asked(words))
        if query is None or count <= 0 or self._rows == 0:
            return _nothing()
        depth = count + 1 if allowed is None else 4 * count
        while True:
            depth = min(depth, self._rows)
            hits = self._searcher.search(query, depth, count=False).hits
            rows, scores = self._read(hits)
            edge = scores[-1] if len(hits) == depth < self._rows else -np.inf
            if allowed is not None:
                keep = allowed[rows]
                rows, scores = rows[keep], scores[keep]
            order = np.lexsort((rows, -scores))[:count]
            # Rows that were not read score `edge` at most.
            if edge == -np.inf or (len(order) == count and scores[order[-1]] > edge):
                return rows[order], scores[order]
            depth *= 4

    def asked(self, words: Words) -> Mapping[str, float]:
        """Return the tokens that a search for some words asks for: of very many, the rarest."""
        weights = _weighed(words)
        return self._rarest(weights) if len(weights) > _MAX_QUERY_TOKENS else weights

    def records_with(self, token: str) -> int:
        """Return how many records hold a token, as `indexer.text.tokenise` cuts it."""
        return int(self._searcher.doc_freq(_TEXT, token))

    def ceiling(self, words: Words) -> float:
        """Return the BM25 that no text can exceed for some words: each one's share times k1 + 1.

        A word's share is its weight times its idf as tantivy computes it. Words that no record
        holds count as the rarest of all: a text cannot cover them.
        """
        total = 0.0
        for token, weight in _weighed(words).items():
            holding = self.records_with(token)
            total += weight * math.log1p((self._rows - holding + 0.5) / (holding + 0.5))
        return _SATURATION * total

    def _read(
        self, hits: list[tuple[float, Any]]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        if not hits:
            return _nothing()
        rows = self._searcher.fast_field_values(_ROW, [address for _, address in hits])
        return np.array(rows, np.int64), np.array([score for score, _ in hits], np.float32)

    def _query(self, weights: Mapping[str, float]) -> "tantivy.Query | None":
        """Return the query for any of the tokens, each with its weight."""
        import tantivy

        if not weights:
            return None
        clauses = []
        for token, weight in weights.items():
            query = tantivy.Query.term_query(self._schema, _TEXT, token, index_option="freq")
            weighed = tantivy.Query.boost_query(query, weight) if weight > 1 else query
            clauses.append((tantivy.Occur.Should, weighed))
        return tantivy.Query.boolean_query(clauses)

    def _rarest(self, weights: Mapping[str, float]) -> dict[str, float]:
        """Keep the tokens that the fewest records hold, leaving out those that none does."""
        known = {token: self.records_with(token) for token in weights}
        ranked = sorted((held, token) for token, held in known.items() if held)
        return {token: weights[token] for _, token in ranked[:_MAX_QUERY_TOKENS]}


def _weighed(words: Words) -> Mapping[str, float]:
    return weigh(words) if isinstance(words, str) else words


def _open_searcher(folder: Path) -> "tuple[tantivy.Searcher, tantivy.Schema]":
    """Open the index through links in a folder of its own, which goes away at once.

    tantivy wants to write a lock file beside what it opens, but a build never changes and may lie
    on a read-only volume. Once there is a searcher, all files are mapped and no name is needed.
    """
    links = Path(mkdtemp(prefix="medsearch-"))
    try:
        for path in folder.resolve().iterdir():
            if path.suffix != ".lock":
                (links / path.name).symlink_to(path)
        return _searcher_of(links)
    finally:
        _remove(links)


def _searcher_of(folder: Path) -> "tuple[tantivy.Searcher, tantivy.Schema]":
    import tantivy

    index = tantivy.Index.open(str(folder))
    return index.searcher(), index.schema


def _remove(links: Path) -> None:
    """Delete a folder in which a thread of tantivy's may still be about to take its lock once."""
    for _ in range(_REMOVALS):
        rmtree(links, ignore_errors=True)
        if not links.exists():
            return
        time.sleep(_REMOVAL_PAUSE_S)


def _schema() -> "tantivy.Schema":
    import tantivy

    builder = tantivy.SchemaBuilder()
    builder.add_text_field(_TEXT, stored=False, tokenizer_name="whitespace", index_option="freq")
    builder.add_unsigned_field(_ROW, stored=False, indexed=False, fast=True)
    return builder.build()


def _nothing() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    return np.empty(0, np.int64), np.empty(0, np.float32)

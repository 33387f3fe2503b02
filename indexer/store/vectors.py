"""The embeddings of one field, searched. FAISS proposes, the memory-mapped vectors decide.

Scores are computed in double precision, each row by itself, and rounded to float32: they depend on
nothing but the query and the vector, so equal vectors tie exactly and rank by row.

A filtered search is exact. FAISS scores every allowed vector from its codes, with an error that was
bounded when the index was built; candidates are taken until the k-th true score lies above all that
an unseen vector could reach. A filter usually follows the clusters (one modality, one dataset), and
then the lists nearest to a query hold hardly any allowed vector, so lists are of no use here.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexer.store.arrays import read_array
from indexer.store.faiss_index import FaissIndex
from indexer.store.manifest import FieldManifest

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Ranked = tuple[Rows, Vectors]

# Up to so many allowed vectors are fetched and scored at once: less work than asking FAISS first,
# which looks at the codes of all (a query among 3,000 of 600,000 x 512: 2.3 ms against 6.1; among
# 30,000: 17 against 13).
_FEW = 20_000
# A sum of d products in single precision is off by d * 2**-24 times both lengths at most (Higham,
# Accuracy and Stability of Numerical Algorithms, 2002, eq. 3.5); twice that is allowed for.
_SINGLE_ROUNDING = 2.0**-23
# Candidates: at first, by how much more if these did not settle it, and where to stop asking.
_FIRST_CANDIDATES = 64
_MORE_CANDIDATES = 8
_MOST_CANDIDATES = 1 << 15
# Only what is many times what is wanted is screened first.
_SCREENED = 8
# Vectors scored at a time: bounds memory (2,048 x 512 doubles are 8 MB).
_BLOCK = 2048


class FieldVectors:
    """One field of an open build."""

    def __init__(self, folder: Path, name: str, field: FieldManifest, records: int) -> None:
        self.vectors: Vectors = read_array(folder / f"{name}.vectors.npy")
        self.rows: Rows = read_array(folder / f"{name}.rows.npy")
        self._dim = field.dim
        self._depth = field.structure.depth
        self._index = FaissIndex(folder / f"{name}.faiss", field.structure, len(self.vectors))
        # Usually record i has vector i: then rows need no translation.
        self._aligned = len(self.rows) == records and bool((self.rows == np.arange(records)).all())
        self._single = bool((np.diff(self.rows) > 0).all())  # no record has two

    def search(self, queries: Vectors, k: int, allowed: Mask | None, exact: bool) -> list[Ranked]:
        """Return ranked rows and scores for each query; see `IndexReader.search`."""
        queries = np.ascontiguousarray(queries, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self._dim or not np.isfinite(queries).all():
            message = f"queries must be finite numbers of shape (q, {self._dim})"
            raise ValueError(message)
        if k <= 0 or len(self.vectors) == 0:
            return [_nothing() for _ in queries]
        if allowed is not None:
            return self._search_allowed(queries, k, allowed)
        if exact or self._index.is_exhaustive:
            return [self._search_all(query, k, None, len(self.vectors)) for query in queries]
        return self._search_nearest_lists(queries, k)

    def of_row(self, row: int) -> Vectors | None:
        """Return the first embedding of a record row, or None."""
        if self._aligned:
            return np.array(self.vectors[row])
        position = int(np.searchsorted(self.rows, row))
        if position < len(self.rows) and int(self.rows[position]) == row:
            return np.array(self.vectors[position])
        return None

    def _search_allowed(self, queries: Vectors, k: int, allowed: Mask) -> list[Ranked]:
        mask = allowed if self._aligned else allowed[self.rows]
        reachable = int(np.count_nonzero(mask))
        if reachable <= _FEW:
            few = np.flatnonzero(mask)
            return [self._rank(few, query, k) for query in queries]
        return [self._search_all(query, k, mask, reachable) for query in queries]

    def _search_nearest_lists(self, queries: Vectors, k: int) -> list[Ranked]:
        """Rank what the nearest lists propose; compare everything where they hold too little."""
        count = min(len(self.vectors), max(k * self._depth, _FIRST_CANDIDATES))
        found = []
        for query, proposed in zip(queries, self._index.propose(queries, count), strict=True):
            ranked = self._rank(np.sort(proposed[proposed >= 0]), query, k)
            if len(ranked[0]) < k:
                ranked = self._search_all(query, k, None, len(self.vectors))
            found.append(ranked)
        return found

    def _search_all(self, query: Vectors, k: int, mask: Mask | None, reachable: int) -> Ranked:
        """Return exactly the best of the `reachable` vectors that the mask allows."""
        margin = self._index.margin(query)
        count = max(4 * k, _FIRST_CANDIDATES)
        while count < min(reachable, _MOST_CANDIDATES):
            positions, approximate = self._index.propose_all(query, count, mask)
            rows, scores = self._rank(positions, query, k)
            if len(rows) == k and scores[-1] > approximate[-1] + margin:
                return rows, scores
            count *= _MORE_CANDIDATES
        # Few vectors, or a great many that tie: score each of them.
        return self._rank(np.arange(len(self.vectors)) if mask is None else np.flatnonzero(mask),
                          query, k)  # fmt: skip

    def _rank(self, positions: Rows, query: Vectors, k: int) -> Ranked:
        """Return the k best records: by falling score, then by row; each with its best score."""
        if self._single and len(positions) > _SCREENED * k:
            positions = self._screen(positions, query, k)
        scores = self._score(positions, query)
        rows = self.rows[positions]
        order = np.lexsort((rows, -scores))
        if not self._aligned:
            _, first = np.unique(rows[order], return_index=True)
            order = order[np.sort(first)]
        order = order[:k]
        return np.asarray(rows[order]), scores[order]

    def _screen(self, positions: Rows, query: Vectors, k: int) -> Rows:
        """Return those that may be among the k best, by single precision and its error."""
        rough = np.empty(len(positions), np.float32)
        for start in range(0, len(positions), _BLOCK):
            block = slice(start, start + _BLOCK)
            # A product by BLAS would wait for its threads, as FAISS's does.
            rough[block] = np.einsum("ij,j->i", self.vectors[positions[block]], query)
        margin = _SINGLE_ROUNDING * len(query) * float(np.linalg.norm(query))
        least = np.partition(rough, len(rough) - k)[len(rough) - k] - 2 * margin
        return np.asarray(positions[rough >= least])

    def _score(self, positions: Rows, query: Vectors) -> Vectors:
        """Return the inner products, each summed by itself in double precision."""
        wide = query.astype(np.float64)
        scores = np.empty(len(positions), np.float32)
        for start in range(0, len(positions), _BLOCK):
            block = slice(start, start + _BLOCK)
            scores[block] = (self.vectors[positions[block]] * wide).sum(axis=1)
        return scores


def _nothing() -> Ranked:
    return np.empty(0, np.int64), np.empty(0, np.float32)

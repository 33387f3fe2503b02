"""The embeddings of one field, searched. Codes propose, the memory-mapped vectors decide.

Scores are computed in double precision, each row by itself, and rounded to float32: they depend on
nothing but the query and the vector, so equal vectors tie exactly and rank by row.

A filtered search is exact. Every allowed vector is looked at through its code, which tells what it
scores at most; candidates are taken until the k-th true score lies above all that an unseen vector
could reach. A filter usually follows the clusters (one modality, one dataset), and then the lists
nearest to a query hold hardly any allowed vector, so lists are of no use here.
"""

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from indexer.store.arrays import read_array
from indexer.store.code_lists import CodeLists
from indexer.store.faiss_index import FaissIndex
from indexer.store.field_manifest import FieldManifest, SearchStructure
from indexer.store.plain_vectors import PlainVectors
from indexer.store.subset import Mask, Part, Subset

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Ranked = tuple[Rows, Vectors]

# Candidates: how many more than k are scored at first, how many are proposed (a second look at all
# costs much more than a few hundred candidates too many), by how much more if these did not settle
# it, and where to stop asking.
_SPARE = 20
_FIRST_CANDIDATES = 512
_MORE_CANDIDATES = 8
_MOST_CANDIDATES = 1 << 17
# Candidates from the nearest lists, at least.
_LEAST_NEAR = 64
# Vectors scored at a time: bounds memory (2,048 x 512 doubles are 8 MB).
_BLOCK = 2048


class Proposes(Protocol):
    """What tells of any vectors which may be the best: see `CodeLists`."""

    def margin(self, query: Vectors) -> float:
        """Return by how much a vector may score more than `propose` says of it."""

    def propose(self, query: Vectors, count: int, among: Part | None) -> tuple[Rows, Vectors]:
        """Return the `count` rows that may score most, best first, and what they may score."""


class FieldVectors:
    """One field of an open build."""

    def __init__(self, folder: Path, name: str, field: FieldManifest, records: int) -> None:
        self.vectors: Vectors = read_array(folder / f"{name}.vectors.npy")
        self.rows: Rows = read_array(folder / f"{name}.rows.npy")
        self._name, self._dim = name, field.dim
        self._structure = field.structure
        self._lists = _open_lists(folder, name, field.structure, self.vectors)
        # Where codes cannot tell the best apart, the vectors are compared themselves.
        self._proposing: tuple[Proposes, ...] = (
            (PlainVectors.open(folder / f"{name}.faiss", self.vectors),)
            if self._lists is None
            else (self._lists, PlainVectors(self.vectors))
        )
        # Usually record i has vector i: then rows need no translation.
        self._aligned = len(self.rows) == records and bool((self.rows == np.arange(records)).all())

    def search(self, queries: Vectors, k: int, allowed: Subset | None, exact: bool) -> list[Ranked]:
        """Return ranked rows and scores for each query; see `IndexReader.search`."""
        queries = np.ascontiguousarray(queries, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self._dim or not np.isfinite(queries).all():
            message = f"queries must be finite numbers of shape (q, {self._dim})"
            raise ValueError(message)
        if k <= 0 or len(self.vectors) == 0:
            return [_nothing() for _ in queries]
        if allowed is not None:
            part = allowed.part(self._name, self._places_of)
            found = [self._search_all(query, k, part) for query in queries]
            part.searches += 1
            return found
        if exact or self._structure.is_exhaustive:
            return [self._search_all(query, k, None) for query in queries]
        return [self._search_nearest_lists(query, k) for query in queries]

    def of_row(self, row: int) -> Vectors | None:
        """Return the first embedding of a record row, or None."""
        place = self.place_of(row)
        return None if place is None else np.array(self.vectors[place])

    def scores_of(self, query: Vectors, rows: Rows) -> Vectors:
        """Return what records score: float32 (m,), of several embeddings the best, NaN for none."""
        scores = np.full(len(rows), np.nan, np.float32)
        starts, ends = (np.searchsorted(self.rows, rows, side) for side in ("left", "right"))
        for place, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            if start < end:
                scores[place] = self._score(np.arange(start, end), query).max()
        return scores

    def place_of(self, row: int) -> int | None:
        """Return the place among the vectors of a record row's first, or None."""
        if self._aligned:
            return row
        place = int(np.searchsorted(self.rows, row))
        return place if place < len(self.rows) and int(self.rows[place]) == row else None

    def _places_of(self, mask: Mask) -> Rows:
        """Return the places of the vectors of some records, rising."""
        return np.flatnonzero(mask if self._aligned else mask[self.rows])

    def _search_nearest_lists(self, query: Vectors, k: int) -> Ranked:
        """Rank what the nearest lists propose; compare everything where they hold too little."""
        if self._lists is not None:
            count = max(k * self._structure.depth, _LEAST_NEAR)
            proposed = self._lists.propose_near(query, count, self._structure.nprobe)
            ranked = self._rank(proposed, query, k)
            if len(ranked[0]) == k:
                return ranked
        return self._search_all(query, k, None)

    def _search_all(self, query: Vectors, k: int, among: Part | None) -> Ranked:
        """Return exactly the best of some vectors, or of all."""
        reachable = len(self.vectors) if among is None else len(among)
        if reachable > k + _SPARE:
            for proposing in self._proposing:
                margin = proposing.margin(query)
                count = max(8 * k, _FIRST_CANDIDATES)
                while count <= _MOST_CANDIDATES:
                    places, most = proposing.propose(query, min(count, reachable), among)
                    ranked = self._settle(query, k, places, most + np.float32(margin))
                    if ranked is not None:
                        return ranked
                    if count >= reachable:
                        break
                    count *= _MORE_CANDIDATES
        # Few vectors, or a great many that tie: score each of them.
        places = np.arange(reachable) if among is None else among.places
        return self._rank(places, query, k)

    def _settle(self, query: Vectors, k: int, places: Rows, most: Vectors) -> Ranked | None:
        """Return the k best, or None if vectors beyond `places` could be among them.

        `most` falls; it is what each scores at most, and no other vector scores more than the last.
        """
        scores = np.empty(0, np.float32)
        needed = k + _SPARE
        while needed < len(places):
            scores = np.concatenate([scores, self._score(places[len(scores) : needed], query)])
            rows, best = self._order(places[:needed], scores, k)
            if len(rows) < k:
                needed *= _MORE_CANDIDATES
                continue
            needed = int(np.searchsorted(-most, -best[-1], side="right"))
            if needed <= len(scores):
                return rows, best
        return None

    def _rank(self, places: Rows, query: Vectors, k: int) -> Ranked:
        """Return the k best records: by falling score, then by row; each with its best score."""
        return self._order(places, self._score(places, query), k)

    def _order(self, places: Rows, scores: Vectors, k: int) -> Ranked:
        rows = self.rows[places]
        order = np.lexsort((rows, -scores))
        if not self._aligned:
            _, first = np.unique(rows[order], return_index=True)
            order = order[np.sort(first)]
        order = order[:k]
        return np.asarray(rows[order]), scores[order]

    def _score(self, places: Rows, query: Vectors) -> Vectors:
        """Return the inner products, each summed by itself in double precision."""
        wide = query.astype(np.float64)
        scores = np.empty(len(places), np.float32)
        for start in range(0, len(places), _BLOCK):
            block = slice(start, start + _BLOCK)
            scores[block] = (self.vectors[places[block]] * wide).sum(axis=1)
        return scores


def _open_lists(
    folder: Path, name: str, structure: SearchStructure, vectors: Vectors
) -> CodeLists | FaissIndex | None:
    match structure.kind:
        case "flat":
            return None
        case "ivf_sq8":
            return FaissIndex(folder / f"{name}.faiss", structure, len(vectors))
        case "code_lists":
            return CodeLists.open(folder, name, structure, vectors)


def _nothing() -> Ranked:
    return np.empty(0, np.int64), np.empty(0, np.float32)

"""Candidates by the vectors themselves, in single precision: nothing is lost but rounding."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.store.faiss_files import codes_of, open_faiss, unusable
from indexer.store.subset import Part

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

# A float32 sum of d products of unit vectors is off by at most d * 2**-24 (Higham, Accuracy and
# Stability of Numerical Algorithms, 2002, eq. 3.5). Four times that also covers sums of sums, and
# the rounding of scores themselves.
_ROUNDING = 2.0**-22


class PlainVectors:
    """Unit rows float32 (n, d), memory-mapped. Safe to share by threads."""

    def __init__(self, vectors: Vectors) -> None:
        self._faiss: Any = import_module("faiss")
        self._vectors = vectors
        self._index: Any = None

    @classmethod
    def open(cls, path: Path, vectors: Vectors) -> "PlainVectors":
        """Memory-map the FAISS file that holds the same vectors.

        Raises
        ------
        CorruptBuildError
            As `open_faiss`, or it is not of their dimension.
        """
        index = open_faiss(path, len(vectors))
        if index.d != vectors.shape[1]:
            raise unusable(path)
        plain = cls(codes_of(index).view(np.float32))
        plain._index = index  # its memory goes with it
        return plain

    def margin(self, query: Vectors) -> float:
        """Return by how much a vector may score more than `propose` says of it."""
        return rounding(query)

    def propose(self, query: Vectors, count: int, among: Part | None) -> tuple[Rows, Vectors]:
        """Return the `count` best rows of some, or of all, and their scores.

        int64 (m,) and float32 (m,), best first; m < count only if these are all.
        """
        # A service answers several queries at once, each on a thread of its own. More threads
        # for one query only wait for each other: 10,000 x 512 took 42 ms by default on two busy
        # cores, .8 ms with one. OpenMP keeps this setting for each calling thread.
        self._faiss.omp_set_num_threads(1)
        if among is None:
            [scores], [rows] = self._faiss.knn(
                query[np.newaxis], self._vectors, min(count, len(self._vectors)),
                metric=self._faiss.METRIC_INNER_PRODUCT,
            )  # fmt: skip
            return rows, scores
        places = among.places
        scores = self._score(query, places)
        if count < len(places):
            chosen = np.argpartition(-scores, count)[:count]
            places, scores = places[chosen], scores[chosen]
        order = np.argsort(-scores, kind="stable")
        return places[order], scores[order]

    def _score(self, query: Vectors, rows: Rows) -> Vectors:
        scores = np.empty(len(rows), np.float32)
        pointer = self._faiss.swig_ptr
        self._faiss.fvec_inner_products_by_idx(
            pointer(scores), pointer(query), pointer(self._vectors),
            pointer(np.ascontiguousarray(rows)), len(query), 1, len(rows),
        )  # fmt: skip
        return scores


def rounding(query: Vectors) -> float:
    """Return by how much the score of a unit vector for a query (d,) is off by rounding at most."""
    return float(np.linalg.norm(query.astype(np.float64))) * _ROUNDING * len(query)

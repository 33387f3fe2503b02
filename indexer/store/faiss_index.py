"""Asking the FAISS file of one field: candidates from the nearest lists, or from every vector.

What FAISS answers with are candidates; `indexer.store.vectors` scores them anew. Files are
memory-mapped, so several processes share one copy.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.errors import CorruptBuildError
from indexer.store.manifest import SearchStructure

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# A float32 sum of d products of unit vectors is off by at most d * 2**-24 (Higham, Accuracy and
# Stability of Numerical Algorithms, 2002, eq. 3.5). Four times that also covers the sum of a list's
# centre and its residual, and the rounding of scores themselves.
_ROUNDING = 2.0**-22


class FaissIndex:
    """The open FAISS file of a field with `count` vectors. Safe to share between threads."""

    def __init__(self, path: Path, structure: SearchStructure, count: int) -> None:
        """Memory-map the file.

        Raises
        ------
        CorruptBuildError
            FAISS cannot make sense of the file, or it holds another number of vectors.
        """
        self._faiss: Any = import_module("faiss")
        self._structure = structure
        try:
            self._index = self._faiss.read_index(str(path), self._faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise _unusable(path) from error
        if self._index.ntotal != count:
            raise _unusable(path)

    @property
    def is_exhaustive(self) -> bool:
        """Whether a plain search has to compare every vector anyway."""
        return self._structure.nprobe >= self._structure.nlist

    def margin(self, query: Vectors) -> float:
        """Return by how much an approximate score of `query` (d,) can differ from the true one.

        By Cauchy and Schwarz, a code that lies e from its vector scores within e times the query's
        length; rounding comes on top.
        """
        length = float(np.linalg.norm(query.astype(np.float64)))
        return length * (self._structure.code_error + _ROUNDING * len(query))

    def propose(self, queries: Vectors, count: int) -> Rows:
        """Return candidates (q, count) from the lists nearest to each query, -1 where none is."""
        parameters = self._faiss.SearchParametersIVF(nprobe=self._structure.nprobe)
        _, positions = self._search(queries, count, parameters)
        return np.asarray(positions, np.int64)

    def propose_all(self, query: Vectors, count: int, allowed: Mask | None) -> tuple[Rows, Vectors]:
        """Return the `count` best of all vectors, or of the allowed, by approximate score.

        Positions int64 (m,) and scores float32 (m,), best first; m < count only if these are all.
        """
        options: dict[str, Any] = {}
        if allowed is not None:
            # FAISS reads these bits while it searches: they must outlive the call.
            bits = np.packbits(allowed, bitorder="little")
            options["sel"] = self._faiss.IDSelectorBitmap(len(allowed), self._faiss.swig_ptr(bits))
        if self._structure.kind == "flat":
            parameters = self._faiss.SearchParameters(**options)
        else:
            parameters = self._faiss.SearchParametersIVF(nprobe=self._structure.nlist, **options)
        [scores], [positions] = self._search(query[np.newaxis], count, parameters)
        found = positions >= 0
        return np.asarray(positions[found], np.int64), np.asarray(scores[found], np.float32)

    def _search(self, queries: Vectors, count: int, parameters: Any) -> tuple[Vectors, Rows]:
        # A service answers several queries at once, each on a thread of its own. More threads
        # for one query only wait for each other: 10,000 x 512 took 42 ms by default on two busy
        # cores, .8 ms with one. OpenMP keeps this setting for each calling thread.
        self._faiss.omp_set_num_threads(1)
        scores, positions = self._index.search(queries, count, params=parameters)
        return scores, positions


def _unusable(path: Path) -> CorruptBuildError:
    return CorruptBuildError(
        f"FAISS cannot use {path.name} of build {path.parent.name}.",
        remedy="Rebuild the index with `medsearch index`.",
    )

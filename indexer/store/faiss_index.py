"""FAISS files of lists of residual codes, as builds up to format 2 have them.

What FAISS answers with are candidates; `indexer.store.vectors` scores them anew. Files are
memory-mapped, so several processes share one copy.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.store.faiss_files import open_faiss
from indexer.store.field_manifest import SearchStructure
from indexer.store.plain_vectors import rounding
from indexer.store.subset import Part

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


class FaissIndex:
    """The open FAISS file of a field with `count` vectors. Safe to share between threads."""

    def __init__(self, path: Path, structure: SearchStructure, count: int) -> None:
        """Memory-map the file.

        Raises
        ------
        CorruptBuildError
            As `open_faiss`.
        """
        self._faiss: Any = import_module("faiss")
        self._structure = structure
        self._index = open_faiss(path, count)

    def margin(self, query: Vectors) -> float:
        """Return by how much a vector may score more than `propose` says of it.

        By Cauchy and Schwarz, a code that lies e from its vector scores within e times the query's
        length; rounding comes on top.
        """
        length = float(np.linalg.norm(query.astype(np.float64)))
        return length * self._structure.code_error + rounding(query)

    def propose_near(self, query: Vectors, count: int, lists: int) -> Rows:
        """Return candidates (m,) from the lists nearest to a query (d,); m is `count` or less."""
        return self._search(query, count, nprobe=lists)[0]

    def propose(self, query: Vectors, count: int, among: Part | None) -> tuple[Rows, Vectors]:
        """Return the `count` best rows of some, or of all, by approximate score.

        int64 (m,) and float32 (m,), best first; m < count only if these are all.
        """
        lists = self._structure.nlist
        if among is None:
            return self._search(query, count, nprobe=lists)
        allowed = np.zeros(self._index.ntotal, np.bool_)
        allowed[among.places] = True
        # FAISS reads these bits while it searches: they must outlive the call.
        bits = np.packbits(allowed, bitorder="little")
        selector = self._faiss.IDSelectorBitmap(len(allowed), self._faiss.swig_ptr(bits))
        return self._search(query, count, nprobe=lists, sel=selector)

    def _search(self, query: Vectors, count: int, **options: Any) -> tuple[Rows, Vectors]:
        self._faiss.omp_set_num_threads(1)
        parameters = self._faiss.SearchParametersIVF(**options)
        [scores], [rows] = self._index.search(query[np.newaxis], count, params=parameters)
        found = rows >= 0
        return np.asarray(rows[found], np.int64), np.asarray(scores[found], np.float32)

"""The 8-bit codes of one field and their lists: candidates among all, some, or the likely vectors.

Codes stand for shortened vectors (`indexer.store.shortening`), in row order, so that those of any
rows are read as quickly as memory gives them: they are a FAISS file of their own. Lists hold rows
alone. Both are memory-mapped, so that several processes share one copy.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.errors import CorruptBuildError
from indexer.store.arrays import read_array, write_array
from indexer.store.faiss_files import Codes, codes_of, open_faiss
from indexer.store.field_manifest import SearchStructure
from indexer.store.plain_vectors import rounding
from indexer.store.shortening import Shortening
from indexer.store.subset import Part

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

# Rows whose codes are brought together at a time: they stay in the processor's nearer caches.
_GATHERED = 2048
_IN_PLACE = 1 << 16
_LAYOUT_PARTS = ("directions", "centres", "starts")


@dataclass(frozen=True, slots=True)
class Layout:
    """What was encoded, and where lists lie.

    `centres` float32 (lists, w) are the middles of the lists, and `starts` int64 (lists + 1,) says
    where the rows of each begin among those of all.
    """

    shortening: Shortening
    centres: Vectors
    starts: Rows

    def save(self, folder: Path, name: str) -> None:
        """Write the parts to files of a field."""
        parts: tuple[npt.NDArray[Any], ...] = (
            self.shortening.directions, self.centres, self.starts,
        )  # fmt: skip
        for label, part in zip(_LAYOUT_PARTS, parts, strict=True):
            write_array(folder / f"{name}.{label}.npy", [part], part.shape, part.dtype)

    @classmethod
    def load(cls, folder: Path, name: str) -> "Layout":
        """Read what `save` wrote."""
        directions, centres, starts = (
            np.array(read_array(folder / f"{name}.{label}.npy")) for label in _LAYOUT_PARTS
        )
        return cls(Shortening(directions, centres.shape[1]), centres, starts)


class CodeLists:
    """A FAISS index of codes and the rows of all lists int64 (n,), open. Safe to share by threads.

    No vector scores more than its code says by `code_error` times the length of the query.
    """

    def __init__(self, index: Any, rows: Rows, layout: Layout, code_error: float) -> None:
        self._faiss: Any = import_module("faiss")
        self._index, self._codes = index, codes_of(index)
        self._rows, self._layout = rows, layout
        self._code_error = code_error
        self._coarse: Any = self._faiss.IndexFlatIP(layout.shortening.width)
        self._coarse.add(layout.centres)
        self._local = threading.local()

    @classmethod
    def open(
        cls, folder: Path, name: str, structure: SearchStructure, vectors: Vectors
    ) -> "CodeLists":
        """Memory-map the files of a field.

        Raises
        ------
        CorruptBuildError
            They do not fit each other or the field's vectors.
        """
        layout = Layout.load(folder, name)
        index = open_faiss(folder / f"{name}.faiss", len(vectors))
        rows = read_array(folder / f"{name}.lists.npy")
        count, width = len(vectors), layout.shortening.width
        fits = (
            index.code_size == width
            and rows.shape == (count,)
            and layout.shortening.directions.shape[1] == vectors.shape[1]
            and layout.centres.shape == (structure.nlist, width)
            and layout.starts.shape == (structure.nlist + 1,)
        )
        if not fits:
            raise CorruptBuildError(
                f"The codes of {name} of build {folder.name} do not fit its vectors.",
                remedy="Rebuild the index with `medsearch index`.",
            )
        return cls(index, rows, layout, structure.code_error)

    def margin(self, query: Vectors) -> float:
        """Return by how much a vector may score more than `propose` says of it."""
        length = float(np.linalg.norm(query.astype(np.float64)))
        return length * self._code_error + rounding(query)

    def propose_near(self, query: Vectors, count: int, lists: int) -> Rows:
        """Return candidates (m,) from the lists nearest to a query (d,); m is `count` or less."""
        self._faiss.omp_set_num_threads(1)
        short = self._layout.shortening.apply(query[np.newaxis])
        _, [chosen] = self._coarse.search(short, lists)
        starts = self._layout.starts
        near = [self._rows[starts[one] : starts[one + 1]] for one in chosen.tolist()]
        return self._scan(short[0], count, self._gathered(np.concatenate(near)))[0]

    def propose(self, query: Vectors, count: int, among: Part | None) -> tuple[Rows, Vectors]:
        """Return the `count` rows of some, or of all, that may score most, and what they may score.

        int64 (m,) and float32 (m,), best first; m < count only if these are all.
        """
        short = self._layout.shortening.apply(query[np.newaxis])[0]
        if among is None:
            return self._scan(short, count, self._in_place())
        codes = among.gather(self._codes)
        blocks = self._gathered(among.places) if codes is None else _beside(among.places, codes)
        return self._scan(short, count, blocks)

    def _scan(
        self, short: Vectors, count: int, blocks: Iterator[tuple[Rows, Codes]]
    ) -> tuple[Rows, Vectors]:
        """Compare rows with their codes, block by block."""
        best = np.full(count, -np.inf, np.float32)
        found = np.full(count, -1, np.int64)
        scanner, pointer = self._scanner(), self._faiss.swig_ptr
        scanner.set_query(pointer(short))
        for rows, codes in blocks:
            scanner.scan_codes(
                len(rows), pointer(codes), pointer(rows), pointer(best), pointer(found), count
            )
        order = np.argsort(-best, kind="stable")
        order = order[found[order] >= 0]
        return found[order], best[order]

    def _in_place(self) -> Iterator[tuple[Rows, Codes]]:
        """Yield all rows with their codes."""
        for start in range(0, len(self._codes), _IN_PLACE):
            codes = self._codes[start : start + _IN_PLACE]
            yield np.arange(start, start + len(codes)), codes

    def _gathered(self, places: Rows) -> Iterator[tuple[Rows, Codes]]:
        """Yield some rows with their codes; a block's codes are gone with the next.

        Brought together first: scanned where they lie, each row would be waited for by itself.
        """
        space = np.empty((min(_GATHERED, len(places)), self._codes.shape[1]), np.uint8)
        for start in range(0, len(places), _GATHERED):
            rows = np.ascontiguousarray(places[start : start + _GATHERED])
            codes = np.take(self._codes, rows, axis=0, out=space[: len(rows)], mode="clip")
            yield rows, codes

    def _scanner(self) -> Any:
        """Return this thread's scanner: Python cannot free one, so each thread keeps its own."""
        if not hasattr(self._local, "scanner"):
            scanner = self._index.sq.select_InvertedListScanner(
                self._faiss.METRIC_INNER_PRODUCT, self._coarse, False, None, False
            )
            scanner.set_list(0, 0.0)
            self._local.scanner = scanner
        return self._local.scanner


def _beside(places: Rows, codes: Codes) -> Iterator[tuple[Rows, Codes]]:
    """Yield rows with their codes, which lie side by side already."""
    for start in range(0, len(places), _IN_PLACE):
        yield places[start : start + _IN_PLACE], codes[start : start + _IN_PLACE]

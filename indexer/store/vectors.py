"""The embeddings of one field, searched: exactly, or by proposals that are scored exactly."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from indexer.store.faiss_index import open_structure, propose
from indexer.store.manifest import FieldManifest
from indexer.store.shards import read_array

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Ranked = tuple[Rows, Vectors]

# Vectors compared at a time: 4,096 x 512 floats are 8 MB, about what a core's caches hold.
_BLOCK = 4096


class FieldVectors:
    """One field of an open build."""

    def __init__(self, folder: Path, name: str, field: FieldManifest, records: int) -> None:
        self.vectors: Vectors = read_array(folder / f"{name}.vectors.npy")
        self.rows: Rows = read_array(folder / f"{name}.rows.npy")
        self._dim = field.dim
        self._structure = field.structure
        self._index = open_structure(folder / f"{name}.faiss", field.structure)
        # Usually record i has vector i: then rows need no translation.
        self._aligned = len(self.rows) == records and bool((self.rows == np.arange(records)).all())

    def search(self, queries: Vectors, k: int, allowed: Mask | None, exact: bool) -> list[Ranked]:
        """Return ranked rows and scores for each query; see `IndexReader.search`."""
        queries = np.ascontiguousarray(queries, np.float32)
        if queries.ndim != 2 or queries.shape[1] != self._dim or not np.isfinite(queries).all():
            message = f"queries must be finite numbers of shape (q, {self._dim})"
            raise ValueError(message)
        if k <= 0 or len(self.vectors) == 0:
            return [_nothing()] * len(queries)
        mask = None if allowed is None else self._vector_mask(allowed)
        positions = None if mask is None else np.flatnonzero(mask)
        if positions is not None and len(positions) == 0:
            return [_nothing()] * len(queries)
        # Allowed vectors are compared one by one: a filter usually follows the clusters (one
        # modality, one dataset), and then the lists nearest to a query hold hardly any of them.
        if self._index is None or exact or positions is not None:
            return [self._scan(query, k, positions) for query in queries]
        return self._rescore(queries, k)

    def of_row(self, row: int) -> Vectors | None:
        """Return the first embedding of a record row, or None."""
        if self._aligned:
            return np.array(self.vectors[row])
        position = int(np.searchsorted(self.rows, row))
        if position < len(self.rows) and int(self.rows[position]) == row:
            return np.array(self.vectors[position])
        return None

    def _rescore(self, queries: Vectors, k: int) -> list[Ranked]:
        """Let the lists propose, score the proposals exactly; scan where they are too few."""
        count = min(len(self.vectors), max(k * self._structure.depth, 40))
        proposed = propose(self._index, queries, count)
        found = []
        for query, candidates in zip(queries, proposed, strict=True):
            own = np.sort(candidates[candidates >= 0])
            if len(own) < min(k, len(self.vectors)):
                found.append(self._scan(query, k, None))
            else:
                found.append(self._rank(own, self.vectors[own] @ query, k))
        return found

    def _scan(self, query: Vectors, k: int, positions: Rows | None) -> Ranked:
        """Compare every vector, or those at `positions`, block by block."""
        count = len(self.vectors) if positions is None else len(positions)
        scores = np.empty(count, np.float32)
        for start in range(0, count, _BLOCK):
            block = slice(start, start + _BLOCK)
            chosen = block if positions is None else positions[block]
            scores[block] = self.vectors[chosen] @ query
        return self._rank(np.arange(count) if positions is None else positions, scores, k)

    def _rank(self, positions: Rows, scores: Vectors, k: int) -> Ranked:
        """Return the k best records: by falling score, then by row; each with its best score."""
        if self._aligned:
            return _best(positions, scores, k)
        rows = self.rows[positions]
        order = np.lexsort((rows, -scores))
        _, first = np.unique(rows[order], return_index=True)
        kept = order[np.sort(first)][:k]
        return rows[kept], scores[kept]

    def _vector_mask(self, allowed: Mask) -> Mask:
        return allowed if self._aligned else allowed[self.rows]


def _best(rows: Rows, scores: Vectors, k: int) -> Ranked:
    """Return the k best of many without sorting them all; ties at the edge go to lower rows."""
    if len(scores) > 4 * k:
        edge = np.partition(scores, len(scores) - k)[len(scores) - k]
        kept = np.flatnonzero(scores >= edge)
        rows, scores = rows[kept], scores[kept]
    order = np.lexsort((rows, -scores))[:k]
    return rows[order], scores[order]


def _nothing() -> Ranked:
    return np.empty(0, np.int64), np.empty(0, np.float32)

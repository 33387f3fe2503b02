"""Building the FAISS file of one field: exact where that is quick, quantised lists above.

Up to `FLAT_LIMIT` vectors the file holds the vectors themselves and every one is compared. Above,
it holds inverted lists of 8-bit residual codes ("IVF,SQ8"): a search takes a few times k candidates
from the nearest lists and scores them from the memory-mapped vectors. How many lists are visited is
raised until recall@10 against exact search surely reaches `RECALL_TARGET`, both on vectors of the
index that are left out of their own answers and on queries that the caller may give; the lower
figure stands in the manifest. Where no number of lists reaches it, all are visited, which is exact.

Why these codes: on 100,000 x 512 vectors of a smooth spectrum (tests/benchmarks), lists of RaBitQ
codes stayed at recall .93 to .99 with five times the candidates, at the same cost; 8-bit codes
without residuals err twice as much, and that error is what an exact filtered search must allow for.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.store.manifest import SearchStructure

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

# Measured: one core compares 20,000 x 384 vectors in 1.1 ms, 20,000 x 512 in 1.9 ms; a query's
# encoder takes longer, and up to here an index is exact and built at once.
FLAT_LIMIT = 20_000
RECALL_TARGET = 0.99
RECALL_DEPTH = 10
_RECALL_QUERIES = 1000
# Scores closer than this are equal but for rounding.
_TIE = 1e-6
_TRAINING_PER_LIST = 32
_TRAINING_ROUNDS = 5
# Candidates scored exactly for each hit asked for: the first of these that reaches the target.
_DEPTHS = (4, 10)
_PROBES = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
# Vectors added at a time: bounds memory, and list contents must not depend on how they arrive.
_BLOCK = 16_384
_SEED = 7


def build_structure(
    vectors: Vectors,
    path: Path,
    *,
    flat_limit: int = FLAT_LIMIT,
    queries: Vectors | None = None,
) -> SearchStructure:
    """Build the structure for unit rows float32 (n, d), write it to `path`, return its figures.

    `queries` float32 (q, d) are real ones, if the caller has any: a text that asks for images lies
    elsewhere than the images, and recall on it is lower than on them.
    """
    faiss: Any = import_module("faiss")
    # One thread: sums in another order would give other centres, and so another file.
    with _threads(faiss, 1):
        if len(vectors) <= flat_limit:
            index = faiss.IndexFlatIP(vectors.shape[1])
            _write(faiss, _filled(index, vectors), path)
            return SearchStructure(kind="flat")
        index = _train(faiss, vectors)
        code_error = _fill_lists(faiss, index, vectors)
        nprobe, depth, recall, asked = _tune(faiss, index, vectors, queries)
        _write(faiss, index, path)
    return SearchStructure(
        kind="ivf_sq8",
        nlist=index.nlist,
        nprobe=nprobe,
        depth=depth,
        code_error=code_error,
        recall_at_10=round(recall, 4),
        recall_queries=asked,
    )


def _train(faiss: Any, vectors: Vectors) -> Any:
    """Return lists without contents; their number is the power of two nearest to 2 sqrt(n).

    Measured on 600,000 x 512, one core: 4,096 lists trained for 10 rounds on 64 vectors a list took
    131 s and gave recall .992 in .41 ms; 2,048 lists trained as here took 22 s and gave 1.0 in .29.
    """
    count, dim = vectors.shape
    nlist = 2 ** round(math.log2(2 * math.sqrt(count)))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dim),
        dim,
        nlist,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
        True,  # codes are of residuals
    )
    index.cp.seed = _SEED
    index.cp.niter = _TRAINING_ROUNDS
    index.cp.min_points_per_centroid = 1  # or FAISS warns on the screen
    wanted = min(count, nlist * _TRAINING_PER_LIST)
    chosen = np.random.default_rng(_SEED).choice(count, wanted, replace=False)
    index.train(np.ascontiguousarray(vectors[np.sort(chosen)]))
    return index


def _filled(index: Any, vectors: Vectors) -> Any:
    for block, _ in _blocks(vectors):
        index.add(block)
    return index


def _fill_lists(faiss: Any, index: Any, vectors: Vectors) -> float:
    """Add all vectors; return the largest distance between one and what its code stands for."""
    centres = index.quantizer.reconstruct_n(0, index.nlist)
    lists = np.empty(len(vectors), np.int64)
    lowest, highest = np.full(vectors.shape[1], np.inf), np.full(vectors.shape[1], -np.inf)
    for block, rows in _blocks(vectors):
        lists[rows] = index.quantizer.search(block, 1)[1][:, 0]
        residuals = block - centres[lists[rows]]
        lowest = np.minimum(lowest, residuals.min(axis=0))
        highest = np.maximum(highest, residuals.max(axis=0))
    # Training saw a sample. Codes must span what all vectors need: one that is cut off at the edge
    # of its range would be off by more than a step, and every filtered search would pay for it.
    spans = np.concatenate([lowest, highest - lowest]).astype(np.float32)
    faiss.copy_array_to_vector(spans, index.sq.trained)
    largest = 0.0
    for block, rows in _blocks(vectors):
        index.add_core(len(block), faiss.swig_ptr(block), None, faiss.swig_ptr(lists[rows]))
        residuals = block - centres[lists[rows]]
        errors = residuals - index.sq.decode(index.sq.compute_codes(residuals))
        largest = max(largest, float(np.linalg.norm(errors, axis=1).max()))
    return largest


def _blocks(vectors: Vectors) -> Iterator[tuple[Vectors, slice]]:
    """Yield the vectors block by block, each with the rows that it covers."""
    for start in range(0, len(vectors), _BLOCK):
        rows = slice(start, start + _BLOCK)
        yield np.ascontiguousarray(vectors[rows]), rows


def _tune(
    faiss: Any, index: Any, vectors: Vectors, given: Vectors | None
) -> tuple[int, int, float, int]:
    """Return the cheapest lists to visit and depth that reach the target, recall, and queries."""
    count = len(vectors)
    own = np.random.default_rng(_SEED + 1).choice(count, min(_RECALL_QUERIES, count), replace=False)
    own.sort()
    trials = [_Trial(faiss, vectors, np.ascontiguousarray(vectors[own]), own)]
    if given is not None and len(given):
        trials.append(_Trial(faiss, vectors, np.ascontiguousarray(given[:_RECALL_QUERIES]), None))
    asked = sum(len(trial.queries) for trial in trials)
    for nprobe in (probe for probe in _PROBES if probe < index.nlist):
        index.nprobe = nprobe
        shares = [trial.shares_found(index) for trial in trials]
        for column, depth in enumerate(_DEPTHS):
            means = [float(found[:, column].mean()) for found in shares]
            surely = min(_lower_bound(found[:, column]) for found in shares)
            if surely >= RECALL_TARGET:
                return nprobe, depth, min(means), asked
    return index.nlist, _DEPTHS[0], 1.0, asked


def _lower_bound(shares: npt.NDArray[np.float64]) -> float:
    """Return the mean less two standard errors: other queries of the kind will hardly do worse."""
    return float(shares.mean() - 2 * shares.std() / math.sqrt(len(shares)))


class _Trial:
    """Queries with their exact answers; `own` are the queries' rows where these are of the index.

    A vector is left out of its own answer: it would be found by any index. What scores as high as
    the last of the true answers is right, so that copies may stand for one another.
    """

    def __init__(self, faiss: Any, vectors: Vectors, queries: Vectors, own: Rows | None) -> None:
        self.queries = queries
        self._vectors = vectors
        self._own = np.full(len(queries), -1) if own is None else own
        self._wanted: int = min(RECALL_DEPTH, len(vectors) - (own is not None))
        scores, rows = faiss.knn(
            queries, vectors, min(RECALL_DEPTH + 1, len(vectors)), metric=faiss.METRIC_INNER_PRODUCT
        )
        others = rows != self._own[:, np.newaxis]
        self._edges = [
            float(score[other][self._wanted - 1]) - _TIE
            for score, other in zip(scores, others, strict=True)
        ]

    def shares_found(self, index: Any) -> npt.NDArray[np.float64]:
        """Return the share of the true answers found, for each query (q, depths)."""
        _, proposed = index.search(self.queries, max(_DEPTHS) * RECALL_DEPTH + 1)
        shares = np.zeros((len(self.queries), len(_DEPTHS)))
        for number, (query, own) in enumerate(zip(self.queries, self._own, strict=True)):
            rows = proposed[number][(proposed[number] >= 0) & (proposed[number] != own)]
            right = self._vectors[rows] @ query >= self._edges[number]
            for column, depth in enumerate(_DEPTHS):
                found = int(np.count_nonzero(right[: depth * RECALL_DEPTH]))
                shares[number, column] = min(found, self._wanted) / self._wanted
        return shares


def _write(faiss: Any, index: Any, path: Path) -> None:
    """Write FAISS bytes through Python: its own writer can report success on a full disk.

    The file is synced with the folder that it is staged in; a failure shows there at the latest.
    """
    with path.open("wb") as stream:
        faiss.write_index(index, faiss.PyCallbackIOWriter(stream.write))


@contextmanager
def _threads(faiss: Any, count: int) -> Iterator[None]:
    """Set FAISS's thread count for a while."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)

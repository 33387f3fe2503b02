"""Building what one field is searched by: a FAISS file of vectors, or of codes, with lists.

Up to `FLAT_LIMIT` vectors every one is compared. Above, FAISS holds 8-bit codes of shortened
vectors (`indexer.store.shortening`), and there are lists of rows: a search takes a few times k
candidates from the nearest lists and scores them from the memory-mapped vectors. How many lists
are visited is raised until recall@10 against exact search surely reaches `RECALL_TARGET`, both on
vectors of the index that are left out of their own answers and on queries that the caller may
give; the lower figure stands in the manifest. Where no number of lists reaches it, all are
visited, which is exact.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.store.arrays import read_array, write_array
from indexer.store.code_lists import CodeLists, Layout
from indexer.store.faiss_files import open_faiss, write_faiss
from indexer.store.field_manifest import SearchStructure
from indexer.store.shortening import Shortening

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
# Vectors encoded at a time: bounds memory.
_BLOCK = 16_384
_SEED = 7


def build_structure(
    vectors: Vectors,
    folder: Path,
    name: str,
    *,
    flat_limit: int = FLAT_LIMIT,
    queries: Vectors | None = None,
) -> SearchStructure:
    """Build the structure of a field for unit rows float32 (n, d); return its figures.

    `queries` float32 (q, d) are real ones, if the caller has any: a text that asks for images lies
    elsewhere than the images, and recall on it is lower than on them.
    """
    faiss: Any = import_module("faiss")
    path = folder / f"{name}.faiss"
    if len(vectors) <= flat_limit:
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(np.ascontiguousarray(vectors))
        write_faiss(index, path)
        return SearchStructure(kind="flat")
    # One thread: sums in another order would give other centres, and so another file.
    with _threads(faiss, 1):
        layout, code_error = _write_codes(faiss, vectors, folder, name)
        rows = read_array(folder / f"{name}.lists.npy")
        lists = CodeLists(open_faiss(path, len(vectors)), rows, layout, code_error)
        nlist = len(layout.centres)
        nprobe, depth, recall, asked = _tune(faiss, lists, nlist, vectors, queries)
    return SearchStructure(
        kind="code_lists",
        nlist=nlist,
        nprobe=nprobe,
        depth=depth,
        code_error=code_error,
        recall_at_10=round(recall, 4),
        recall_queries=asked,
    )


def _write_codes(faiss: Any, vectors: Vectors, folder: Path, name: str) -> tuple[Layout, float]:
    """Write codes, lists and what they mean; return that, and how far codes are off at most."""
    shortening, centres = _train(faiss, vectors)
    ranges, lists = _assign(faiss, vectors, shortening, centres)
    starts = np.cumsum([0, *np.bincount(lists, minlength=len(centres))])
    layout = Layout(shortening, centres, starts)
    layout.save(folder, name)
    rows = np.argsort(lists, kind="stable")
    write_array(folder / f"{name}.lists.npy", [rows], rows.shape, np.int64)
    index = _index_of_codes(faiss, ranges)
    code_error = 0.0
    for short, _ in _blocks(vectors, shortening):
        codes = index.sq.compute_codes(short)
        off = np.linalg.norm(short - index.sq.decode(codes), axis=1)
        code_error = max(code_error, float(off.max()))
        index.add_sa_codes(codes)
    write_faiss(index, folder / f"{name}.faiss")
    return layout, code_error


def _index_of_codes(faiss: Any, ranges: Vectors) -> Any:
    """Return an index of 8 bits a component within `ranges` (2, w): least values and extents."""
    index = faiss.IndexScalarQuantizer(
        ranges.shape[1], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    faiss.copy_array_to_vector(np.ascontiguousarray(ranges).ravel(), index.sq.trained)
    index.is_trained = True
    return index


def _train(faiss: Any, vectors: Vectors) -> tuple[Shortening, Vectors]:
    """Return how vectors are shortened, and the middles of lists, by a sample.

    The number of lists is the power of two nearest to 2 sqrt(n). Measured on 600,000 x 512, one
    core: 4,096 lists trained for 10 rounds on 64 vectors a list took 131 s and gave recall .992 in
    .41 ms; 2,048 lists trained as here took 22 s and gave 1.0 in .29.
    """
    nlist = 2 ** round(math.log2(2 * math.sqrt(len(vectors))))
    wanted = min(len(vectors), nlist * _TRAINING_PER_LIST)
    chosen = np.random.default_rng(_SEED).choice(len(vectors), wanted, replace=False)
    sample = np.ascontiguousarray(vectors[np.sort(chosen)])
    shortening = Shortening.fit(sample)
    clusters = faiss.Kmeans(
        shortening.width,
        nlist,
        niter=_TRAINING_ROUNDS,
        spherical=True,
        seed=_SEED,
        min_points_per_centroid=1,  # or FAISS warns on the screen
    )
    clusters.train(shortening.apply(sample))
    return shortening, np.ascontiguousarray(clusters.centroids, np.float32)


def _assign(
    faiss: Any, vectors: Vectors, shortening: Shortening, centres: Vectors
) -> tuple[Vectors, Rows]:
    """Return the ranges (2, w) of all components, and the list of each vector (n,).

    Training saw a sample. Codes must span what all vectors need: one that is cut off at the edge
    of its range would be off by more than a step, and every exact search would pay for it.
    """
    coarse = faiss.IndexFlatIP(shortening.width)
    coarse.add(centres)
    lists = np.empty(len(vectors), np.int64)
    lowest = np.full(shortening.width, np.inf)
    highest = np.full(shortening.width, -np.inf)
    for short, rows in _blocks(vectors, shortening):
        lists[rows] = coarse.search(short, 1)[1][:, 0]
        lowest = np.minimum(lowest, short.min(axis=0))
        highest = np.maximum(highest, short.max(axis=0))
    return np.stack([lowest, highest - lowest]).astype(np.float32), lists


def _blocks(vectors: Vectors, shortening: Shortening) -> Iterator[tuple[Vectors, slice]]:
    """Yield the shortened vectors block by block, each with the rows that it covers."""
    for start in range(0, len(vectors), _BLOCK):
        rows = slice(start, start + _BLOCK)
        yield shortening.apply(np.asarray(vectors[rows], np.float32)), rows


def _tune(
    faiss: Any, lists: CodeLists, nlist: int, vectors: Vectors, given: Vectors | None
) -> tuple[int, int, float, int]:
    """Return the cheapest lists to visit and depth that reach the target, recall, and queries."""
    count = len(vectors)
    own = np.random.default_rng(_SEED + 1).choice(count, min(_RECALL_QUERIES, count), replace=False)
    own.sort()
    trials = [_Trial(faiss, vectors, np.ascontiguousarray(vectors[own]), own)]
    if given is not None and len(given):
        trials.append(_Trial(faiss, vectors, np.ascontiguousarray(given[:_RECALL_QUERIES]), None))
    asked = sum(len(trial.queries) for trial in trials)
    for nprobe in (probe for probe in _PROBES if probe < nlist):
        shares = [trial.shares_found(lists, nprobe) for trial in trials]
        for column, depth in enumerate(_DEPTHS):
            means = [float(found[:, column].mean()) for found in shares]
            surely = min(_lower_bound(found[:, column]) for found in shares)
            if surely >= RECALL_TARGET:
                return nprobe, depth, min(means), asked
    return nlist, _DEPTHS[0], 1.0, asked


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

    def shares_found(self, lists: CodeLists, nprobe: int) -> npt.NDArray[np.float64]:
        """Return the share of the true answers found, for each query (q, depths)."""
        count = max(_DEPTHS) * RECALL_DEPTH + 1
        shares = np.zeros((len(self.queries), len(_DEPTHS)))
        for number, (query, own) in enumerate(zip(self.queries, self._own, strict=True)):
            proposed = lists.propose_near(query, count, nprobe)
            rows = proposed[proposed != own]
            right = self._vectors[rows] @ query >= self._edges[number]
            for column, depth in enumerate(_DEPTHS):
                found = int(np.count_nonzero(right[: depth * RECALL_DEPTH]))
                shares[number, column] = min(found, self._wanted) / self._wanted
        return shares


@contextmanager
def _threads(faiss: Any, count: int) -> Iterator[None]:
    """Set FAISS's thread count for a while."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)

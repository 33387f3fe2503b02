"""The search structure of one field: exact where that is quick, quantised lists where it is not.

Up to `FLAT_LIMIT` vectors every one is compared (recall 1 by construction). Above it, vectors go
into inverted lists as 8-bit codes (FAISS "IVF,SQ8"); a search proposes a few times k candidates
from the nearest lists, which are then scored exactly from the memory-mapped vectors. How many
lists are visited is raised until recall@10 against exact search, measured on held-out vectors of
the index itself, reaches `RECALL_TARGET`; the figure stands in the manifest. If even that fails,
all vectors are compared.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.errors import CorruptBuildError
from indexer.store.files import durable_file
from indexer.store.manifest import SearchStructure

Vectors = npt.NDArray[np.float32]

# Measured (tests/benchmarks): one core compares 20,000 x 384 vectors in about 1.5 ms.
FLAT_LIMIT = 20_000
RECALL_TARGET = 0.99
RECALL_DEPTH = 10
_RECALL_QUERIES = 256
_TRAINING_PER_LIST = 64
_CANDIDATES_PER_HIT = 4
# Added in fixed batches: list contents must not depend on how many vectors came at a time.
_ADD_BATCH = 16_384
_PROBES = (4, 8, 16, 32, 64, 128, 256)
_SEED = 7


def build_structure(
    vectors: Vectors, path: Path, *, flat_limit: int = FLAT_LIMIT
) -> SearchStructure:
    """Build the structure for unit rows float32 (n, d), write it to `path`, return its figures.

    A flat field needs no file: its vectors are compared straight from `<field>.vectors.npy`.
    """
    if len(vectors) <= flat_limit:
        return SearchStructure(kind="flat")
    index, nlist = _train(vectors)
    structure = _tune(index, vectors, nlist)
    if structure.kind == "ivf_sq8":
        _write(index, path)
    return structure


def open_structure(path: Path, structure: SearchStructure) -> Any | None:
    """Memory-map the structure's file; None for a flat field.

    Raises
    ------
    CorruptBuildError
        FAISS cannot make sense of the file.
    """
    import faiss

    if structure.kind == "flat":
        return None
    try:
        lists: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise CorruptBuildError(
            f"FAISS cannot open {path.name}.", remedy="Rebuild the index with `medsearch index`."
        ) from error
    lists.nprobe = structure.nprobe
    return lists


def propose(index: Any, queries: Vectors, count: int) -> npt.NDArray[np.int64]:
    """Return the rows (q, count) that the lists propose for each query, -1 where there are none."""
    _, rows = index.search(queries, count)
    return np.asarray(rows, np.int64)


def _train(vectors: Vectors) -> tuple[Any, int]:
    """Return a filled index and its number of lists: the power of two nearest to 4 sqrt(n)."""
    import faiss

    count, dim = vectors.shape
    nlist = 2 ** round(math.log2(4 * math.sqrt(count)))
    index: Any = faiss.index_factory(dim, f"IVF{nlist},SQ8", faiss.METRIC_INNER_PRODUCT)
    index.cp.seed = _SEED
    sample = np.random.default_rng(_SEED).choice(
        count, min(count, nlist * _TRAINING_PER_LIST), replace=False
    )
    # One thread: sums in another order would give other centroids, and so another file.
    with _threads(1):
        index.train(np.ascontiguousarray(vectors[np.sort(sample)]))
    for start in range(0, count, _ADD_BATCH):
        index.add(np.ascontiguousarray(vectors[start : start + _ADD_BATCH]))
    return index, nlist


def _tune(index: Any, vectors: Vectors, nlist: int) -> SearchStructure:
    """Raise the number of visited lists until recall@10 reaches the target."""
    count = len(vectors)
    rows = np.random.default_rng(_SEED + 1).choice(
        count, min(_RECALL_QUERIES, count), replace=False
    )
    queries = np.ascontiguousarray(vectors[np.sort(rows)])
    exact = _exact(vectors, queries)
    for nprobe in (probe for probe in _PROBES if probe <= nlist):
        index.nprobe = nprobe
        proposed = propose(index, queries, _CANDIDATES_PER_HIT * RECALL_DEPTH)
        recall = _recall(vectors, queries, proposed, exact)
        if recall >= RECALL_TARGET:
            return SearchStructure(
                kind="ivf_sq8",
                nlist=nlist,
                nprobe=nprobe,
                depth=_CANDIDATES_PER_HIT,
                recall_at_10=round(recall, 4),
                recall_queries=len(queries),
            )
    return SearchStructure(kind="flat")


def _exact(vectors: Vectors, queries: Vectors) -> npt.NDArray[np.int64]:
    import faiss

    _, rows = faiss.knn(
        queries, np.asarray(vectors), RECALL_DEPTH, metric=faiss.METRIC_INNER_PRODUCT
    )
    return np.asarray(rows, np.int64)


def _recall(
    vectors: Vectors,
    queries: Vectors,
    proposed: npt.NDArray[np.int64],
    exact: npt.NDArray[np.int64],
) -> float:
    """Return the share of the exact top ten found among the rescored proposals."""
    found = 0
    for query, candidates, truth in zip(queries, proposed, exact, strict=True):
        own = candidates[candidates >= 0]
        best = own[np.argsort(-(vectors[own] @ query), kind="stable")[:RECALL_DEPTH]]
        found += len(set(best.tolist()) & set(truth.tolist()))
    return found / exact.size


def _write(index: Any, path: Path) -> None:
    """Write FAISS bytes through Python: its own writer can report success on a full disk."""
    faiss: Any = import_module("faiss")
    with durable_file(path) as stream:
        faiss.write_index(index, faiss.PyCallbackIOWriter(stream.write))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Set FAISS's thread count for a while."""
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)

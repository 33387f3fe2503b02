"""Figures with intervals: ranks with ties counted against us, TREC metrics, the bootstrap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.evaluation.runs import Qrels, Run

Floats = npt.NDArray[np.float64]

BOOTSTRAP_SAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure: the mean over queries, its bootstrap interval, the chance level."""

    name: str
    mean: float
    low: float
    high: float
    queries: int
    chance: float | None = None


def worst_ranks(
    scores: Floats | npt.NDArray[np.float32], relevant: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """Return, from 1, the rank of each row's best relevant candidate, ties counted against us.

    `scores` (q, n), `relevant` (q, n) bool. A row without a relevant candidate, or whose scores
    are not finite, gets rank n + 1.
    """
    rows, candidates = scores.shape
    ranks = np.full(rows, candidates + 1, np.int64)
    finite = np.where(np.isfinite(scores), scores, -np.inf)
    for row in range(rows):
        own = finite[row][relevant[row]]
        if own.size and np.isfinite(own.max()):
            others = finite[row][~relevant[row]]
            ranks[row] = 1 + int(np.count_nonzero(others >= own.max()))
    return ranks


def per_query(run: Run, qrels: Qrels, measure: str) -> dict[str, float]:
    """Return one measure ("nDCG@10", "R@100" ...) for every judged query, by `ir_measures`.

    nDCG's gain is the grade itself, as in trec_eval. A judged query missing in the run counts 0.
    """
    import ir_measures

    parsed = ir_measures.parse_measure(measure)
    found = {
        metric.query_id: float(metric.value)
        for metric in ir_measures.iter_calc([parsed], dict(qrels), dict(run))
    }
    return {query_id: found.get(query_id, 0.0) for query_id in qrels}


def recall_at(ranks: npt.NDArray[np.int64], k: int) -> Floats:
    """Return 1.0 for each query whose relevant candidate stands among the first k, else 0.0."""
    return (ranks <= k).astype(np.float64)


def reciprocal(ranks: npt.NDArray[np.int64]) -> Floats:
    """Return 1 / rank for each query; the mean of these is the MRR."""
    return 1.0 / ranks.astype(np.float64)


def summarise(
    name: str,
    values: Floats | Sequence[float],
    *,
    clusters: Sequence[str] | None = None,
    chance: float | None = None,
    seed: int = 0,
) -> Figure:
    """Return the mean of per-query values with a percentile bootstrap interval (Efron 1979).

    Queries of one case are not independent: with `clusters` given (one name a query), whole
    clusters are drawn. No values give NaN throughout.
    """
    observed = np.asarray(values, np.float64)
    if observed.size == 0:
        return Figure(name=name, mean=np.nan, low=np.nan, high=np.nan, queries=0, chance=chance)
    means = _bootstrap_means(observed, clusters, seed)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Figure(
        name=name,
        mean=float(observed.mean()),
        low=float(low),
        high=float(high),
        queries=int(observed.size),
        chance=chance,
    )


def paired_difference(
    name: str, ours: Sequence[float] | Floats, theirs: Sequence[float] | Floats, *, seed: int = 0
) -> Figure:
    """Return the mean of query-by-query differences with its interval.

    Raises
    ------
    ValueError
        The two have different numbers of queries.

    """
    left, right = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if left.shape != right.shape:
        message = f"{left.size} queries cannot be paired with {right.size}"
        raise ValueError(message)
    return summarise(name, left - right, seed=seed)


def _bootstrap_means(values: Floats, clusters: Sequence[str] | None, seed: int) -> Floats:
    """Return the means of resampled queries (or clusters of queries)."""
    random = np.random.default_rng(seed)
    sums: Floats
    sizes: Floats
    if clusters is None:
        sums, sizes = values, np.ones_like(values)
    else:
        _, owner = np.unique(np.asarray(clusters), return_inverse=True)
        sums = np.bincount(owner, weights=values).astype(np.float64)
        sizes = np.bincount(owner).astype(np.float64)
    draws = random.integers(0, sums.size, (BOOTSTRAP_SAMPLES, sums.size))
    return np.asarray(sums[draws].sum(axis=1) / sizes[draws].sum(axis=1), np.float64)

"""Figures with intervals: the mean over queries, its bootstrap interval, the chance level."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.evaluation.runs import Qrels, Run

Floats = npt.NDArray[np.float64]

BOOTSTRAP_SAMPLES = 2000
CONFIDENCE = 0.95
# Draws are made a few at a time, so that memory does not grow with the number of queries.
_DRAWN_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure: the mean over queries, its bootstrap interval, the chance level."""

    name: str
    mean: float
    low: float
    high: float
    queries: int
    chance: float | None = None


def per_query(run: Run, qrels: Qrels, measure: str) -> dict[str, float]:
    """Return one measure ("nDCG@10", "R@100" ...) for every judged query, by `ir_measures`.

    nDCG's gain is the grade itself, as in trec_eval. A judged query missing in the run counts 0.
    Ties count against us: among equal scores the lower grades are taken first.
    """
    import ir_measures

    parsed = ir_measures.parse_measure(measure)
    strict = {name: _break_ties(found, qrels.get(name, {})) for name, found in run.items()}
    values = {
        metric.query_id: float(metric.value)
        for metric in ir_measures.iter_calc([parsed], dict(qrels), strict)
    }
    return {query_id: values.get(query_id, 0.0) for query_id in qrels}


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
    low, high = _interval(_bootstrap_means(observed, clusters, seed))
    return Figure(
        name=name,
        mean=float(observed.mean()),
        low=low,
        high=high,
        queries=int(observed.size),
        chance=chance,
    )


def summarise_median(
    name: str, values: Floats | Sequence[float], *, chance: float | None = None, seed: int = 0
) -> Figure:
    """Return the median of per-query values with a percentile bootstrap interval over queries."""
    observed = np.asarray(values, np.float64)
    if observed.size == 0:
        return Figure(name=name, mean=np.nan, low=np.nan, high=np.nan, queries=0, chance=chance)
    medians = _resample(
        observed.size, seed, lambda draws: np.asarray(np.median(observed[draws], axis=1))
    )
    low, high = _interval(medians)
    return Figure(
        name=name,
        mean=float(np.median(observed)),
        low=low,
        high=high,
        queries=int(observed.size),
        chance=chance,
    )


def paired_difference(
    name: str,
    ours: Sequence[float] | Floats,
    theirs: Sequence[float] | Floats,
    *,
    clusters: Sequence[str] | None = None,
    seed: int = 0,
) -> Figure:
    """Return the mean of query-by-query differences (ours - theirs) with its interval.

    Raises
    ------
    ValueError
        The two have different numbers of queries.
    """
    left, right = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if left.shape != right.shape:
        message = f"{left.size} queries cannot be paired with {right.size}"
        raise ValueError(message)
    return summarise(name, left - right, clusters=clusters, seed=seed)


def _break_ties(found: Mapping[str, float], grades: Mapping[str, int]) -> dict[str, float]:
    """Return strictly falling scores in the order of the given ones, lower grades first in ties."""
    order = sorted(found, key=lambda name: (-found[name], grades.get(name, 0), name))
    return {name: float(len(order) - place) for place, name in enumerate(order)}


def _interval(estimates: Floats) -> tuple[float, float]:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(estimates, [tail, 1 - tail])
    return float(low), float(high)


def _bootstrap_means(values: Floats, clusters: Sequence[str] | None, seed: int) -> Floats:
    """Return the means of resampled queries (or clusters of queries)."""
    sums: Floats = values
    sizes: Floats = np.ones_like(values)
    if clusters is not None:
        _, owner = np.unique(np.asarray(clusters), return_inverse=True)
        sums = np.bincount(owner, weights=values).astype(np.float64)
        sizes = np.bincount(owner).astype(np.float64)
    return _resample(
        sums.size,
        seed,
        lambda draws: np.asarray(sums[draws].sum(axis=1) / sizes[draws].sum(axis=1)),
    )


def _resample(size: int, seed: int, estimate: Callable[[npt.NDArray[np.int64]], Floats]) -> Floats:
    """Return the estimate of every resample; `estimate` takes draws (samples, size)."""
    random = np.random.default_rng(seed)
    at_once = max(1, _DRAWN_AT_ONCE // size)
    parts = [
        estimate(random.integers(0, size, (min(at_once, BOOTSTRAP_SAMPLES - done), size)))
        for done in range(0, BOOTSTRAP_SAMPLES, at_once)
    ]
    return np.concatenate(parts)

"""From scores of related and unrelated queries to what must be reached, and how often it errs."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.store.calibration import CHANCE, PAIR_SHARES, Rates

Scores: TypeAlias = npt.NDArray[np.float64]
Fit: TypeAlias = Callable[[Scores, Scores], Scores]
"""From unrelated (n, m) and related (r, m) scores of m rankings to the least of each, (m,)."""

_DIGITS = 6
_LEAST_PAIRS = 100
_LEAST_RELATED = 8
# How far into the gap above what unrelated texts reach the limit is put: others reach higher.
_GAP_SHARE = 0.25
_RELATED_LOW = 0.05
# Where no unrelated text shares a word with a small index, the next one may share one by chance.
# Less than this share of a text's words is never enough; nor, where embeddings read the text and
# speak against it, is less than the second.
LEAST_COVERAGE = 0.1
LEAST_COVERAGE_AGAINST_COSINE = 0.4
# Shares of unrelated pictures below, and of the index's own below, whichever limit is lower.
_PICTURES_BELOW = 0.97
_OWN_BELOW = 0.03


def quantiles(scores: Scores, counts: Scores | None = None) -> tuple[float, ...] | None:
    """Return unrelated scores at `PAIR_SHARES`; None if there are fewer than a hundred.

    `counts` (as many as `scores`) says how many pairs have each score; one each if left out.
    """
    weights = np.ones(len(scores)) if counts is None else counts
    if weights.sum() < _LEAST_PAIRS:
        return None
    order = np.argsort(scores)
    reached = np.cumsum(weights[order])
    wanted = np.array(PAIR_SHARES) * reached[-1]
    places = np.minimum(np.searchsorted(reached, wanted), len(scores) - 1)
    return tuple(rounded(value) for value in scores[order][places].tolist())


def fit_words(unrelated: Scores, related: Scores) -> Scores:
    """Return what chance hardly reaches in any ranking by words, nearer to it than to the related.

    Any one ranking may speak for a text, so each must be hard to reach by chance. The first is the
    coverage of words, all others are cosines. NaN stands where a ranking was not asked.
    """
    alone = unrelated.shape[1] == 1
    floor = np.zeros(unrelated.shape[1])
    floor[0] = LEAST_COVERAGE if alone else LEAST_COVERAGE_AGAINST_COSINE
    return np.maximum(_fit_freely(unrelated, related), floor)


def _fit_freely(unrelated: Scores, related: Scores) -> Scores:
    highest = np.quantile(unrelated, 1 - CHANCE, axis=0)
    gap = np.array([_low(scores) for scores in related.T]) - highest
    return np.asarray(highest + _GAP_SHARE * np.maximum(gap, 0))


def _low(related: Scores) -> float:
    """Return what nearly all related texts reach; minus infinity where too few were asked."""
    asked = related[~np.isnan(related)]
    if len(asked) < _LEAST_RELATED:
        return -np.inf
    return float(np.quantile(asked, _RELATED_LOW, method="lower"))


def fit_pictures(unrelated: Scores, related: Scores) -> Scores:
    """Return what nearly all of the index's own pictures reach, or what chance hardly reaches.

    The lower of both: where all pictures are alike, one that is merely of the same kind must not
    be refused; where they differ much, drawings come near to some, and photographs nearer.
    """
    highest = np.quantile(unrelated, _PICTURES_BELOW, axis=0)
    if len(related) < _LEAST_RELATED:
        return np.asarray(highest)
    return np.asarray(np.minimum(highest, np.quantile(related, _OWN_BELOW, axis=0)))


def estimate_rates(
    unrelated: Scores, related: Scores, fit: Fit, passes: Literal["any", "all"]
) -> Rates:
    """Return how often limits err that are fitted to one half of the sample, on the other half."""
    alarms = missed = 0
    decide = np.any if passes == "any" else np.all
    for half in (0, 1):
        least = fit(unrelated[1 - half :: 2], related[1 - half :: 2])
        alarms += int(decide(unrelated[half::2] >= least, axis=1).sum())
        missed += int((~decide(related[half::2] >= least, axis=1)).sum())
    return Rates(
        false_alarms=rounded(alarms / len(unrelated)) if len(unrelated) else None,
        misses=rounded(missed / len(related)) if len(related) else None,
        unrelated=len(unrelated),
        related=len(related),
    )


def rounded(value: float) -> float:
    """Return a number to six digits after the point: fewer than machines disagree about."""
    return round(float(value), _DIGITS)

"""One query's ranking and what is measured of it, with the level that chance would reach.

Ties count against us: of candidates with equal scores the less relevant come first, so that an
encoder which says the same of everything finds nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32] | npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """All candidates of one query, best first.

    `rows` int64 (m,) name the candidates, `scores` (m,) and `grades` int64 (m,) stand in the same
    order; grade 0 is not relevant.
    """

    rows: Integers
    scores: Scores
    grades: Integers

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Measure:
    """What is measured of a ranking, and what a random order of its candidates would give."""

    value: Callable[[Ranking], float]
    chance: Callable[[Ranking], float]


def rank_candidates(
    scores: Scores, grades: npt.ArrayLike, allowed: npt.NDArray[np.bool_] | None = None
) -> Ranking:
    """Rank the `allowed` candidates by falling score, ties and non-numbers counted against us.

    `scores` (n,), `grades` integers (n,) of 0 or more, `allowed` bool (n,).
    """
    all_grades = np.asarray(grades, np.int64)
    rows = np.arange(len(scores)) if allowed is None else np.flatnonzero(allowed)
    finite = np.where(np.isfinite(scores[rows]), scores[rows], -np.inf)
    order = np.lexsort((all_grades[rows], -finite))
    return Ranking(rows[order], finite[order], all_grades[rows[order]])


def first_rank(ranking: Ranking) -> int:
    """Return, from 1, where the first relevant candidate stands.

    That is one beyond the last place if there is none, or none with a score.
    """
    found = np.flatnonzero((ranking.grades > 0) & np.isfinite(ranking.scores))
    return int(found[0]) + 1 if len(found) else len(ranking) + 1


def reciprocal_rank(ranking: Ranking) -> float:
    """Return 1 / rank of the first relevant candidate; its mean over queries is the MRR."""
    return 1.0 / first_rank(ranking)


def is_found(ranking: Ranking, k: int) -> float:
    """Return 1.0 if a relevant candidate is among the first k: R@k where only one is relevant."""
    return float(first_rank(ranking) <= k)


def precision(ranking: Ranking, k: int) -> float:
    """Return the share of the first k places that relevant candidates hold."""
    return float(np.count_nonzero(_gains(ranking)[:k]) / k)


def average_precision(ranking: Ranking) -> float:
    """Return the mean precision at the places of all relevant candidates; 0 if there are none."""
    relevant = np.count_nonzero(ranking.grades)
    places = np.flatnonzero(_gains(ranking)) + 1
    return float(np.sum(np.arange(1, len(places) + 1) / places) / relevant) if relevant else 0.0


def ndcg(ranking: Ranking, k: int) -> float:
    """Return nDCG@k with the grade itself as gain, as trec_eval (Järvelin and Kekäläinen 2002)."""
    best = _ideal(ranking, k)
    gains = _gains(ranking)[:k]
    return float(np.sum(gains * _discounts(len(gains))) / best) if best else 0.0


def _gains(ranking: Ranking) -> Integers:
    """Return the grades; what has no score was not found, and nothing is gained by it."""
    return np.where(np.isfinite(ranking.scores), ranking.grades, 0)


def _discounts(places: int) -> npt.NDArray[np.float64]:
    return np.asarray(1.0 / np.log2(np.arange(2, places + 2)), np.float64)


def _ideal(ranking: Ranking, k: int) -> float:
    gains = np.sort(ranking.grades)[::-1][:k]
    return float(np.sum(gains * _discounts(len(gains))))


def _prevalence(ranking: Ranking) -> float:
    return float(np.mean(ranking.grades > 0)) if len(ranking) else 0.0


def _harmonic(ranking: Ranking) -> float:
    return float(np.sum(1.0 / np.arange(1, len(ranking) + 1)))


def _chance_of_reciprocal(ranking: Ranking) -> float:
    """Return the mean of 1 / rank over all places that the one relevant candidate can take."""
    return _harmonic(ranking) / len(ranking) if len(ranking) else 0.0


def _chance_of_average_precision(ranking: Ranking) -> float:
    """Return the expectation over random orders of n candidates, r of them relevant.

    A relevant one at place i sees on average (r - 1)(i - 1)/(n - 1) relevant ones before it.
    """
    n, relevant = len(ranking), np.count_nonzero(ranking.grades)
    if not relevant:
        return 0.0
    own = _harmonic(ranking) / n
    return float(own + (relevant - 1) / (n - 1) * (1 - own)) if n > 1 else 1.0


def _chance_of_ndcg(ranking: Ranking, k: int) -> float:
    best = _ideal(ranking, k)
    if not best:
        return 0.0
    return float(ranking.grades.mean() * _discounts(min(k, len(ranking))).sum() / best)


def _found_within(k: int) -> Measure:
    return Measure(
        lambda ranking: is_found(ranking, k),
        lambda ranking: min(1.0, k / max(1, len(ranking))),
    )


KNOWN_ITEM_MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "R@10": _found_within(10),
        "R@1": _found_within(1),
        "R@5": _found_within(5),
        "MRR": Measure(reciprocal_rank, _chance_of_reciprocal),
    }
)
"""For queries with exactly one relevant candidate; the first measure is the one that leads."""

CLASS_MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        "P@10": Measure(lambda ranking: precision(ranking, 10), _prevalence),
        "mAP": Measure(average_precision, _chance_of_average_precision),
        "nDCG@10": Measure(
            lambda ranking: ndcg(ranking, 10), lambda ranking: _chance_of_ndcg(ranking, 10)
        ),
    }
)
"""For queries with any number of relevant candidates."""

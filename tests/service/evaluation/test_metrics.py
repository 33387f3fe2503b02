import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.evaluation.metrics import (
    paired_difference,
    per_query,
    recall_at,
    reciprocal,
    summarise,
    worst_ranks,
)


def test_ranks_by_hand() -> None:
    scores = np.array([[0.9, 0.5, 0.1], [0.2, 0.8, 0.8], [0.3, 0.3, 0.3]])
    relevant = np.array([[True, False, False], [True, False, False], [False, True, False]])
    assert worst_ranks(scores, relevant).tolist() == [1, 3, 3]


def test_the_best_of_several_relevant_ones_counts() -> None:
    scores = np.array([[0.1, 0.5, 0.9, 0.7]])
    relevant = np.array([[True, True, False, True]])
    assert worst_ranks(scores, relevant).tolist() == [2]


def test_a_constant_scorer_gains_nothing_from_ties() -> None:
    scores = np.ones((1, 100))
    relevant = np.zeros((1, 100), bool)
    relevant[0, 0] = True
    assert worst_ranks(scores, relevant).tolist() == [100]


def test_nothing_relevant_or_nan_is_beyond_last() -> None:
    scores = np.array([[1.0, 2.0], [np.nan, 1.0]])
    relevant = np.array([[False, False], [True, False]])
    assert worst_ranks(scores, relevant).tolist() == [3, 3]


def test_recall_and_reciprocal_rank_by_hand() -> None:
    ranks = np.array([1, 2, 11])
    assert recall_at(ranks, 1).tolist() == [1, 0, 0]
    assert recall_at(ranks, 10).tolist() == [1, 1, 0]
    assert reciprocal(ranks).mean() == pytest.approx((1 + 1 / 2 + 1 / 11) / 3)


def test_ndcg_by_hand_with_the_grade_as_gain() -> None:
    qrels = {"q": {"a": 1, "c": 2}, "unanswered": {"a": 1}}
    run = {"q": {"a": 3.0, "c": 2.0, "b": 1.0}}
    found = per_query(run, qrels, "nDCG@10")
    best = 2 / np.log2(2) + 1 / np.log2(3)
    assert found["q"] == pytest.approx((1 / np.log2(2) + 2 / np.log2(3)) / best)
    assert found["unanswered"] == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(0, 5))
def test_the_interval_holds_the_mean(values: list[float], seed: int) -> None:
    figure = summarise("x", values, seed=seed)
    assert min(values) - 1e-9 <= figure.low <= figure.high <= max(values) + 1e-9
    assert figure.mean == pytest.approx(np.mean(values))


def test_clusters_widen_the_interval_of_repeated_queries() -> None:
    values = [0.0] * 50 + [1.0] * 50
    cases = [str(number // 10) for number in range(100)]
    alone, clustered = summarise("x", values), summarise("x", values, clusters=cases)
    assert clustered.high - clustered.low > 2 * (alone.high - alone.low)


def test_a_difference_pairs_queries() -> None:
    figure = paired_difference("x", [1, 0, 1, 1], [0, 0, 1, 0])
    assert figure.mean == pytest.approx(0.5)
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_difference("x", [1], [1, 0])

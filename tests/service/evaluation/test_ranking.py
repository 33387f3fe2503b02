import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.evaluation.metrics import per_query
from service.evaluation.ranking import (
    CLASS_MEASURES,
    KNOWN_ITEM_MEASURES,
    Ranking,
    average_precision,
    first_rank,
    is_found,
    ndcg,
    precision,
    rank_candidates,
    reciprocal_rank,
)

GRADES = st.lists(st.integers(0, 3), min_size=1, max_size=40)


def ranked(grades: list[int]) -> Ranking:
    """A ranking whose grades stand in the order given."""
    return rank_candidates(np.arange(len(grades), 0, -1, dtype=float), grades)


def test_the_best_score_comes_first_and_rows_keep_their_names() -> None:
    ranking = rank_candidates(np.array([0.1, 0.9, 0.5]), [1, 0, 2])
    assert ranking.rows.tolist() == [1, 2, 0]
    assert ranking.grades.tolist() == [0, 2, 1]


def test_of_equal_scores_the_less_relevant_come_first() -> None:
    ranking = rank_candidates(np.ones(100), np.eye(1, 100, dtype=int)[0])
    assert first_rank(ranking) == 100
    assert rank_candidates(np.ones(3), [2, 0, 1]).grades.tolist() == [0, 1, 2]


def test_only_allowed_candidates_are_ranked() -> None:
    allowed = np.array([False, True, True])
    ranking = rank_candidates(np.array([0.9, 0.1, 0.5]), [1, 1, 0], allowed)
    assert ranking.rows.tolist() == [2, 1]
    assert first_rank(ranking) == 2


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_what_has_no_score_is_never_found(score: float) -> None:
    assert first_rank(rank_candidates(np.array([score, 0.5]), [1, 0])) == 3


def test_measures_by_hand() -> None:
    ranking = ranked([0, 2, 0, 1])
    assert first_rank(ranking) == 2
    assert reciprocal_rank(ranking) == 0.5
    assert is_found(ranking, 1) == 0
    assert is_found(ranking, 2) == 1
    assert precision(ranking, 10) == 0.2
    assert average_precision(ranking) == pytest.approx((1 / 2 + 2 / 4) / 2)
    best = 2 / np.log2(2) + 1 / np.log2(3)
    assert ndcg(ranking, 10) == pytest.approx((2 / np.log2(3) + 1 / np.log2(5)) / best)
    assert ndcg(ranking, 2) == pytest.approx((2 / np.log2(3)) / best)


def test_nothing_relevant_gives_nothing() -> None:
    ranking = ranked([0, 0, 0])
    assert first_rank(ranking) == 4
    for measure in CLASS_MEASURES.values():
        assert measure.value(ranking) == 0
        assert measure.chance(ranking) == 0


@given(GRADES)
def test_measures_equal_those_of_trec_eval(grades: list[int]) -> None:
    run = {"q": {f"r{row:02d}": float(-row) for row in range(len(grades))}}
    qrels = {"q": {f"r{row:02d}": grade for row, grade in enumerate(grades)}}
    ranking = ranked(grades)
    ours = {"P@10": precision(ranking, 10), "AP": average_precision(ranking)}
    ours |= {"nDCG@10": ndcg(ranking, 10)}
    if any(grades):
        ours |= {"RR": reciprocal_rank(ranking), "Success@5": is_found(ranking, 5)}
    for name, value in ours.items():
        assert value == pytest.approx(per_query(run, qrels, name)["q"], abs=1e-6)


@pytest.mark.parametrize(
    ("measures", "grades"),
    [
        (CLASS_MEASURES, [1] * 4 + [0] * 13),
        (CLASS_MEASURES, [3, 2, 2, 1] + [0] * 9),
        (KNOWN_ITEM_MEASURES, [1] + [0] * 19),
    ],
)
def test_chance_is_what_random_orders_give(measures: dict, grades: list[int]) -> None:
    random = np.random.default_rng(1)
    orders = [ranked(random.permutation(grades).tolist()) for _ in range(2000)]
    for measure in measures.values():
        mean = np.mean([measure.value(order) for order in orders])
        assert measure.chance(orders[0]) == pytest.approx(mean, abs=0.02)


def test_what_was_not_found_gains_nothing() -> None:
    scores = np.array([0.5, -np.inf, -np.inf, -np.inf])
    ranking = rank_candidates(scores, [1, 1, 1, 0])
    assert precision(ranking, 3) == pytest.approx(1 / 3)
    assert average_precision(ranking) == pytest.approx(1 / 3)
    assert ndcg(ranking, 3) == pytest.approx(1 / (1 + 1 / np.log2(3) + 1 / 2))
    assert first_rank(ranking) == 1

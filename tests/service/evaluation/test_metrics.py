import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.evaluation import metrics
from service.evaluation.metrics import paired_difference, per_query, summarise, summarise_median


def test_ndcg_by_hand_with_the_grade_as_gain() -> None:
    qrels = {"q": {"a": 1, "c": 2}, "unanswered": {"a": 1}}
    run = {"q": {"a": 3.0, "c": 2.0, "b": 1.0}}
    found = per_query(run, qrels, "nDCG@10")
    best = 2 / np.log2(2) + 1 / np.log2(3)
    assert found["q"] == pytest.approx((1 / np.log2(2) + 2 / np.log2(3)) / best)
    assert found["unanswered"] == 0.0


@pytest.mark.parametrize("relevant", ["a", "b", "c"])
def test_ties_in_a_run_count_against_us(relevant: str) -> None:
    run = {"q": {"a": 1.0, "b": 1.0, "c": 1.0}}
    assert per_query(run, {"q": {relevant: 1}}, "RR")["q"] == pytest.approx(1 / 3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.integers(0, 5))
def test_the_interval_holds_the_mean(values: list[float], seed: int) -> None:
    figure = summarise("x", values, seed=seed)
    assert min(values) - 1e-9 <= figure.low <= figure.high <= max(values) + 1e-9
    assert figure.mean == pytest.approx(np.mean(values))


def test_the_interval_is_as_wide_as_theory_says() -> None:
    values = [0.0] * 200 + [1.0] * 200
    figure = summarise("x", values)
    assert figure.high - figure.low == pytest.approx(2 * 1.96 * 0.5 / 20, rel=0.1)


def test_clusters_widen_the_interval_of_repeated_queries() -> None:
    values = [0.0] * 50 + [1.0] * 50
    cases = [str(number // 10) for number in range(100)]
    alone, clustered = summarise("x", values), summarise("x", values, clusters=cases)
    assert clustered.high - clustered.low > 2 * (alone.high - alone.low)


def test_drawing_in_parts_changes_nothing_but_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.linspace(0, 1, 50)
    at_once = summarise("x", values)
    monkeypatch.setattr(metrics, "_DRAWN_AT_ONCE", 500)
    assert summarise("x", values) == at_once


def test_the_median_has_an_interval_too() -> None:
    figure = summarise_median("median rank", [1, 1, 2, 50, 900], chance=500)
    assert figure.mean == 2
    assert figure.low == 1
    assert figure.high == 900


@pytest.mark.parametrize("summary", [summarise, summarise_median])
def test_no_queries_give_no_figure(summary: object) -> None:
    figure = summary("x", [])
    assert figure.queries == 0
    assert np.isnan([figure.mean, figure.low, figure.high]).all()


def test_a_difference_pairs_queries() -> None:
    figure = paired_difference("x", [1, 0, 1, 1], [0, 0, 1, 0])
    assert figure.mean == pytest.approx(0.5)
    with pytest.raises(ValueError, match="cannot be paired"):
        paired_difference("x", [1], [1, 0])


def test_a_steady_lead_is_clear_though_the_two_intervals_overlap() -> None:
    theirs = np.linspace(0, 0.9, 40)
    figure = paired_difference("x", theirs + 0.05, theirs)
    assert figure.low == pytest.approx(0.05)
    assert figure.high == pytest.approx(0.05)
    assert summarise("x", theirs).high > summarise("x", theirs + 0.05).low

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.calibration.chance import (
    estimate_rates,
    fit_pictures,
    fit_words,
    quantiles,
)
from indexer.store.calibration import PAIR_SHARES

RNG = np.random.default_rng(3)
LOW = RNG.normal(0.2, 0.05, (100, 2))
HIGH = RNG.normal(0.8, 0.05, (100, 2))


def test_quantiles_of_a_ramp_are_its_shares() -> None:
    found = quantiles(np.linspace(0, 1, 10001))
    assert found is not None
    assert np.allclose(found, PAIR_SHARES, atol=1e-3)


def test_counted_scores_equal_repeated_ones() -> None:
    scores = np.array([0.3, 0.0, 0.9])
    counts = np.array([50.0, 200.0, 10.0])
    assert quantiles(scores, counts) == quantiles(np.repeat(scores, counts.astype(int)))


def test_too_few_pairs_say_nothing() -> None:
    assert quantiles(np.linspace(0, 1, 99)) is None


@given(st.lists(st.floats(-1, 1), min_size=100, max_size=300))
def test_quantiles_rise(scores: list[float]) -> None:
    found = quantiles(np.array(scores))
    assert found is not None
    assert list(found) == sorted(found)


def test_words_must_reach_beyond_chance_but_stay_nearer_to_it() -> None:
    least = fit_words(LOW, HIGH)
    assert (least > np.quantile(LOW, 0.98, axis=0)).all()
    assert (least < (LOW.mean(axis=0) + HIGH.mean(axis=0)) / 2).all()


def test_related_texts_that_score_like_chance_do_not_lower_the_limit() -> None:
    assert np.array_equal(fit_words(LOW, LOW - 0.1), fit_words(LOW, HIGH[:0]))


def test_a_ranking_is_fitted_to_those_that_it_was_asked() -> None:
    partly = HIGH.copy()
    partly[::2, 1] = np.nan
    partly[8:, 0] = np.nan
    assert np.array_equal(
        fit_words(LOW, partly),
        [fit_words(LOW, HIGH[:8])[0], fit_words(LOW, HIGH[1::2])[1]],
    )
    partly[1:, 1] = np.nan
    assert fit_words(LOW, partly)[1] == fit_words(LOW, HIGH[:0])[1]


def test_an_index_of_one_case_has_limits_too() -> None:
    nothing_else = np.full((20, 2), -np.inf)
    assert np.array_equal(fit_words(LOW, nothing_else), fit_words(LOW, HIGH[:0]))


def test_no_words_in_common_are_never_enough() -> None:
    nothing = np.zeros((100, 1))
    assert fit_words(nothing, nothing) >= 0.1
    assert fit_words(LOW - 0.2, HIGH[:0])[0] >= 0.4


def test_pictures_are_judged_by_their_own_kind_or_by_chance_whichever_is_lower() -> None:
    assert (fit_pictures(LOW, HIGH) < LOW.max(axis=0)).all()
    assert (fit_pictures(HIGH, LOW) < LOW.mean(axis=0)).all()
    assert (fit_pictures(LOW, HIGH[:3]) == fit_pictures(LOW, HIGH[:0])).all()


def test_rates_of_what_lies_apart_are_low_and_of_what_does_not_are_not() -> None:
    apart = estimate_rates(LOW, HIGH, fit_words, "any")
    assert apart.false_alarms is not None
    assert apart.false_alarms < 0.1
    assert apart.misses == 0
    assert (apart.unrelated, apart.related) == (100, 100)
    mixed = estimate_rates(LOW, LOW, fit_words, "any")
    assert mixed.misses is not None
    assert mixed.misses > 0.8


def test_rates_of_nothing_are_unknown() -> None:
    rates = estimate_rates(LOW, HIGH[:0], fit_words, "any")
    assert rates.misses is None
    assert rates.related == 0

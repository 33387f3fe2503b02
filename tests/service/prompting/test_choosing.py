import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.prompting.choosing import (
    Candidate,
    candidate_of,
    choose_diverse,
    grams_of,
    in_turn,
    order_for_reading,
    similarities,
)
from service.prompting.context import sections_of
from service.retrieval.hits import Hit


def candidate(kit, number: int, answer: str, **changes: object) -> Candidate:  # type: ignore[no-untyped-def]
    record = kit.text_record("t", number, question="Why?", answer=answer, **changes)
    hit = Hit(rank=number, score=1.0, index="i", record=record, why={})
    return candidate_of(hit, sections_of(record))


def numbers(chosen: list[Candidate]) -> list[int]:
    return [one.hit.rank for one in chosen]


def test_what_differs_goes_before_what_repeats(kit) -> None:  # type: ignore[no-untyped-def]
    pool = [
        candidate(kit, 1, "Give adrenaline into the thigh, then call for help."),
        candidate(kit, 2, "Give adrenaline into the thigh, and call for help soon."),
        candidate(kit, 3, "Lie the patient down with raised legs."),
    ]
    assert similarities(pool[0].grams, pool[1].grams) < 0.8
    assert numbers(choose_diverse(pool, 3)) == [1, 3, 2]
    assert numbers(choose_diverse(pool, 1)) == [1]
    assert choose_diverse([], 3) == []


def test_a_case_and_a_text_once(kit) -> None:  # type: ignore[no-untyped-def]
    pool = [
        candidate(kit, 1, "It is influenza.", case_id="a"),
        candidate(kit, 2, "It is the common cold.", case_id="a"),
        candidate(kit, 3, "it is Influenza"),
    ]
    assert numbers(choose_diverse(pool, 3)) == [1]


@given(st.lists(st.text("abcdef ", min_size=1, max_size=40), max_size=12), st.integers(1, 12))
def test_the_best_comes_first_and_none_twice(kit, texts: list[str], most: int) -> None:  # type: ignore[no-untyped-def]
    pool = [candidate(kit, place, text) for place, text in enumerate(texts, 1)]
    chosen = numbers(choose_diverse(pool, most))
    assert chosen[:1] == ([1] if texts else [])
    assert len(set(chosen)) == len(chosen) <= most


@pytest.mark.parametrize(
    ("count", "order"),
    [(0, []), (1, [1]), (2, [1, 2]), (5, [1, 3, 5, 4, 2]), (6, [1, 3, 5, 6, 4, 2])],
)
def test_the_best_stand_at_both_ends(count: int, order: list[int]) -> None:
    assert order_for_reading(range(1, count + 1)) == order


def test_rankings_in_turn() -> None:
    assert in_turn("ace", "b") == ["a", "b", "c", "e"]
    assert in_turn() == []


def grams(text: str) -> set[str]:
    return {text[at : at + 4] for at in range(len(text) - 3)}


def test_similarity_by_hand() -> None:
    assert int(np.bitwise_count(grams_of("ABCDE")).sum()) == 2
    assert similarities(grams_of("abcde"), grams_of("ABCDX")) == pytest.approx(1 / 3)
    assert similarities(grams_of(""), grams_of("abcd")) == 0.0
    assert similarities(grams_of("脑"), grams_of("脑")) == 1.0


@example("c 出e", "ebd脑")
@given(
    st.text("abc de脑出", min_size=4, max_size=200), st.text("abc de脑出", min_size=4, max_size=200)
)
def test_similarity_is_that_of_sets(one: str, other: str) -> None:
    every = grams(one) | grams(other)
    expected = len(grams(one) & grams(other)) / len(every)
    # Two grams that share a bit may count as one: among the few of short texts that is a lot.
    shared = len(every) - int(np.bitwise_count(grams_of(one) | grams_of(other)).sum())
    found = similarities(grams_of(one), grams_of(other))
    assert found == pytest.approx(expected, abs=1e-6 + 2 * shared / (len(every) - shared))


def test_grams_hardly_ever_share_a_bit() -> None:
    words = [f"{number:05d}" for number in range(100, 400)]
    every = set().union(*map(grams, words))
    bits = np.bitwise_or.reduce([grams_of(word) for word in words])
    assert len(every) - int(np.bitwise_count(bits).sum()) <= 0.05 * len(every)

import itertools

from hypothesis import given
from hypothesis import strategies as st

from service.retrieval.contradictions import WINDOW, Demoted, demote
from service.retrieval.fusion import Fused, Key

TEXTS = ("No pleural effusion.", "Large pleural effusion", "", "Mass", "Effusion, no effusion")


def ranking(count: int) -> list[Fused]:
    return [Fused(Key(row % 3, row), 1 / (1 + row)) for row in range(count)]


def test_contradicting_records_go_behind_the_others_in_their_order() -> None:
    ranked = ranking(5)
    texts = ["no effusion", "effusion", "No effusion seen", "", "a large effusion"]
    done = demote(ranked, "chest x-ray with effusion", lambda key: texts[key.row])
    assert [one.key.row for one in done.ranked] == [1, 3, 4, 0, 2]
    assert done.contradicting == {ranked[0].key, ranked[2].key}
    assert {one.key: one.score for one in done.ranked} == {one.key: one.score for one in ranked}


def test_with_a_margin_they_go_behind_what_is_nearly_as_good() -> None:
    ranked = [Fused(Key(0, row), score) for row, score in enumerate((0.9, 0.87, 0.8, 0.79))]
    texts = ["no effusion", "effusion", "no effusion", "effusion"]
    done = demote(ranked, "effusion", lambda key: texts[key.row], margin=0.05)
    assert [one.key.row for one in done.ranked] == [1, 0, 3, 2]
    near = demote(ranked, "effusion", lambda key: texts[key.row], margin=0.02)
    assert [one.key.row for one in near.ranked] == [0, 1, 3, 2]
    assert near.contradicting == done.contradicting == {ranked[0].key, ranked[2].key}


def test_with_no_margin_they_are_found_and_stay_in_whatever_order() -> None:
    ranked = [Fused(Key(0, row), score) for row, score in enumerate((0.1, 0.9, 0.5))]
    texts = ["no effusion", "effusion", "no effusion"]
    done = demote(ranked, "effusion", lambda key: texts[key.row], margin=0.0)
    assert done == Demoted(tuple(ranked), frozenset({ranked[0].key, ranked[2].key}))


@given(st.lists(st.sampled_from(TEXTS), max_size=2 * WINDOW), st.sampled_from(TEXTS))
def test_a_margin_wider_than_the_scores_is_none(texts: list[str], query: str) -> None:
    ranked = ranking(len(texts))
    everywhere = demote(ranked, query, lambda key: texts[key.row])
    assert demote(ranked, query, lambda key: texts[key.row], margin=1.0) == everywhere


def test_a_query_for_absence_puts_the_finding_behind() -> None:
    texts = ["effusion", "no effusion", "normal chest"]
    done = demote(ranking(3), "chest x-ray without effusion", lambda key: texts[key.row])
    assert [one.key.row for one in done.ranked] == [1, 2, 0]


def test_below_the_window_nothing_is_read_or_moved() -> None:
    ranked = ranking(6)
    asked: list[Key] = []

    def text_of(key: Key) -> str:
        asked.append(key)
        return "no mass" if key.row in {0, 5} else "mass"

    done = demote(ranked, "mass", text_of, window=3)
    assert [one.key.row for one in done.ranked] == [1, 2, 0, 3, 4, 5]
    assert asked == [one.key for one in ranked[:3]]
    assert done.contradicting == {ranked[0].key}


def test_a_query_that_states_nothing_reads_no_text() -> None:
    def refuse(_: Key) -> str:
        raise AssertionError("a text was read")

    ranked = ranking(4)
    for query in ("", "CT", "possible pneumonia", "请问怎么治疗"):
        done = demote(ranked, query, refuse)
        assert done.ranked == tuple(ranked)
        assert not done.contradicting


@given(st.lists(st.sampled_from(TEXTS), max_size=2 * WINDOW), st.sampled_from(TEXTS))
def test_demoting_is_a_stable_partition_of_the_window(texts: list[str], query: str) -> None:
    ranked = ranking(len(texts))
    done = demote(ranked, query, lambda key: texts[key.row])
    window = ranked[:WINDOW]
    kept = [one for one in window if one.key not in done.contradicting]
    moved = [one for one in window if one.key in done.contradicting]
    assert list(done.ranked) == kept + moved + ranked[WINDOW:]
    assert len(moved) == len(done.contradicting)


FALLING = st.lists(
    st.tuples(st.sampled_from(TEXTS), st.sampled_from([0.0, 0.01, 0.04, 0.2])), max_size=WINDOW + 9
)


@given(FALLING, st.sampled_from(TEXTS), st.integers(0, WINDOW + 9), st.none() | st.just(0.05))
def test_no_more_is_read_than_the_first_places_need(
    drops: list[tuple[str, float]], query: str, needed: int, margin: float | None
) -> None:
    score, ranked, read = 1.0, [], []
    for row, (_, drop) in enumerate(drops):
        score -= drop
        ranked.append(Fused(Key(0, row), score))

    def text_of(key: Key) -> str:
        read.append(key)
        return drops[key.row][0]

    whole = demote(ranked, query, text_of, margin=margin)
    most = len(read)
    read.clear()
    some = demote(ranked, query, text_of, margin=margin, needed=needed)
    assert some.ranked[:needed] == whole.ranked[:needed]
    page = {one.key for one in some.ranked[:needed]}
    assert page & some.contradicting == page & whole.contradicting
    assert len(read) <= min(most, needed + len(some.contradicting))


@given(FALLING, st.sampled_from(TEXTS), st.integers(0, 9), st.none() | st.just(0.05))
def test_no_more_is_read_than_the_first_cases_need(
    drops: list[tuple[str, float]], query: str, needed: int, margin: float | None
) -> None:
    scores = itertools.accumulate((drop for _, drop in drops), lambda score, drop: score - drop)
    ranked = [Fused(Key(0, row), score) for row, score in enumerate(scores)]
    read: list[Key] = []

    def text_of(key: Key) -> str:
        read.append(key)
        return drops[key.row][0]

    def case_of(key: Key) -> int:
        return key.row * 7 % 10

    def page(done: Demoted) -> list[Key]:
        """The best record of each of the first cases."""
        best: dict[int, Key] = {}
        for one in done.ranked:
            best.setdefault(case_of(one.key), one.key)
        return list(best.values())[:needed]

    whole = demote(ranked, query, text_of, margin=margin)
    most = len(read)
    read.clear()
    some = demote(ranked, query, text_of, margin=margin, needed=needed, place_of=case_of)
    assert page(some) == page(whole)
    shown = set(page(some))
    assert shown & some.contradicting == shown & whole.contradicting
    assert len(read) <= most
    taken = {case_of(key) for key in read[:-1] if key not in some.contradicting}
    assert len(taken) <= max(needed - 1, 0)

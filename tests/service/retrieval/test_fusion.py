from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.retrieval.fusion import Found, FusedRanking, Key, Ranking, fuse, merge_by_score


def ranking(name: str, rows: list[int], scores: list[float], **changes: object) -> Ranking:
    values = {"measure": "cosine", "weight": 1.0, "keys": [Key(0, row) for row in rows]}
    return Ranking(**(values | {"name": name, "scores": scores} | changes))


def rows(result: FusedRanking) -> list[int]:
    return [one.key.row for one in result.fused]


def test_rrf_sums_by_hand() -> None:
    result = fuse(
        [ranking("image", [5, 6, 7], [0.9, 0.8, 0.7]), ranking("caption", [6, 8], [0.3, 0.2])],
        "rrf",
    )
    assert result.score_kind == "rrf"
    # 6: 1/62 + 1/61; 5: 1/61; 8: 1/62 (best place 2); 7: 1/63
    assert rows(result) == [6, 5, 8, 7]
    assert result.fused[0].score == pytest.approx(1 / 62 + 1 / 61)
    assert result.fused[2].score == pytest.approx(1 / 62)
    why = {name: (one.rank, one.score) for name, one in result.why(Key(0, 6)).items()}
    assert why == {"image": (2, 0.8), "caption": (1, 0.3)}
    assert set(result.why(Key(0, 8))) == {"caption"}


def test_weights_scale_votes() -> None:
    result = fuse(
        [ranking("a", [1], [0.1], weight=0.5), ranking("b", [2], [0.1], weight=2.0)], "rrf"
    )
    assert [(one.key.row, round(one.score * 61, 9)) for one in result.fused] == [
        (2, 2.0), (1, 0.5),
    ]  # fmt: skip


def test_an_image_without_caption_is_judged_by_its_picture_alone() -> None:
    """Row 1 has no caption: its first place among images is worth a quarter more for that."""
    bare = frozenset({Key(0, 1)})
    images = ranking("image", [1, 2, 3], [0.9, 0.8, 0.7])
    captions = ranking("caption", [2, 3], [0.9, 0.8], excused=bare)
    result = fuse([images, captions], "rrf")
    assert rows(result) == [2, 3, 1]
    assert result.fused[0].score == pytest.approx(1 / 62 + 1 / 61)
    assert result.fused[2].score == pytest.approx(1.25 / 61)
    # Without the excuse a captioned image far down both rankings would come before it.
    far = [ranking(name, [*range(100, 140), 2], [0.5] * 41) for name in ("image", "caption")]
    few = ranking("caption", [*range(100, 140), 2], [0.5] * 41, excused=bare)
    first = ranking("image", [1, *range(100, 139), 2], [0.5] * 41)
    order = rows(fuse([first, few], "rrf"))
    assert order.index(1) < order.index(2)
    plain = rows(fuse([first, far[1]], "rrf"))
    assert plain.index(2) < plain.index(1)


def test_an_excused_ranking_counts_where_it_speaks_for_the_record() -> None:
    bare = frozenset({Key(0, 1), Key(0, 2)})
    images = ranking("image", [9, 1, 2], [0.9, 0.8, 0.7])
    words = ranking("lexical", [1, 8, 7, 2], [0.9, 0.8, 0.7, 0.6], excused=bare)
    score = {one.key.row: one.score for one in fuse([images, words], "rrf").fused}
    assert score[1] == pytest.approx(1 / 62 + 1 / 61)  # first by words: better than 2nd of images
    assert score[2] == pytest.approx(1.25 / 63)  # fourth by words: worse, so it is guessed
    assert score[9] == pytest.approx(1 / 61)  # not excused, so a missing vote is a missing vote


def test_blend_by_hand() -> None:
    dense = ranking("question", [1, 2], [0.8, 0.6], weight=0.7, floor=0.6)
    words = ranking("lexical", [2, 3], [0.5, 0.4], weight=0.3, measure="coverage")
    result = fuse([dense, words], "blend")
    assert result.score_kind == "blend"
    # 1: .7*.8 + .3*0; 2: .7*.6 + .3*.5; 3: .7*.6 (the floor) + .3*.4
    assert [(one.key.row, round(one.score, 6)) for one in result.fused] == [
        (2, 0.57), (1, 0.56), (3, 0.54),
    ]  # fmt: skip


def test_a_blend_counts_from_what_chance_gives() -> None:
    dense = ranking("question", [1, 2], [0.95, 0.9], weight=0.7, floor=0.9, chance=0.8)
    words = ranking("lexical", [2, 3], [0.5, 0.4], weight=0.3, measure="coverage")
    # 1: .7*.75 + .3*0; 2: .7*.5 + .3*.5; 3: .7*.5 (the floor) + .3*.4
    assert [(one.key.row, round(one.score, 6)) for one in fuse([dense, words], "blend").fused] == [
        (1, 0.525), (2, 0.5), (3, 0.47),
    ]  # fmt: skip


@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=8),
    st.lists(st.floats(0, 1), min_size=1, max_size=8),
    st.floats(-0.5, 0.95),
)
def test_a_blend_does_not_depend_on_where_an_encoders_cosines_begin(
    cosines: list[float], coverages: list[float], chance: float
) -> None:
    cosines.sort(reverse=True)
    coverages.sort(reverse=True)
    words = ranking("lexical", list(range(len(coverages))), coverages, weight=0.3)
    places = list(range(0, 2 * len(cosines), 2))
    plain = ranking("question", places, cosines, weight=0.7, floor=cosines[-1])
    moved = [chance + (1 - chance) * one for one in cosines]
    other = ranking("question", places, moved, weight=0.7, floor=moved[-1], chance=chance)
    expected = {one.key: one.score for one in fuse([plain, words], "blend").fused}
    found = {one.key: one.score for one in fuse([other, words], "blend").fused}
    assert found == pytest.approx(expected, abs=1e-9)
    assert all(-1 - 1e-9 <= score <= 1 + 1e-9 for score in found.values())


@pytest.mark.parametrize("fusion", ["rrf", "blend"])
def test_a_ranking_alone_keeps_its_scores(fusion: str) -> None:
    result = fuse([ranking("lexical", [4, 2], [0.4, 0.1], measure="coverage")], fusion)
    assert result.score_kind == "coverage"
    assert [(one.key.row, one.score) for one in result.fused] == [(4, 0.4), (2, 0.1)]


def test_an_empty_second_ranking_does_not_change_the_kind_of_score() -> None:
    assert fuse([ranking("image", [1], [0.9]), ranking("caption", [], [])], "rrf").score_kind == (
        "rrf"
    )


def test_nothing_found_is_nothing_fused() -> None:
    assert rows(fuse([], "rrf")) == []
    assert fuse([ranking("image", [], [])], "rrf").score_kind == "cosine"


def test_ties_go_to_the_best_place_then_to_the_key() -> None:
    result = fuse([ranking("a", [9, 3], [0.5, 0.5]), ranking("b", [3, 9], [0.5, 0.5])], "rrf")
    assert rows(result) == [3, 9]


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 20), st.sampled_from([0.1, 0.5, 0.9])),
            max_size=10,
            unique_by=lambda pair: pair[0],
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 30),
)
def test_merging_is_sorting_everything(parts: list[list[tuple[int, float]]], depth: int) -> None:
    """Parts are fields of two readers; a record counts with the field that it is best in."""
    found = [
        Found(
            number // 2,
            np.array([row for row, _ in part], np.int64),
            np.array([score for _, score in part], np.float32),
            f"field{number}",
        )
        for number, part in enumerate(parts)
    ]
    merged = merge_by_score(found, depth)
    best: dict[tuple[int, int], tuple[float, str]] = {}
    for number, part in enumerate(parts):
        for row, score in part:
            known = best.get((number // 2, row))
            if known is None or score > known[0]:
                best[number // 2, row] = (score, f"field{number}")
    expected = sorted(best, key=lambda key: (-best[key][0], key))[:depth]
    assert merged.keys == expected
    assert merged.scores == pytest.approx([best[key][0] for key in expected])
    assert merged.fields == {key: best[key][1] for key in expected}


def test_a_ranking_of_one_field_names_none() -> None:
    found = Found(0, np.array([3], np.int64), np.array([0.5], np.float32))
    assert merge_by_score([found], 9).fields == {}


@given(st.lists(st.permutations(range(8)), min_size=2, max_size=4))
def test_rrf_keeps_every_record_once_and_falls(orders: list[list[int]]) -> None:
    rankings = [
        ranking(str(number), list(order), [1.0 - place / 10 for place in range(8)])
        for number, order in enumerate(orders)
    ]
    result = fuse(rankings, "rrf")
    assert sorted(rows(result)) == list(range(8))
    scores = [one.score for one in result.fused]
    assert scores == sorted(scores, reverse=True)
    for one in result.fused:
        ranks = [order.index(one.key.row) + 1 for order in orders]
        assert one.score == pytest.approx(sum(1 / (60 + rank) for rank in ranks))


def test_texts_are_blended_before_they_are_fused_by_rank() -> None:
    images = ranking("image", [1, 2], [0.3, 0.2], weight=0.4)
    captions = replace(ranking("caption", [1, 2], [0.8, 0.6], floor=0.6), of_texts=True)
    words = ranking("lexical", [2, 3], [0.5, 0.4], measure="coverage")
    # Of the blend, 1.6 * .4 goes to words.
    found = replace(words, of_texts=True, covered=0.4)
    result = fuse([images, captions, found], "rrf")
    share = 0.64
    blended = {
        1: (1 - share) * 0.8,
        2: (1 - share) * 0.6 + share * 0.5,
        3: (1 - share) * 0.6 + share * 0.4,
    }
    order = sorted(blended, key=lambda row: -blended[row])
    assert order == [2, 3, 1]
    votes = {row: 2 / (61 + place) for place, row in enumerate(order)}
    votes[1] += 0.4 / 61
    votes[2] += 0.4 / 62
    assert {one.key.row: one.score for one in result.fused} == pytest.approx(votes)
    # What each ranking said is still told.
    assert set(result.why(Key(0, 2))) == {"image", "caption", "lexical"}
    # Words that no text holds have no say.
    lost = replace(words, of_texts=True, covered=0.0)
    assert rows(fuse([captions, lost], "rrf")) == [1, 2, 3]


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_better_words_are_covered_the_more_they_count(low: float, high: float) -> None:
    low, high = sorted((low, high))
    captions = replace(ranking("caption", [1], [0.8], floor=0.2), of_texts=True)
    words = replace(ranking("lexical", [2], [0.5], measure="coverage"), of_texts=True)

    def place_of_words(covered: float) -> int:
        return rows(fuse([captions, replace(words, covered=covered)], "rrf")).index(2)

    assert place_of_words(high) <= place_of_words(low)


def test_pictures_sought_by_words_give_way_to_texts_that_cover_them() -> None:
    images = ranking("image", [1], [0.3], weight=0.5, gives_way=True)
    words = ranking("lexical", [2], [0.9], measure="coverage", of_texts=True, covered=0.5)
    votes = {one.key.row: one.score for one in fuse([images, words], "rrf").fused}
    assert votes == pytest.approx({1: 0.5 * (1 - 0.8 * 0.5) / 61, 2: 1 / 61})
    captions = ranking("caption", [2], [0.9], floor=0.1, of_texts=True)
    beside = {one.key.row: one.score for one in fuse([images, captions, words], "rrf").fused}
    assert beside == pytest.approx({1: votes[1], 2: 2 / 61})
    # Texts alone, words that nobody writes, or that do not count, take nothing from them.
    for texts in (
        [captions],
        [captions, replace(words, covered=0.0)],
        [captions, replace(words, weight=1e-9)],
    ):
        kept = {one.key.row: one.score for one in fuse([images, *texts], "rrf").fused}
        assert kept[1] == pytest.approx(0.5 / 61)


def test_one_ranking_of_texts_votes_as_any_other() -> None:
    images = ranking("image", [1, 2], [0.3, 0.2])
    words = ranking("lexical", [2, 1], [0.9, 0.1], measure="coverage")
    plain = fuse([images, words], "rrf").fused
    assert fuse([images, replace(words, of_texts=True, covered=0.9)], "rrf").fused == plain


def test_a_record_that_no_text_speaks_of_is_excused_from_the_blend() -> None:
    bare = frozenset({Key(0, 1)})
    images = ranking("image", [1, 2, 3], [0.9, 0.8, 0.7])
    captions = ranking("caption", [2, 3], [0.9, 0.8], excused=bare)
    words = ranking("lexical", [2, 3], [0.9, 0.8], measure="coverage", excused=bare)
    texts = [replace(captions, of_texts=True), replace(words, of_texts=True, covered=0.5)]
    score = {one.key.row: one.score for one in fuse([images, *texts], "rrf").fused}
    assert score[1] == pytest.approx((1 + 0.25 * 2) / 61)


def test_captions_of_two_spaces_count_each_in_its_own() -> None:
    """Index 0 has its captions in one space, index 1 in another, where cosines are higher."""
    here = [Key(0, row) for row in range(5)]
    there = [Key(1, row) for row in range(5)]
    low = ranking("caption", [], [0.35, 0.2, 0.1, 0.05, 0.0], keys=here, chance=0.1, floor=0.0)
    high = ranking(
        "caption", [], [0.9, 0.89, 0.88, 0.87, 0.86], keys=there, chance=0.85, floor=0.86
    )
    texts = [
        replace(low, of_texts=True, excused=frozenset(there)),
        replace(high, of_texts=True, excused=frozenset(here)),
    ]
    result = fuse(texts, "rrf")
    # Above chance: .28, .11, 0 ... in the first, .33, .27, .2, .13, .07 in the second.
    expected = [(1, 0), (0, 0), (1, 1), (1, 2), (1, 3), (0, 1), (1, 4), (0, 2), (0, 3), (0, 4)]
    assert [tuple(one.key) for one in result.fused] == expected
    # Each record lies in one of them only, so together they have one vote.
    assert result.fused[0].score == pytest.approx(1 / 61)
    pictures = ranking("image", [0], [0.3])
    both = {one.key: one.score for one in fuse([pictures, *texts], "rrf").fused}
    assert both[Key(0, 0)] == pytest.approx(1 / 61 + 1 / 62)


@pytest.mark.parametrize(("weight", "first"), [(0.1, 1), (1.0, 2), (10.0, 2)])
def test_votes_that_are_asked_for_count_within_the_blend(weight: float, first: int) -> None:
    captions = replace(ranking("caption", [1], [0.5], floor=0.2), of_texts=True)
    words = ranking("lexical", [2], [0.6], measure="coverage", weight=weight)
    assert rows(fuse([captions, replace(words, of_texts=True, covered=0.6)], "rrf"))[0] == first

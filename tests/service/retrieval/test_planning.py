"""Modes, weights, and queries of several examples."""

from collections.abc import Callable

import numpy as np
import pytest

from indexer.errors import QueryError, RecordNotFoundError
from service.opening import Opened
from service.retrieval.drafting import WEIGHTS
from service.retrieval.query import ImageSource, RecordSource, TextSource, VectorSource
from service.retrieval.reply import SearchReply

Ask = Callable[..., SearchReply]


def names(reply: SearchReply) -> set[str]:
    return {leg.name for leg in reply.legs}


def ids(reply: SearchReply) -> list[str]:
    return [hit.record.record_id for hit in reply.hits]


def test_dense_and_lexical_are_the_legs_of_hybrid(ask: Ask) -> None:
    source = TextSource("What is disease 3?")
    assert names(ask("questions", source)) == {"question", "lexical"}
    dense = ask("questions", source, mode="dense")
    assert (names(dense), dense.score_kind) == ({"question"}, "cosine")
    lexical = ask("questions", source, mode="lexical")
    assert (names(lexical), lexical.score_kind) == ({"lexical"}, "coverage")
    assert names(ask("images", TextSource("grey 3"), mode="dense")) == {"image", "caption"}
    assert names(ask("images", TextSource("grey 3"), mode="lexical")) == {"lexical"}


def test_a_picture_has_no_words(ask: Ask) -> None:
    with pytest.raises(QueryError, match="needs words"):
        ask("images", ImageSource(b"grey 3"), mode="lexical")


def test_a_language_that_no_embedding_reads_finds_nothing_densely(ask: Ask) -> None:
    reply = ask("questions", TextSource("高血压怎么治疗？"), mode="dense")
    assert reply.hits == ()
    assert {note.code for note in reply.notes} == {"language", "empty"}


def test_weights_change_votes(ask: Ask) -> None:
    source = TextSource("How is anaphylaxis treated first?")
    hit = ask("questions", source, weights={"question": 0.5, "lexical": 0.5}).hits[0]
    mean = (hit.why["question"].score + hit.why["lexical"].score) / 2
    assert hit.score == pytest.approx(mean)
    assert names(ask("questions", source, weights={"lexical": 0})) == {"question"}


def test_a_ranking_may_be_named_that_a_query_does_not_have(ask: Ask) -> None:
    reply = ask("images", TextSource("grey 3"), mode="lexical", weights={"stated": 0, "image": 2})
    assert names(reply) == {"lexical"}
    with pytest.raises(QueryError, match="names a ranking"):
        ask("questions", TextSource("gout"), weights={"stated": 0})


def test_only_rankings_with_a_vote_of_their_own_are_given_one() -> None:
    """What is stated of images votes by how much of the query it says."""
    assert "stated" not in WEIGHTS["images"]


def test_a_vote_that_is_asked_for_gives_way_to_none(ask: Ask) -> None:
    hit = ask("images", TextSource("grey 31"), k=1, weights={"image": 0.5}).hits[0]
    assert hit.why["lexical"].score > 0
    assert hit.score == pytest.approx((2 + 0.5) / 61)


@pytest.mark.parametrize(
    "weights", [{"colour": 1.0}, {"question": -1.0}, {"question": 0.0, "lexical": 0.0},
                {"question": float("inf")}, {"question": float("nan")}, {"question": 1e308},
                {"question": 1.1e6}, {"lexical": 0.9e-6}, {"lexical": 5e-324}],
)  # fmt: skip
def test_impossible_weights_are_refused(ask: Ask, weights: dict[str, float]) -> None:
    with pytest.raises(QueryError):
        ask("questions", TextSource("How?"), weights=weights)


@pytest.mark.parametrize("weight", [1e-6, 1e6])
def test_weights_only_count_beside_each_other(ask: Ask, weight: float) -> None:
    source = TextSource("How is anaphylaxis treated first?")
    for target, rankings in (
        ("questions", ("question", "lexical")), ("images", ("image", "caption", "lexical")),
    ):  # fmt: skip
        plain = ask(target, source, weights=dict.fromkeys(rankings, 1.0))
        scaled = ask(target, source, weights=dict.fromkeys(rankings, weight))
        assert ids(scaled) == ids(plain)
        assert scaled.hits[0].score > 0


def test_pictures_have_no_vote_where_words_alone_rank(ask: Ask) -> None:
    words = TextSource("grey 9")
    plain = ask("images", words, mode="lexical")
    assert plain.notes == ()
    for source in (ImageSource(b"grey 5"), RecordSource("scans/train/5")):
        reply = ask("images", source, also=(words,), mode="lexical")
        assert ids(reply) == ids(plain)
        assert [note.code for note in reply.notes] == ["mode"]
    # An indexed question has words.
    alike = ask("questions", RecordSource("asked/train/3"), also=(words,), mode="lexical")
    assert alike.notes == ()


def test_words_beside_a_picture_vote_apart(ask: Ask) -> None:
    reply = ask("images", ImageSource(b"grey 5"), also=(TextSource("grey 5"),), k=1)
    assert ids(reply) == ["scans/train/5"]
    assert names(reply) == {"image", "image_by_words", "caption", "lexical"}
    assert reply.query.kind == "mixed"


def test_several_examples_are_searched_by_their_mean(ask: Ask, opened: Opened) -> None:
    reader = opened.indexes.snapshot()["scans"]
    total = reader.vector("image", 3) + reader.vector("image", 9)
    examples = ask("images", RecordSource("scans/train/3"), also=(RecordSource("scans/train/9"),))
    mean = ask("images", VectorSource("image", total.astype(np.float32)))
    assert ids(examples) == ids(mean)
    assert set(ids(examples)[:2]) == {"scans/train/3", "scans/train/9"}


def test_what_is_not_wanted_is_left_out_and_its_like_sink(ask: Ask, opened: Opened) -> None:
    source = RecordSource("scans/train/3")
    reader = opened.indexes.snapshot()["scans"]
    wanted, unwanted = reader.vector("image", 3), reader.vector("image", 9)
    turned = wanted - (wanted @ unwanted) / 2 * unwanted
    reply = ask("images", source, unlike=("scans/train/9",), k=40)
    expected = ask("images", VectorSource("image", turned.astype(np.float32)), k=40)
    assert ids(reply) == [one for one in ids(expected) if one != "scans/train/9"]


def test_what_has_nothing_in_common_with_the_unwanted_is_not_moved(
    ask: Ask, opened: Opened
) -> None:
    away = -opened.indexes.snapshot()["scans"].vector("image", 9)
    source = VectorSource("image", away)
    untouched = ids(ask("images", source, k=40))
    pushed = ids(ask("images", source, unlike=("scans/train/9",), k=40))
    assert pushed == [one for one in untouched if one != "scans/train/9"]


def test_an_unknown_example_is_not_found(ask: Ask) -> None:
    for options in ({"also": (RecordSource("no/such/one"),)}, {"unlike": ("no/such/one",)}):
        with pytest.raises(RecordNotFoundError):
            ask("images", TextSource("grey 3"), **options)

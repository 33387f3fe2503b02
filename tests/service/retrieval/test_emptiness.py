from collections.abc import Callable

import pytest

from service.retrieval.emptiness import why_none_passes
from service.retrieval.filters import Combination, Comparison, Filter
from service.retrieval.query import ImageSource, TextSource
from service.retrieval.reply import SearchReply

Ask = Callable[..., SearchReply]
CT = Comparison("modality", "eq", "CT")
NOT_CT = Comparison("modality", "ne", "CT")
OLD = Comparison("age_years", "gt", 300)


def both(*filters: Filter) -> Combination:
    return Combination("and", filters)


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        # 24 scans, each other one a CT, and 6 films.
        (both(CT, NOT_CT), "together; alone, 12 pass modality eq, 18 pass modality ne."),
        (both(CT, both(NOT_CT)), "alone, 12 pass modality eq, 18 pass modality ne."),
        (OLD, "No record passes the filters: none has age_years gt."),
        (both(CT, OLD), "none has age_years gt."),
        (both(CT, Combination("or", (OLD, OLD))), "none has (age_years gt or age_years gt)."),
        (Combination("or", ()), "none has (or of nothing)."),
        (Comparison("modality", "in", ()), "none has modality in."),
    ],
)  # fmt: skip
def test_filters_that_leave_nothing_are_no_error_and_say_which_part_does(
    ask: Ask, filters: Filter, reason: str
) -> None:
    reply = ask("images", TextSource("grey"), filters=filters)
    assert reply.hits == ()
    assert reply.records_allowed == 0
    [note] = [note for note in reply.notes if note.code == "empty"]
    assert note.message.endswith(reason)


def test_excluded_splits_count_as_a_filter(ask: Ask) -> None:
    reply = ask(
        "images", TextSource("grey"), exclude_splits=frozenset({"train"}),
        filters=Comparison("split", "eq", "train"),
    )  # fmt: skip
    [note] = [note for note in reply.notes if note.code == "empty"]
    assert note.message.endswith("none has split nin.")


def test_an_offset_past_the_end_says_how_much_there_is(ask: Ask) -> None:
    reply = ask("images", TextSource("grey"), offset=1000, group_by=None)
    assert reply.hits == ()
    assert [note.message for note in reply.notes if note.code == "empty"] == [
        "There are 30 hits in all; the offset 1000 is past them."
    ]


def test_an_index_without_records_is_no_filter_that_excludes() -> None:
    assert "hold no records" in why_none_passes(None, lambda _: 0)


def test_a_page_with_hits_has_nothing_to_explain(ask: Ask) -> None:
    reply = ask("images", ImageSource(b"grey 5"), k=2, evidence=True)
    assert reply.hits
    assert not [note for note in reply.notes if note.code in {"empty", "evidence"}]

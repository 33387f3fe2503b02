from collections.abc import Callable
from dataclasses import replace

import pytest

from indexer.errors import QueryError
from indexer.store.calibration import PAIR_SHARES, Calibration, Measured
from service.opening import Opened
from service.retrieval.emptiness import why_none_passes
from service.retrieval.filters import Combination, Comparison, Filter
from service.retrieval.query import ImageSource, Query, TextSource
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
        (
            Combination("or", (both(CT, OLD), OLD)),
            "none has ((modality eq and age_years gt) or age_years gt).",
        ),
        (
            both(CT, NOT_CT, Combination("or", (both(), OLD))),
            "30 pass ((and of nothing) or age_years gt).",
        ),
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


def test_what_the_percentile_left_out_was_compared(opened: Opened) -> None:
    calibration = Calibration(
        measured={"en>question": Measured(pairs=(2.0,) * len(PAIR_SHARES), least=0.5)}
    )
    for reader in opened.indexes.snapshot().values():
        reader.manifest = replace(reader.manifest, calibration=calibration)
    query = Query(
        target="questions", source=TextSource("disease"), mode="dense", min_percentile=99.0,
        indexes=("asked",),
    )  # fmt: skip
    for excluded, reason in (
        (frozenset({"asked/train/1"}), "No hit has the percentile that was asked for."),
        (
            frozenset(f"asked/train/{number}" for number in range(12)),
            "Nothing that the query could be compared with is left.",
        ),
    ):
        reply = opened.retriever.search(replace(query, exclude_records=excluded))
        assert [note.message for note in reply.notes if note.code == "empty"] == [reason]


def test_words_that_no_searched_record_holds_are_said_to_be_missing(ask: Ask) -> None:
    reply = ask("questions", TextSource("zzzz qqqq"), mode="lexical")
    assert [note.message for note in reply.notes] == [
        "None of the searched records shares a word with the query."
    ]
    every = frozenset(f"asked/train/{number}" for number in range(12))
    reply = ask("questions", TextSource("disease"), mode="lexical", exclude_records=every)
    assert [note.message for note in reply.notes] == [
        "Nothing that the query could be compared with is left."
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"filters": CT},
        {"facets": ("modality",)},
        {"exclude_splits": frozenset({"train"})},
        {"filters": CT, "facets": ("modality", "labels"), "mode": "lexical"},
    ],
)
def test_where_all_is_excluded_nothing_else_is_to_blame(
    ask: Ask, options: dict[str, object]
) -> None:
    every = frozenset({"scans", "films"})
    reply = ask("images", TextSource("grey"), exclude_datasets=every, **options)
    assert [note.message for note in reply.notes if note.code == "empty"] == [
        "All indexes that would be searched are excluded by exclude_datasets."
    ]
    assert reply.facets == dict.fromkeys(options.get("facets", ()), ())
    with pytest.raises(QueryError, match="names a field"):
        ask("images", TextSource("grey"), exclude_datasets=every, facets=("colour",))

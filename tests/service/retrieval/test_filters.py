"""Filters against a brute-force reading of the same records."""

import operator
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import QueryError
from indexer.records import ImageRecord, ImageRef, TextRecord
from indexer.store.records import to_row, to_table
from service.retrieval.columns import FILTER_COLUMNS, BuildColumns
from service.retrieval.filters import (
    MAX_COMPARISONS,
    MAX_DEPTH,
    Combination,
    Comparison,
    Filter,
    check_filter,
    evaluate,
    parse_comparison,
)

MODALITIES = ("CT", "MR", "XR")
LABELS = ("fracture", "normal", "nodule")


def image(number: int, **changes: object) -> ImageRecord:
    values: dict[str, object] = {
        "record_id": f"d/s/{number}", "dataset": "d", "split": "s", "source_id": str(number),
        "source_path": "p", "case_id": f"case{number // 2}", "licence": "CC0",
        "image": ImageRef(path="p"),
    }  # fmt: skip
    return ImageRecord(**(values | changes))


def columns(records: list[ImageRecord] | list[TextRecord]) -> BuildColumns:
    kind = "image" if isinstance(records[0], ImageRecord) else "text"
    extra = {"content_key": "0", "image_sha256": None, "image_hash": None}
    rows = [to_row(one, extra if kind == "image" else {"content_key": "0"}) for one in records]
    return BuildColumns(to_table(rows, kind))


RECORDS = st.lists(
    st.builds(
        lambda modality, labels, age, contrast: {
            "modality": modality, "labels": labels, "age_years": age, "contrast": contrast,
        },
        st.sampled_from([*MODALITIES, None]),
        st.lists(st.sampled_from(LABELS), unique=True, max_size=3).map(tuple),
        st.one_of(st.none(), st.sampled_from([0.0, 40.0, 40.5, 90.0])),
        st.sampled_from([True, False, None]),
    ),
    min_size=1,
    max_size=12,
).map(lambda rows: [image(number, **row) for number, row in enumerate(rows)])  # fmt: skip


def scalars(op: str, values: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(values, max_size=3).map(tuple) if op in {"in", "nin"} else values


def comparisons(key: str, ops: list[str], values: st.SearchStrategy) -> st.SearchStrategy:
    return st.sampled_from(ops).flatmap(
        lambda op: scalars(op, values).map(lambda value: Comparison(key, op, value))
    )


EQUALS = ["eq", "ne", "in", "nin"]
LEAVES = st.one_of(
    comparisons("modality", EQUALS, st.sampled_from(MODALITIES)),
    comparisons("labels", EQUALS, st.sampled_from(LABELS)),
    comparisons("contrast", EQUALS, st.booleans()),
    comparisons("case_id", EQUALS, st.sampled_from(["case0", "case1", "elsewhere"])),
    comparisons(
        "age_years", [*EQUALS, "gt", "gte", "lt", "lte"], st.sampled_from([0, 40, 40.5, 91.25])
    ),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        Combination, st.sampled_from(["and", "or"]), st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=6,
)
ORDER: dict[str, Callable[[float, float], bool]] = {
    "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le,
}  # fmt: skip


def holds(chosen: Filter, record: ImageRecord) -> bool:
    """Say what the documentation says, one record at a time."""
    if isinstance(chosen, Combination):
        join = all if chosen.op == "and" else any
        return join(holds(part, record) for part in chosen.filters)
    stated = getattr(record, chosen.key)
    if chosen.key in {"labels", "concepts"}:
        found = any(value in stated for value in chosen.values)
        return not found if chosen.op in {"ne", "nin"} else found
    if stated is None:
        return False
    if chosen.op in ORDER:
        return ORDER[chosen.op](stated, chosen.value)
    found = stated in chosen.values
    return not found if chosen.op in {"ne", "nin"} else found


@given(RECORDS, FILTERS)
@settings(max_examples=150)
def test_a_mask_equals_brute_force(records: list[ImageRecord], chosen: Filter) -> None:
    mask = evaluate(chosen, columns(records))
    assert mask.dtype == np.bool_
    assert mask.tolist() == [holds(chosen, record) for record in records]


def test_a_field_that_one_build_lacks_matches_nothing_there() -> None:
    text = TextRecord(
        record_id="t/s/1", dataset="t", split="s", source_id="1", source_path="p", case_id="1",
        licence="MIT", question="q", answer="a",
    )  # fmt: skip
    films, asked = columns([image(1, sex="F")]), columns([text])
    chosen = Comparison("sex", "ne", "F")
    check_filter(chosen, [films, asked])
    assert evaluate(chosen, asked).tolist() == [False]


def refused(chosen: Filter) -> QueryError:
    build = columns([image(1, modality="CT", labels=("fracture",), age_years=3.0, contrast=True)])
    with pytest.raises(QueryError) as caught:
        check_filter(chosen, [build])
    return caught.value


def test_an_unknown_field_names_the_known_ones() -> None:
    error = refused(Comparison("modalty", "eq", "CT"))
    assert "Did you mean 'modality'?" in error.remedy
    assert "body_part" in error.remedy
    assert "modalty" not in str(error)


@pytest.mark.parametrize("key", ["source_path", "image_path", "caption", "content_key"])
def test_what_is_never_served_cannot_be_asked_for(key: str) -> None:
    assert "names a field" in refused(Comparison(key, "eq", "p")).message
    assert key not in FILTER_COLUMNS


@pytest.mark.parametrize(
    "chosen",
    [
        Comparison("modality", "eq", "ct"),
        Comparison("modality", "in", ("CT", "ct")),
        Comparison("labels", "ne", "Fractures"),
    ],
)
def test_an_unknown_category_names_the_valid_ones(chosen: Comparison) -> None:
    error = refused(chosen)
    valid = {"modality": "CT", "labels": "fracture"}[chosen.key]
    assert f"Did you mean {valid!r}?" in error.remedy


@pytest.mark.parametrize(
    "chosen",
    [
        Comparison("modality", "gt", "CT"),
        Comparison("modality", "eq", 3),
        Comparison("age_years", "eq", "3"),
        Comparison("age_years", "eq", True),
        Comparison("age_years", "lt", float("nan")),
        Comparison("age_years", "lt", float("inf")),
        Comparison("age_years", "lt", 10**400),
        Comparison("age_years", "gt", 10**299),
        Comparison("age_years", "gt", 2**64),
        Comparison("age_years", "gt", 2**53 + 1),
        Comparison("age_years", "gt", -(2**53) - 1),
        Comparison("age_years", "in", (41, 2**64)),
        Comparison("contrast", "eq", 1),
        Comparison("contrast", "eq", "true"),
        Comparison("age_years", "eq", (1.0,)),
        Comparison("age_years", "in", 1.0),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(chosen: Comparison) -> None:
    assert chosen.key in refused(chosen).message


@pytest.mark.parametrize("value", [2**53, -(2**53), 1e300, 41.5])
def test_numbers_that_doubles_hold_exactly_are_allowed(value: float) -> None:
    build = columns([image(1, age_years=3.0)])
    check_filter(Comparison("age_years", "gt", value), [build])


def test_where_nothing_is_searched_only_what_no_index_could_answer_is_refused() -> None:
    for chosen in (Comparison("modality", "eq", "CT"), Comparison("calculator", "eq", "any")):
        check_filter(chosen, [])
    for chosen in (Comparison("modalty", "eq", "CT"), Comparison("age_years", "eq", "old")):
        with pytest.raises(QueryError, match=r"field|value"):
            check_filter(chosen, [])


def test_filters_have_limits() -> None:
    one: Filter = Comparison("age_years", "lt", 3)
    deep = one
    for _ in range(MAX_DEPTH):
        deep = Combination("and", (deep,))
    assert "nested" in refused(deep).message
    assert "too many" in refused(Combination("or", (one,) * (MAX_COMPARISONS + 1))).message


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("modality=CT", Comparison("modality", "eq", "CT")),
        ("age_years >= 60", Comparison("age_years", "gte", 60.0)),
        ("contrast!=True", Comparison("contrast", "ne", True)),
        ("labels=a=b", Comparison("labels", "eq", "a=b")),
        ("slice_number<3", Comparison("slice_number", "lt", 3.0)),
    ],
)
def test_typed_comparisons(typed: str, read: Comparison) -> None:
    assert parse_comparison(typed) == read


@pytest.mark.parametrize("typed", ["", "modality", "=CT", "age_years>old"])
def test_typed_nonsense_is_refused(typed: str) -> None:
    with pytest.raises(QueryError):
        parse_comparison(typed)

"""Facets against counting the same records one by one."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import QueryError
from indexer.records import ImageRecord, ImageRef, TextRecord
from indexer.store.records import to_row, to_table
from service.retrieval.columns import BuildColumns
from service.retrieval.facets import (
    MAX_VALUES,
    FacetCount,
    check_facets,
    count_facets,
    facet_fields,
    without_own,
)
from service.retrieval.filters import Combination, Comparison, evaluate, parse_comparison

FIELDS = ("modality", "labels", "contrast", "age_years", "year", "dataset")


def columns(records: Sequence[ImageRecord] | Sequence[TextRecord]) -> BuildColumns:
    kind = "text" if records and isinstance(records[0], TextRecord) else "image"
    extra = {"content_key": "0", "image_sha256": None, "image_hash": None}
    rows = [to_row(one, extra if kind == "image" else {"content_key": "0"}) for one in records]
    return BuildColumns(to_table(rows, kind))


def image(number: int = 0, **changes: object) -> ImageRecord:
    values: dict[str, object] = {
        "record_id": f"d/s/{number}", "dataset": "d", "split": "s", "source_id": str(number),
        "source_path": "p", "case_id": "c", "licence": "CC0", "image": ImageRef(path="p"),
    }  # fmt: skip
    return ImageRecord(**(values | changes))


RECORDS = st.lists(
    st.builds(
        image,
        modality=st.sampled_from(["CT", "MR", None]),
        labels=st.lists(st.sampled_from(["a", "b", "c"]), max_size=4).map(tuple),
        contrast=st.sampled_from([True, False, None]),
        age_years=st.one_of(st.none(), st.floats(0, 120)),
        year=st.none() | st.integers(1990, 2030),
        dataset=st.sampled_from(["x", "y"]),
    ),
    max_size=12,
)


def stated(record: ImageRecord, name: str) -> set[object]:
    """Say what the documentation says of one record."""
    value = getattr(record, name)
    if name == "labels":
        return set(value)
    if value is None:
        return set()
    if name == "age_years":
        decade = int(value // 10) * 10
        return {f"{decade}-{decade + 9}"}
    return {value}


@given(st.lists(st.tuples(RECORDS, st.randoms()), min_size=1, max_size=3), st.booleans())
@settings(max_examples=150, deadline=None)
def test_counts_equal_counting_records_one_by_one(parts: list, everything: bool) -> None:
    masks, counted = [], []
    for records, random in parts:
        mask = np.array([everything or random.random() < 0.5 for _ in records], np.bool_)
        masks.append(None if everything else mask)
        counted += [record for record, one in zip(records, mask, strict=True) if one]
    builds = [columns(records) for records, _ in parts]
    facets = count_facets(dict.fromkeys(FIELDS, masks), builds)
    for name in FIELDS:
        wanted = Counter(value for record in counted for value in stated(record, name))
        found = facets[name]
        assert {one.value: one.records for one in found} == wanted
        assert [one.records for one in found] == sorted(wanted.values(), reverse=True)


@pytest.mark.parametrize("extra", [0, 1, 7])
def test_what_is_beyond_the_hundredth_value_is_counted_together_once(extra: int) -> None:
    count = MAX_VALUES + extra
    tagged = [image(labels=tuple(f"{n:03d}" for n in range(row, count))) for row in range(count)]
    [facet] = count_facets({"labels": [None]}, [columns(tagged)]).values()
    # Value n is held by n + 1 records; the `extra` rarest are held by the first `extra` records.
    assert facet[0] == FacetCount(f"{count - 1:03d}", count)
    assert facet[MAX_VALUES:] == ((FacetCount(None, extra),) if extra else ())
    named = [image(modality=f"{n:03d}") for n in range(count)]
    [facet] = count_facets({"modality": [None]}, [columns(named)]).values()
    assert facet[MAX_VALUES:] == ((FacetCount(None, extra),) if extra else ())


def test_a_field_that_one_build_lacks_counts_nothing_there() -> None:
    text = TextRecord(
        record_id="t/s/1", dataset="t", split="s", source_id="1", source_path="p", case_id="1",
        licence="CC0", question="q", answer="a",
    )  # fmt: skip
    builds = [columns([text]), columns([image(modality="CT")])]
    check_facets(["modality", "calculator"], builds)
    everything = [None, None]
    facets = count_facets({"modality": everything, "calculator": everything}, builds)
    assert facets == {"modality": (FacetCount("CT", 1),), "calculator": ()}


@pytest.mark.parametrize("name", ["modalty", "case_id", "slice_number", "calculator", ""])
def test_a_field_that_cannot_be_counted_is_refused_with_those_that_can(name: str) -> None:
    with pytest.raises(QueryError, match=r"A facet names a field .*Fields: .*modality") as caught:
        check_facets(["modality", name], [columns([image()])])
    assert not name or name not in caught.value.message
    assert ("Did you mean 'modality'?" in caught.value.remedy) == (name == "modalty")


def test_every_field_of_an_image_that_is_offered_is_counted() -> None:
    build = columns([image(modality="CT", age_years=7.0, labels=("a",), abnormal=True)])
    offered = [name for name in facet_fields() if name in build.names]
    facets = count_facets({name: [None] for name in offered}, [build])
    assert facets["age_years"] == (FacetCount("0-9", 1),)
    assert facets["abnormal"] == (FacetCount(True, 1),)
    assert facets["language"] == (FacetCount("en", 1),)
    assert facets["sex"] == ()


def test_ages_that_cannot_be_are_not_counted() -> None:
    ages = [-1.0, 1e300, float("inf"), float("nan"), 69.99, 70.0, None]
    build = columns([image(age_years=age) for age in ages])
    assert count_facets({"age_years": [None]}, [build]) == {
        "age_years": (FacetCount("60-69", 1), FacetCount("70-79", 1))
    }


CT, MR = parse_comparison("modality=CT"), parse_comparison("modality!=MR")
OLD, ODD = parse_comparison("age_years>=60"), parse_comparison("labels=a")
EITHER = Combination("or", (CT, OLD))


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        (None, None),
        (CT, None),
        (OLD, Combination("and", (OLD,))),
        (Combination("and", (CT, OLD, MR)), Combination("and", (OLD,))),
        (Combination("and", (ODD, Combination("and", (CT, OLD)))), Combination("and", (ODD, OLD))),
        (Combination("and", (Combination("or", (CT, MR)), OLD)), Combination("and", (OLD,))),
        (Combination("and", (EITHER, CT)), Combination("and", (EITHER,))),
        (EITHER, Combination("and", (EITHER,))),
    ],
)
def test_a_field_is_counted_without_what_the_filter_says_of_it_alone(
    chosen: Combination | Comparison | None, kept: Combination | None
) -> None:
    assert without_own(chosen, "modality") == kept


@given(RECORDS)
def test_leaving_out_another_field_changes_nothing(records: list[ImageRecord]) -> None:
    chosen = Combination("and", (CT, Combination("and", (EITHER, ODD))))
    build = columns(records)
    kept = without_own(chosen, "sex")
    assert kept is not None
    assert (evaluate(kept, build) == evaluate(chosen, build)).all()

import hashlib
import json
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import QueryError
from service.retrieval.filters import Combination, Comparison
from service.retrieval.query import (
    ImageSource,
    Query,
    RecordSource,
    Rerank,
    SeriesSource,
    StudySource,
    TextSource,
    VectorSource,
)
from service.retrieval.query_json import digest_of, query_of, query_values

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAME_TUPLES = st.lists(NAMES, max_size=3).map(tuple)
NAME_SETS = st.frozensets(NAMES, max_size=3)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.one_of(NAMES, st.booleans(), NUMBERS, st.integers(-9, 9))
VECTORS = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=4)
SOURCES = st.one_of(
    st.builds(TextSource, NAMES),
    st.builds(RecordSource, NAMES),
    st.builds(ImageSource, st.binary(max_size=9)),
    st.builds(SeriesSource, st.lists(st.binary(max_size=9), min_size=1, max_size=3).map(tuple)),
    st.builds(StudySource, st.sampled_from(["study", "series"]), NAMES),
    st.builds(VectorSource, NAMES, VECTORS.map(lambda one: np.array(one, np.float32))),
)
FILTERS = st.recursive(
    st.one_of(
        st.builds(Comparison, NAMES, st.sampled_from(["eq", "gte"]), SCALARS),
        st.builds(Comparison, NAMES, st.just("in"), st.lists(SCALARS, max_size=3).map(tuple)),
    ),
    lambda inner: st.builds(
        Combination, st.sampled_from(["and", "or"]), st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=4,
)
VALUES = {
    "target": st.sampled_from(["images", "questions"]), "source": SOURCES,
    "also": st.lists(SOURCES, max_size=2).map(tuple), "unlike": NAME_TUPLES,
    "k": st.integers(1, 99), "offset": st.integers(0, 99), "indexes": st.none() | NAME_TUPLES,
    "filters": st.none() | FILTERS, "mode": st.sampled_from(["hybrid", "dense", "lexical"]),
    "weights": st.none() | st.dictionaries(NAMES, NUMBERS, max_size=2),
    "group_by": st.sampled_from([None, "case", "article"]), "group_size": st.integers(1, 9),
    "exclude_records": NAME_SETS, "exclude_same": st.frozensets(st.sampled_from(["case"])),
    "exclude_datasets": NAME_SETS, "exclude_splits": NAME_SETS, "explain": st.booleans(),
    "facets": NAME_TUPLES, "evidence": st.booleans(), "min_percentile": st.none() | NUMBERS,
    "rerank": st.none() | st.builds(Rerank, encoder=NAMES, depth=st.integers(1, 99)),
    "match": st.sampled_from(["late_interaction", "best_slice"]),
    "windows": st.sampled_from([(), ("lung",), ("soft_tissue", "bone")]),
}  # fmt: skip
QUERIES = st.builds(Query, **VALUES)


def test_every_field_of_a_query_is_tried_here() -> None:
    assert set(VALUES) == {field.name for field in fields(Query)}


def images_of(query: Query) -> dict[str, bytes]:
    found = {}
    for source in query.sources:
        if isinstance(source, SeriesSource):
            found |= {hashlib.sha256(raw).hexdigest(): raw for raw in source.files}
        if isinstance(source, ImageSource):
            found[query_values(Query(target="images", source=source))["source"]["sha256"]] = (
                source.raw
            )
    return found


@given(QUERIES)
def test_queries_come_back_through_json_as_they_were(query: Query) -> None:
    values = query_values(query)
    again = query_of(json.loads(json.dumps(values)), images_of(query))
    assert query_values(again) == values
    assert digest_of(query_values(again)) == digest_of(values)
    for name in VALUES:
        if name not in {"source", "also"}:
            assert getattr(again, name) == getattr(query, name), name
            assert type(getattr(again, name)) is type(getattr(query, name)), name
    for one, other in zip(query.sources, again.sources, strict=True):
        if isinstance(one, VectorSource):
            assert isinstance(other, VectorSource)
            assert (one.name, one.vector.dtype) == (other.name, other.vector.dtype)
            assert (one.vector == other.vector).all()
        else:
            assert one == other


@given(QUERIES)
def test_no_pixels_are_kept(query: Query) -> None:
    text = json.dumps(query_values(Query(target="images", source=ImageSource(b"secret pixels"))))
    assert "secret" not in text
    assert "base64" not in text


def test_a_digest_does_not_depend_on_the_order_of_keys_or_of_a_set() -> None:
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    one = Query(target="images", source=TextSource("é"), exclude_records=frozenset("abc"))
    other = Query(target="images", source=TextSource("é"), exclude_records=frozenset("cba"))
    assert digest_of(query_values(one)) == digest_of(query_values(other))


def test_options_that_a_receipt_lacks_are_as_they_are_by_default() -> None:
    values = query_values(Query(target="images", source=TextSource("a")))
    del values["facets"]
    assert query_of(values, {}).facets == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"new": 1}, "options that this version"),
        ({"source": {"kind": "image", "sha256": "ab" * 32}}, r"sha256, abab.*--image FILE"),
        ({"source": {"kind": "vector", "field": "image", "base64": "?"}}, "cannot be read"),
        ({"source": {}}, "cannot be read"),
        ({"source": 3}, "cannot be read"),
        ({"filters": {"type": "eq"}}, "cannot be read"),
        ({"exclude_records": 3}, "cannot be read"),
    ],
)
def test_what_is_no_query_is_refused(changes: dict[str, object], told: str) -> None:
    values = query_values(Query(target="images", source=TextSource("a")))
    with pytest.raises(QueryError, match=told):
        query_of(values | changes, {})

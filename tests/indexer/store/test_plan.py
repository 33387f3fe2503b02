import dataclasses

import numpy as np
import pytest

from indexer.errors import ReconciliationError
from indexer.store.plan import content_hash
from tests.indexer.store.conftest import DIM, PRINT, plan, shard


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "a b", "-a", ".a", "a\n"])
def test_a_name_that_could_be_a_path_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        plan(index=name)
    with pytest.raises(ValueError, match="cannot name"):
        plan(fields={name: ("fake", PRINT)})


def test_whatever_changes_the_result_changes_the_digest() -> None:
    other = dataclasses.replace(PRINT, weights_sha256="1" * 64)
    plans = [
        plan(), plan(source_digest="b"), plan(options={"limit": 3}), plan(kind="text"),
        plan(fields={"image": ("fake", PRINT)}), plan(title="Other"),
        plan(fields={"image": ("fake", other), "caption": ("fake", PRINT)}),
    ]  # fmt: skip
    assert len({one.digest() for one in plans}) == len(plans)
    assert plan().digest() == plan().digest()


def test_the_content_is_what_is_said_not_how_it_came_about() -> None:
    files = {"a": "1", "b": "2"}
    said = content_hash(plan().meaning(), files)
    assert said == content_hash(plan(source_digest="b", options={"x": 1}).meaning(), files)
    assert said != content_hash(plan(licence="MIT").meaning(), files)
    assert said != content_hash(plan().meaning(), {"a": "1", "b": "3"})


def test_rows_that_are_not_accounted_for_are_refused(vectors: np.ndarray) -> None:
    lost = dataclasses.replace(shard([0, 1], vectors), rows_consumed=7)
    with pytest.raises(ReconciliationError, match="covers 7 rows, but settles 3"):
        plan().check(lost)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions": np.array([0, 2])}, "rise and lie within"),
        ({"positions": np.array([1, 0])}, "rise and lie within"),
        ({"positions": np.array([-1, 0])}, "rise and lie within"),
        ({"positions": np.array([0])}, "a key each"),
        ({"keys": [bytes(16)]}, "a key each"),
        ({"keys": [bytes(16), bytes(15)]}, "a key each"),
        ({"thumbnails": [b"jpeg"]}, "a thumbnail each or none"),
        ({"vectors": np.ones((2, DIM - 1), np.float32)}, "a key each"),
        ({"vectors": np.ones((2, DIM), np.float32)}, "unit vector"),
        ({"vectors": np.full((2, DIM), np.nan, np.float32)}, "unit vector"),
        ({"vectors": np.zeros((2, DIM), np.float32)}, "unit vector"),
    ],
)
def test_embeddings_that_cannot_be_are_refused(
    vectors: np.ndarray, changes: dict[str, object], message: str
) -> None:
    good = shard([0, 1], vectors)
    bad = dataclasses.replace(good.fields["image"], **changes)
    plan().check(good)
    with pytest.raises(ValueError, match=message):
        plan().check(dataclasses.replace(good, fields={**good.fields, "image": bad}))


def test_parts_that_do_not_belong_together_are_refused(vectors: np.ndarray) -> None:
    good = shard([0, 1], vectors)
    for changes in ({"content_keys": ["a"]}, {"images": []}, {"fields": {}}):
        with pytest.raises(ValueError, match="a shard needs"):
            plan().check(dataclasses.replace(good, **changes))

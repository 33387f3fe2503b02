import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.records import ImageRecord, ImageRef
from indexer.store.records import to_row, to_table
from service.retrieval.columns import BuildColumns
from service.retrieval.facts import mentioned_masks


def build(*facts: tuple[str | None, str | None, tuple[str, ...]]) -> BuildColumns:
    extra = {"content_key": "0", "image_sha256": None, "image_hash": None}
    records = [
        ImageRecord(
            record_id=f"d/s/{number}", dataset="d", split="s", source_id="1", source_path="p",
            case_id="1", licence="CC0", image=ImageRef(path="p"), modality=modality,
            body_part=part, labels=labels,
        )
        for number, (modality, part, labels) in enumerate(facts)
    ]  # fmt: skip
    return BuildColumns(to_table([to_row(record, extra) for record in records], "image"))


FILMS = build(
    ("X-ray", "hand", ("abnormal",)),
    ("X-ray", "hand", ("normal",)),
    ("X-ray", "wrist", ("abnormal",)),
    ("X-ray", None, ()),
)
SLICES = build(("CT", "chest", ()), ("CT", "abdomen", ()), (None, "chest", ()))


@pytest.mark.parametrize(
    ("words", "films", "slices"),
    [
        ("hand radiographs", [1, 1, 0, 0], [0, 0, 0]),
        ("abnormal hand", [1, 0, 0, 0], [0, 0, 0]),
        ("x-ray", [1, 1, 1, 1], [0, 0, 0]),
        ("Chest CT with contrast", [0, 0, 0, 0], [1, 0, 0]),
        ("computed tomography of the lung", [0, 0, 0, 0], [1, 0, 0]),
        ("the chest", [0, 0, 0, 0], [1, 0, 1]),
        ("chest ultrasound", [0, 0, 0, 0], [0, 0, 1]),  # a CT is no ultrasound
        ("hand and chest", [1, 1, 0, 0], [1, 0, 1]),
        # Where nothing fits, what states something else stands back.
        ("ultrasound", [0, 0, 0, 0], [0, 0, 1]),
        ("abdominal ultrasound", [0, 0, 0, 0], [0, 0, 0]),
        ("chest x-ray", [0, 0, 0, 1], [0, 0, 1]),  # neither a hand nor a CT
        ("x-ray of the foot", [0, 0, 0, 1], [0, 0, 0]),
    ],
)
def test_the_records_that_state_most_of_it(words: str, films: list[int], slices: list[int]) -> None:
    masks = mentioned_masks(words, [FILMS, SLICES], [None, None])
    assert masks is not None
    assert [mask.astype(int).tolist() for mask in masks] == [films, slices]


@pytest.mark.parametrize("words", ["a broken bone", "pleural effusion", "", "胸"])
def test_nothing_stated_is_mentioned(words: str) -> None:
    assert mentioned_masks(words, [FILMS, SLICES], [None, None]) is None


def test_no_builds_mention_nothing() -> None:
    assert mentioned_masks("hand", [], []) is None


def test_a_region_has_several_names() -> None:
    named = build(("CT", "lung", ()), ("CT", "brain", ()), ("CT", "spine", ()))
    for words, wanted in (("chest", [1, 0, 0]), ("head", [0, 1, 0]), ("lung", [1, 0, 0])):
        masks = mentioned_masks(f"CT of the {words}", [named], [None])
        assert masks is not None
        assert masks[0].astype(int).tolist() == wanted


FACTS = st.tuples(
    st.sampled_from(["X-ray", "CT", None]),
    st.sampled_from(["hand", "chest", None]),
    st.lists(st.sampled_from(["abnormal", "normal"]), unique=True).map(tuple),
)
BUILDS = st.lists(st.lists(st.tuples(FACTS, st.booleans()), max_size=6), max_size=3)


@given(BUILDS, st.sampled_from(["abnormal hand X-ray", "chest CT", "hand ultrasound", "normal"]))
def test_only_what_is_allowed_is_asked_what_it_states(
    builds: list[list[tuple[tuple, bool]]], words: str
) -> None:
    every = [build(*(facts for facts, _ in one)) for one in builds]
    allowed = [np.array([may for _, may in one], np.bool_) for one in builds]
    alone = [build(*(facts for facts, may in one if may)) for one in builds]
    found = mentioned_masks(words, every, allowed)
    expected = mentioned_masks(words, alone, [None] * len(alone))
    if found is None or expected is None:
        assert found is expected
        return
    for mask, may, wanted in zip(found, allowed, expected, strict=True):
        assert mask[may].tolist() == wanted.tolist()
        assert not mask[~may].any()

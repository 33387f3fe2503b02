import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.records import ImageRecord, ImageRef
from indexer.store.records import to_row, to_table
from service.retrieval.columns import BuildColumns
from service.retrieval.facts import find_mentioned


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
    found = find_mentioned(words, [FILMS, SLICES], [None, None])
    assert found is not None
    assert [mask.astype(int).tolist() for mask in found.masks] == [films, slices]


@pytest.mark.parametrize("words", ["a broken bone", "pleural effusion", "", "胸"])
def test_nothing_stated_is_mentioned(words: str) -> None:
    assert find_mentioned(words, [FILMS, SLICES], [None, None]) is None


def test_no_builds_mention_nothing() -> None:
    assert find_mentioned("hand", [], []) is None


def test_a_region_has_several_names() -> None:
    named = build(("CT", "lung", ()), ("CT", "brain", ()), ("CT", "spine", ()))
    for words, wanted in (("chest", [1, 0, 0]), ("head", [0, 1, 0]), ("lung", [1, 0, 0])):
        found = find_mentioned(f"CT of the {words}", [named], [None])
        assert found is not None
        assert found.masks[0].astype(int).tolist() == wanted


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
    found = find_mentioned(words, every, allowed)
    expected = find_mentioned(words, alone, [None] * len(alone))
    if found is None or expected is None:
        assert found is expected
        return
    assert found.covered == expected.covered
    for mask, may, wanted in zip(found.masks, allowed, expected.masks, strict=True):
        assert mask[may].tolist() == wanted.tolist()
        assert not mask[~may].any()


@pytest.mark.parametrize(
    ("words", "covered"),
    [
        ("abnormal hand X-ray", 1.0),
        ("abnormal hand radiograph", 1.0),  # said in other words
        ("chest CT with contrast", 2 / 3),  # contrast is no label
        ("thoracic CT", 1.0),
        ("computed tomography of the lung", 1.0),
        ("ultrasound", 0.0),
    ],
)
def test_how_much_of_the_query_is_stated(words: str, covered: float) -> None:
    found = find_mentioned(words, [FILMS, SLICES], [None, None])
    assert found is not None
    assert found.covered == pytest.approx(covered)


def test_what_is_stated_twice_counts_once_but_settles_ties() -> None:
    named = build(
        ("CT", "abdomen", ("the abdomen",)),
        ("CT", "bowel", ("the abdomen",)),
        ("CT", "abdomen", ("cyst",)),
    )
    for words, wanted in (("CT of the abdomen", [1, 0, 0]), ("cyst, CT abdomen", [0, 0, 1])):
        found = find_mentioned(words, [named], [None])
        assert found is not None
        assert found.masks[0].astype(int).tolist() == wanted


def test_a_long_query_has_more_tokens_than_bits() -> None:
    words = " ".join(f"word{number}" for number in range(200)) + " abnormal hand x-ray"
    found = find_mentioned(words, [FILMS, SLICES], [None, None])
    assert found is not None
    assert found.masks[0].astype(int).tolist() == [1, 0, 0, 0]
    assert 0 < found.covered < 0.1

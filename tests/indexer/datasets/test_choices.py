import pytest

from indexer.datasets.choices import find_keys, parse_options
from indexer.datasets.raw_row import RawRow
from indexer.errors import BadRecordError
from indexer.records import Option

ROW = RawRow(path="t.jsonl", line=3, index=2, values={})
EXPECTED = (Option(key="A", text="gout"), Option(key="B", text="sepsis"))


@pytest.mark.parametrize(
    "value",
    [
        {"A": "gout", "B": "sepsis"},
        {"B": " sepsis\u00a0", "A": "gout"},
        {"a": "gout", "b.": "sepsis"},
        {"A": "gout", "B": "sepsis", "C": None, "D": " "},
        [{"key": "A", "value": "gout"}, {"key": "B", "value": "sepsis"}],
        [{"option": "B", "text": "sepsis"}, {"option": "A", "text": "gout"}],
        [("A", "gout"), ("B", "sepsis")],
        ["gout", "sepsis"],
        "{'A': 'gout', 'B': 'sepsis'}",
        "['gout', 'sepsis']",
    ],
)
def test_every_published_shape_gives_the_same_options(value: object) -> None:
    assert parse_options(ROW, value) == EXPECTED


def test_letters_may_lack_and_go_up_to_u() -> None:
    options = parse_options(ROW, {letter: f"{letter} text" for letter in "UACT"})
    assert [option.key for option in options] == ["A", "C", "T", "U"]


def test_numbers_are_texts_as_well() -> None:
    assert parse_options(ROW, {"A": 5, "B": 0.5})[1] == Option(key="B", text="0.5")


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        "gout or sepsis",
        ["gout", {"key": "B", "value": "sepsis"}],
        {"A": "gout", "a": "sepsis"},
        {1: "gout"},
        {"": "gout"},
        ["x"] * 27,
    ],
)
def test_other_shapes_are_refused_with_the_place(value: object) -> None:
    with pytest.raises(BadRecordError, match=r"^t\.jsonl:3: "):
        parse_options(ROW, value)


def test_keys_are_sorted_and_folded() -> None:
    assert find_keys(ROW, EXPECTED, ["b", " A "]) == ("A", "B")


@pytest.mark.parametrize("letters", [[], ["C"], ["A", "C"]])
def test_a_letter_without_an_option_is_refused(letters: list[str]) -> None:
    with pytest.raises(BadRecordError, match="the options are A, B"):
        find_keys(ROW, EXPECTED, letters)

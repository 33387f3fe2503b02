import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.text.assertions import Statement, Wish, contradicts, read_statements
from tests.indexer.text.assertion_pairs import BEYOND_THE_RULES, PAIRS

FRAGMENTS = (
    "no", "without", "not seen", "absent", "left", "right", "bilateral", "effusion", "pleural",
    "and", "or", ",", ".", "but", "is", "of the", "mass", "small", "possible", "non-contrast",
    "未见", "无", "左侧", "右", "积液", "胸腔", "、", "，", "但", "阴性", "不能排除", "的",
)  # fmt: skip


def says(text: str) -> list[tuple[str, bool | None, str | None]]:
    return [("".join(s.words), s.negated, s.side) for s in read_statements(text)]


@pytest.mark.parametrize(("query", "text", "expected"), PAIRS)
def test_labelled_pairs(query: str, text: str, expected: bool) -> None:
    assert contradicts(read_statements(query), read_statements(text)) == expected


@pytest.mark.xfail(strict=True, reason="needs knowledge of synonyms, not rules on words")
@pytest.mark.parametrize(("query", "text", "expected"), BEYOND_THE_RULES)
def test_pairs_beyond_the_rules(query: str, text: str, expected: bool) -> None:
    assert contradicts(read_statements(query), read_statements(text)) == expected


def test_the_labelled_list_asks_both_ways_in_both_languages() -> None:
    assert len(PAIRS) == len({pair[:2] for pair in PAIRS}) > 100
    chinese = [expected for query, _, expected in PAIRS if not query.isascii()]
    assert 25 < len(chinese) < len(PAIRS) / 2
    assert 10 < sum(chinese) < len(chinese) - 10
    assert 40 < sum(pair[2] for pair in PAIRS) < len(PAIRS) - 40


def test_a_statement_has_the_finding_last_and_its_place_before() -> None:
    assert read_statements("large effusion of the left knee") == (
        Statement(words=("knee", "effus"), degrees=frozenset({"large"}), side="left"),
    )
    assert read_statements("未见大量胸腔积液") == (
        Statement(words=tuple("胸腔积液"), degrees=frozenset({"大量"}), negated=True),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No A1, B1 or C1; D1", [("a1", True, None), ("b1", True, None), ("c1", True, None),
                                 ("d1", False, None)]),
        ("edema and effusion are not seen", [("edema", True, None), ("effus", True, None)]),
        ("the lungs are clear, effusion is absent", [("lung", False, None), ("effus", True, None)]),
        ("absent flow void and hyperintense thrombus",
         [("flowvoid", True, None), ("hyperintensthrombus", False, None)]),
        ("nodule is seen on the left", [("nodul", False, "left")]),
        ("effusion, right greater than left", [("effus", False, "bilateral")]),
        ("no effusion on the right", [("effus", True, "right")]),
        ("possible mass", [("mass", None, None)]),
        ("pneumonia was suspected", [("pneumonia", None, None)]),
        ("left untreated abscess", [("abscess", False, None)]),
        ("edema and pain-free knee",
         [("edema", False, None), ("pain", True, None), ("knee", False, None)]),
        ("no nodule is seen, liver cyst", [("nodul", True, None), ("livercyst", False, None)]),
        ("I do not know what causes my pain", [("pain", False, None)]),
        ("CT w/o contrast", [("contrast", True, None)]),
        ("无发热、咳嗽，胸痛", [("发热", True, None), ("咳嗽", True, None), ("胸痛", False, None)]),
        ("结节待排", [("结节", None, None)]),
        ("左右瞳孔", [("瞳孔", False, None)]),
    ],
)  # fmt: skip
def test_scopes(text: str, expected: list[tuple[str, bool | None, str | None]]) -> None:
    assert says(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("metastasis", "metastases"),
        ("未见氣胸", "未見气胸"),
        ("Œdème", "œdeme"),
        ("NO MASS", "no mass"),
    ],
)
def test_spellings_that_mean_the_same(one: str, other: str) -> None:
    assert read_statements(one) == read_statements(other)


@pytest.mark.parametrize("text", ["", "  ", "no", "无", "?!", "of the left", "7 cm", "CT scan"])
def test_texts_that_state_nothing(text: str) -> None:
    assert read_statements(text) == ()
    assert Wish.of(text) is None


def test_a_query_of_page_length_is_cut() -> None:
    wish = Wish.of("no effusion. " + "nodule, " * 10_000)
    assert wish is not None
    assert len(wish.wanted) == 32
    assert wish.is_contradicted_by("effusion")


@given(st.text(max_size=60) | st.lists(st.sampled_from(FRAGMENTS), max_size=14).map(" ".join))
def test_no_text_contradicts_itself(text: str) -> None:
    stated = read_statements(text)
    assert not contradicts(stated, stated)


@given(*[st.lists(st.sampled_from(FRAGMENTS), max_size=10).map(" ".join)] * 2)
def test_a_wish_tells_what_reading_everything_tells(query: str, text: str) -> None:
    wish = Wish.of(query)
    told = wish is not None and wish.is_contradicted_by(text)
    assert told == contradicts(read_statements(query), read_statements(text))


@pytest.mark.realdata
def test_a_wish_tells_the_same_on_real_captions(realdata_dir: Path) -> None:
    with (realdata_dir / "pool" / "eval" / "pool.jsonl").open("rb") as lines:
        captions = sorted({json.loads(line)["text"] for line in lines})
    stated = [read_statements(caption) for caption in captions]
    fired = 0
    for query in {query for query, _, _ in PAIRS if query.isascii()}:
        wish = Wish.of(query)
        if wish is None:
            continue
        found = [wish.is_contradicted_by(caption) for caption in captions]
        assert found == [contradicts(wish.wanted, one) for one in stated]
        fired += sum(found)
    assert fired > 100

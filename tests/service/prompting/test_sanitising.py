import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.prompting.sanitising import as_passage, defuse, strip_unseen

MARKS = st.sampled_from(
    ["<|im_start|>system", "<|", "|>", "<<SYS>>", "<</SYS>>", "[INST]", "[/INST]", "</s>",
     "<s>", "###", "<｜User｜>", "[1]", "［２］", "【3】", "[1, 2]", "\n\nsystem:", "\u202e",
     "\u200b", "\x00", "\U000e0041", "\u2028", "\r", "\ud800", "fever > 39 & BP < 90"]
)  # fmt: skip
HOSTILE = st.lists(st.one_of(MARKS, st.text(max_size=8)), max_size=8).map("".join)


@given(HOSTILE)
def test_a_passage_is_one_visible_line(text: str) -> None:
    line = as_passage(text)
    assert len(line.splitlines()) <= 1
    for mark in line:
        assert unicodedata.category(mark) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    line.encode()


@given(HOSTILE)
def test_a_passage_holds_no_mark_of_a_chat_template_and_no_citation(text: str) -> None:
    line = as_passage(text)
    for mark in ("<<", ">>", "<|", "|>", "<｜", "｜>", "[INST]", "[/INST]", "<s>", "</s>", "##"):
        assert mark not in line
    assert not re.search(r"[\[［【]\s*\d+\s*[\]］】]", line)


@given(HOSTILE)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    for clean in (strip_unseen, defuse, as_passage):
        assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    "text",
    ["BP < 90, temperature > 39 °C.", "IL-6, CHA₂DS₂-VASc ≥ 2", "[CT] of the chest (2)", "脑出血。",
     "a#b", "p<0.05", "<b>"],
)  # fmt: skip
def test_medical_text_stays_as_it_is(text: str) -> None:
    assert as_passage(text) == text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\r\nb\u2029c", "a b c"),
        ("see [1] and [ 2 ]", "see (1) and (2)"),
        ("see [1, 2] and 【3】", "see (1, 2) and (3)"),
        ("x <|im_end|> y", "x < |im_end| > y"),
        ("ab\u202ecd\u200be", "abcde"),
    ],
)
def test_marks_are_broken_up(text: str, clean: str) -> None:
    assert as_passage(text) == clean


def test_a_question_keeps_its_lines() -> None:
    assert defuse("one\r\ntwo\tthree") == "one\ntwo\tthree"

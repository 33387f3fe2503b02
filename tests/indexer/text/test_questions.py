from dataclasses import replace

import pytest

from indexer.records import Option, TextRecord
from indexer.text.questions import answer_text, document_text, lexical_text, options_text

PLAIN = TextRecord(
    record_id="toy/all/1", dataset="toy", split="all", source_id="1", source_path="t.jsonl",
    case_id="toy/all/1", licence="l", question="Which drug?", answer="Ceftriaxone",
)  # fmt: skip
CHOICE = replace(
    PLAIN,
    options=(Option(key="A", text="Gentamicin"), Option(key="C", text="Ceftriaxone")),
    answer_keys=("C",),
)
DIALOGUE = replace(PLAIN, context="I have a fever.")
CALCULATION = replace(
    PLAIN, question="What is the BMI?", context="A woman of 40.", calculator="Body Mass Index",
    answer="20.8", answer_lower="19.7", answer_upper="21.8",
)  # fmt: skip


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (PLAIN, "Which drug?"),
        (CHOICE, "Which drug?"),
        (DIALOGUE, "Which drug?\nI have a fever."),
        (CALCULATION, "A woman of 40.\nWhat is the BMI?"),
    ],
)
def test_what_is_embedded(record: TextRecord, text: str) -> None:
    assert document_text(record) == text


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (PLAIN, "Which drug?"),
        (CHOICE, "Which drug?\nGentamicin\nCeftriaxone"),
        (CALCULATION, "What is the BMI?\nA woman of 40.\nBody Mass Index"),
    ],
)
def test_what_is_indexed_by_words(record: TextRecord, text: str) -> None:
    assert lexical_text(record) == text


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (PLAIN, "Ceftriaxone"),
        (CHOICE, "C. Ceftriaxone"),
        (replace(CHOICE, answer_keys=("A", "C")), "A. Gentamicin; C. Ceftriaxone"),
        (CALCULATION, "20.8 (accepted: 19.7 to 21.8)"),
        (replace(CALCULATION, answer_lower="20.8", answer_upper="20.8"), "20.8"),
        (replace(CALCULATION, answer_upper=None), "20.8"),
    ],
)
def test_how_an_answer_is_shown(record: TextRecord, text: str) -> None:
    assert answer_text(record) == text


def test_options_stand_one_a_line() -> None:
    assert options_text(CHOICE) == "A. Gentamicin\nC. Ceftriaxone"
    assert options_text(PLAIN) == ""

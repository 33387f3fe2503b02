"""Letters are read out of answers as models write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.records import Option
from service.evaluation.rag.letters import read_letters

FIVE = tuple(
    Option(key=key, text=text)
    for key, text in zip(
        "ABCDE", ["Metformin", "Aspirin", "CT scan", "Heparin", "肌肉劳损"], strict=True
    )
)
TWENTY_ONE = tuple(
    Option(key=chr(65 + number), text=f"disease {number}") for number in range(21)
)  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "letters"),
    [
        ("B", "B"),
        ("(B)", "B"),
        ("**B**", "B"),
        ("B. Aspirin", "B"),
        ("Answer: B) Aspirin", "B"),
        ("First A seems right.\n\n**Answer:** C", "C"),
        ("The final answer is (D).", "D"),
        ("The answer is option B", "B"),
        ("The correct answer is B because A is wrong", "B"),
        ("Answer: A\nNo, wait.\nAnswer: B", "B"),
        ("<think>Answer: A</think>Answer: B", "B"),
        (r"So it is \boxed{C}", "C"),
        ("Answer:\nB", "B"),
        ("CT scan", "C"),
        ("Answer: heparin.", "D"),
        ("答案：A、C", "AC"),
        ("答案是 E", "E"),
        ("答案选C", "C"),
        ("答案：选项Ｂ", "B"),
        ("Answer: A, C", "AC"),
        ("Answer: A and C", "AC"),
        ("Answer: ACD", "ACD"),
        ("Answer: A. Metformin, C. CT scan", "AC"),
    ],
)
def test_the_settled_letters_are_read(answer: str, letters: str) -> None:
    assert read_letters(answer, FIVE) == set(letters)


@pytest.mark.parametrize(
    "answer",
    ["", "A fever is seen in this child.", "I think so", "Answer: Z", "Answer: none", "{'x': 1}"],
)
def test_what_settles_on_no_option_is_unreadable(answer: str) -> None:
    assert read_letters(answer, FIVE) is None


@given(st.sets(st.sampled_from([one.key for one in TWENTY_ONE]), min_size=1))
def test_any_set_of_21_letters_is_read_back(letters: set[str]) -> None:
    assert read_letters(f"Answer: {', '.join(sorted(letters))}", TWENTY_ONE) == letters


@given(st.text(max_size=80))
def test_any_text_is_read_or_is_unreadable(text: str) -> None:
    letters = read_letters(text, FIVE)
    assert letters is None or (letters and letters <= set("ABCDE"))

import time

import pytest

from service.prompting.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", []),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ('He said "stop." Then left.', ['He said "stop."', "Then left."]),
        ("See e.g. Dr. Smith. Next.", ["See e.g. Dr. Smith.", "Next."]),
        ("Dose 0.5 mg i.m. now; p < .05. End.", ["Dose 0.5 mg i.m.", "now; p < .05.", "End."]),
        ("先查心电图。再验血！“好。”走了", ["先查心电图。", "再验血！", "“好。”", "走了"]),
        ("胸痛？ECG first. 然后验血。", ["胸痛？", "ECG first.", "然后验血。"]),
        ("a\n\nb", ["a", "b"]),
    ],
)
def test_where_sentences_end(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


def test_rows_of_marks_take_no_square_of_time() -> None:
    began = time.process_time()
    for text in ("." * 200_000, '?"' * 100_000, "。" * 200_000, "a.)" * 60_000, "\n" * 200_000):
        split_sentences(text)
    assert time.process_time() - began < 5

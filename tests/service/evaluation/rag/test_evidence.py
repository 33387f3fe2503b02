"""Measures of the evidence, over small real indexes whose right figures are known."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from indexer.records import Option
from indexer.store.index_set import IndexSet
from service.evaluation.rag.evidence import EvidenceMeasurer, Measurement
from service.evaluation.rag.paraphrasing import paraphrase
from service.evaluation.rag.questions import BenchmarkQuestion
from service.evaluation.rag.screening import Holdings, Screen
from service.retrieval.encoding import QueryEncoders
from service.retrieval.retriever import Retriever

OPTIONS = tuple(Option(key=k, text=t) for k, t in zip("AB", ("Iron", "Iodine"), strict=True))


@pytest.fixture
def measurer(tmp_path: Path, kit: SimpleNamespace) -> EvidenceMeasurer:
    def sum_up(number: int, calculator: str, note: str) -> object:
        return kit.text_record(
            "sums", number, question=f"What is the {calculator}?", context=note,
            calculator=calculator, answer="1",
        )  # fmt: skip

    kit.publish(
        tmp_path,
        "books",
        [
            kit.text_record("books", 0, question="Anaemia with low ferritin: what is lacking?",
                            answer="It is iron that is lacking.", options=OPTIONS),
            kit.text_record("books", 1, question="A goitre in the mountains: what is lacking?",
                            answer="Too little of a trace element.",
                            options=OPTIONS),
        ],
    )  # fmt: skip
    kit.publish(
        tmp_path,
        "sums",
        [
            sum_up(0, "QTc Bazett", "An ECG with a QT interval of 400 ms."),
            sum_up(1, "Body Mass Index", "She weighs 70 kg and is 170 cm tall."),
            sum_up(2, "Body Mass Index", "He weighs 90 kg and is 180 cm tall."),
        ],
    )
    retriever = Retriever(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder()), None))
    return EvidenceMeasurer(retriever, Screen(Holdings.of(retriever.snapshot())), depth=1)


def values(measured: Measurement) -> dict[str, float]:
    return {figure.name: figure.mean for figure in measured.figures}


def test_the_right_option_is_sought_in_answers_not_in_options(
    measurer: EvidenceMeasurer, kit: SimpleNamespace
) -> None:
    questions = [
        BenchmarkQuestion(
            kit.text_record("exam", number, question=text, options=OPTIONS, answer_keys=(key,))
        )
        for number, (text, key) in enumerate(
            [("Her ferritin is low, an anaemia?", "A"),
             ("Why has he a goitre, from mountains?", "B")]
        )
    ]  # fmt: skip
    measured = measurer.options("exam", questions)
    assert values(measured) == {"right option": 0.5, "wrong option": 0.0, "right - wrong": 0.5}
    # The other question's hit says that iron is lacking: the second one's wrong option.
    assert [figure.chance for figure in measured.figures] == [0.0, 0.5, None]


def test_an_option_within_a_longer_word_is_not_held(
    measurer: EvidenceMeasurer, kit: SimpleNamespace
) -> None:
    options = (Option(key="A", text="lack"), Option(key="B", text="IRON."))
    record = kit.text_record("exam", 1, question="Low ferritin, anaemia?", options=options,
                             answer_keys=("A",))  # fmt: skip
    measured = measurer.options("exam", [BenchmarkQuestion(record)])
    assert values(measured) == {"right option": 0.0, "wrong option": 1.0, "right - wrong": -1.0}


def test_the_right_calculator_comes_back_against_its_chance(
    measurer: EvidenceMeasurer, kit: SimpleNamespace
) -> None:
    def question(number: int, calculator: str, note: str) -> BenchmarkQuestion:
        return BenchmarkQuestion(
            kit.text_record("exam", number, context=note, calculator=calculator, answer="1",
                            question="How much is it?", case_id=f"note{number}")
        )  # fmt: skip

    asked = [
        question(0, "Body Mass Index", "The boy weighs 40 kg, is tall 150 cm"),
        question(1, "Fibrosis-4", "He weighs 90 kg and has a liver"),
    ]
    measured = measurer.calculators("notes", asked, lambda record: record.context or "")
    assert [one.measure.rsplit(maxsplit=1)[-1] for one in measured] == [
        "hybrid", "dense", "lexical",
    ]  # fmt: skip
    for one in measured:
        assert values(one) == {"top 1": 0.5, "top 5": 0.5}
        assert one.note.startswith("1 ask for calculators")
        # 2 of 5 records: 2/5 by the first, certain by the fifth; none for the other question.
        assert [figure.chance for figure in one.figures] == [pytest.approx(0.2), 0.5]


def test_a_context_under_paraphrase(measurer: EvidenceMeasurer, kit: SimpleNamespace) -> None:
    texts = ["A 60-year-old man presents with anaemia.", "Nothing that a rule would change."]
    questions = [
        BenchmarkQuestion(kit.text_record("exam", number, question=text))
        for number, text in enumerate(texts)
    ]
    measured = measurer.steadiness("exam", questions)
    assert measured is not None
    assert measured.figures[0].queries == 1
    assert "1 that no rule changes" in measured.note
    assert measurer.steadiness("exam", questions[1:]) is None
    same = measurer.steadiness_of_pairs("pairs", [("goitre", "goitre"), ("QT", "QT")], "given")
    assert values(same) == {"Jaccard": 1.0, "overlap": 1.0}


def test_questions_are_reworded_by_rules() -> None:
    reworded = paraphrase(
        "A 45-year-old woman presents to the physician with a cough. Her blood pressure is 120/80. "
        "Which of the following is the most likely diagnosis?",
        "en",
    )
    assert reworded == (
        "a woman aged 45 years comes to the doctor because of a cough. Her BP is 120/80. "
        "what is the most probable diagnosis?"
    )
    assert paraphrase("男，50岁。查体：发热", "zh") == "50岁男性。体格检查：发热"
    assert paraphrase("Cough?", "en") is None

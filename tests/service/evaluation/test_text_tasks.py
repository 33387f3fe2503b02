from pathlib import Path

import pytest

from indexer.store.reader import IndexReader
from service.evaluation.measuring import evaluate_questions, questions_of_index
from service.evaluation.question_sets import (
    fragment_questions,
    judged_questions,
    translated_questions,
)
from service.evaluation.results import TaskResult
from service.evaluation.text_index import build_text_index, document_ids
from service.evaluation.text_sets import TextSet
from service.evaluation.text_tasks import ask_questions
from service.retrieval.encoding import QueryEncoders


def text_set(language: str = "en", **changes: object) -> TextSet:
    values: dict[str, object] = {
        "name": "pairs",
        "language": language,
        "documents": {
            "a": "Is aspirin safe for children?",
            "b": "May children take aspirin?",
            "c": "How long does measles last?",
            "d": "HOW LONG does measles last?",
            "e": "What is the duration of measles?",
        },
        "queries": {"a": "Is aspirin safe for children?", "c": "How long does measles last?"},
        "qrels": {"a": {"b": 1, "c": 0}, "c": {"e": 1, "d": 1}},
        "measures": ("R@1", "RR"),
        "licence": "none",
    }
    return TextSet(**(values | changes))


def ask(texts: TextSet, folder: Path, encoder) -> dict[str, TaskResult]:
    reader = build_text_index(texts, folder, encoder)
    encoders = QueryEncoders(lambda key: encoder)
    results = ask_questions(reader, encoders, judged_questions(texts))
    return {result.task: result for result in results}


def test_documents_that_say_the_same_are_one_record() -> None:
    ids = document_ids(text_set())
    assert ids["c"] == ids["d"] == "pairs/all/c"
    assert ids["e"] == "pairs/all/e"


def test_an_index_of_texts_is_a_real_build(tmp_path: Path, hash_encoder) -> None:
    reader = build_text_index(text_set(), tmp_path, hash_encoder)
    assert isinstance(reader, IndexReader)
    counts = reader.manifest.counts
    assert (counts.rows, counts.records, counts.duplicates) == (5, 4, 1)
    assert reader.manifest.fields["question"].vectors == 4
    assert reader.manifest.calibration is not None


def test_a_copy_of_the_question_is_no_answer() -> None:
    asked = judged_questions(text_set())
    assert asked.qrels["c"] == {"pairs/all/e": 1}
    alone = judged_questions(text_set(qrels={"c": {"d": 1}}))
    assert not alone.texts


def test_every_manner_is_measured_and_the_own_record_never_found(tmp_path, hash_encoder) -> None:
    found = ask(text_set(), tmp_path, hash_encoder)
    assert list(found) == [
        f"question -> question, {manner}" for manner in ("dense", "lexical", "hybrid")
    ]
    for result in found.values():
        assert result.queries == 2
        assert result.pool == 3
        assert result.values["R@1"].tolist() == [1, 1]
        assert result.chances["R@1"] == pytest.approx(1 / 3)
        assert "pairs/all/a" not in result.ranked.run()["a"]
        assert "pairs/all/c" not in result.ranked.run()["c"]


def test_a_wrong_first_place_costs_what_it_should(tmp_path, hash_encoder) -> None:
    texts = text_set(qrels={"a": {"e": 1}})
    [first, *_] = ask(texts, tmp_path, hash_encoder).values()
    assert first.values["R@1"].tolist() == [0]
    assert 0 < first.values["MRR"][0] <= 0.5


def test_what_nobody_judged_is_told_from_what_is_wrong(tmp_path, hash_encoder) -> None:
    measures = ("R@1", "Judged@1", "Success(judged_only=True)@1")
    texts = text_set(qrels={"a": {"e": 1}, "c": {"e": 1, "b": 0}}, measures=measures)
    [first, *_] = ask(texts, tmp_path, hash_encoder).values()
    assert first.values["R@1"].tolist() == [0, 1]
    assert first.values["judged@1"].tolist() == [0, 1]
    assert first.values["R@1 of the judged"].tolist() == [1, 1]
    assert first.chances["judged@1"] == pytest.approx((1 / 3 + 2 / 3) / 2)
    assert first.chances["R@1 of the judged"] == pytest.approx((1 + 1 / 2) / 2)


def test_an_encoder_that_cannot_read_the_language_has_no_vote(tmp_path, kit) -> None:
    chinese = text_set(
        "zh",
        documents={"a": "高血压怎么治疗？", "b": "怎样治疗高血压？", "c": "发烧怎么办？"},
        queries={"a": "高血压怎么治疗？"},
        qrels={"a": {"b": 1}},
    )
    found = ask(chinese, tmp_path, kit.HashEncoder())
    assert [task.split(", ")[1] for task in found] == ["lexical", "hybrid"]
    assert all(result.values["R@1"].tolist() == [1] for result in found.values())


def test_an_encoder_for_chinese_reads_what_the_other_does_not(tmp_path, kit) -> None:
    chinese = text_set(
        "zh",
        documents={"a": "高血压怎么治疗？", "b": "怎样治疗高血压？", "c": "发烧怎么办？"},
        queries={"a": "高血压怎么治疗？"},
        qrels={"a": {"b": 1}},
    )
    english, other = kit.HashEncoder(), kit.HashEncoder("hash-zh", languages=("zh",))
    reader = build_text_index(chinese, tmp_path, english, other)
    assert {name: one.vectors for name, one in reader.manifest.fields.items()} == {
        "question": 0, "question_zh": 3,
    }  # fmt: skip
    evaluation = evaluate_questions(
        reader, QueryEncoders(kit.loader(english, other)), [judged_questions(chinese)],
        seed=0, on_step=lambda step: None,
    )  # fmt: skip
    assert evaluation.encoder.key == "hash-zh"
    assert not evaluation.notes
    assert [one.task.split(", ")[1] for one in evaluation.results] == ["dense", "lexical", "hybrid"]
    assert all(one.values["R@1"].tolist() == [1] for one in evaluation.results)


def test_queries_that_are_no_documents_have_the_whole_pool(tmp_path, hash_encoder) -> None:
    texts = text_set(
        queries={"q1": "duration of measles"},
        qrels={"q1": {"e": 2, "c": 1}},
        measures=("nDCG@10", "R@100"),
    )
    found = ask(texts, tmp_path, hash_encoder)
    hybrid = found["query -> document, hybrid"]
    assert hybrid.pool == 4
    assert hybrid.values["R@100"].tolist() == [1]
    assert hybrid.values["nDCG@10"][0] == pytest.approx(1)
    assert hybrid.chances["R@100"] == 1


def test_a_built_index_is_asked_for_its_own_fragments(tmp_path: Path, kit) -> None:
    records = [
        kit.text_record("asked", number, question=f"alpha{number} beta{number} gamma{number} delta")
        for number in range(8)
    ]
    kit.publish(tmp_path, "asked", records)
    reader = IndexReader.open(tmp_path / "asked")
    asked = fragment_questions(reader, 4)
    assert asked.texts == {
        f"asked/train/{number}": f"beta{number} gamma{number}" for number in (0, 2, 4, 6)
    }
    encoder = kit.HashEncoder()
    evaluation = evaluate_questions(
        reader, QueryEncoders(lambda key: encoder), [asked], seed=0, on_step=lambda step: None
    )
    assert evaluation.records == 8
    assert [result.values["R@1"].mean() for result in evaluation.results] == [1, 1, 1]


def test_translations_of_one_case_are_asked_for_in_both_directions(tmp_path: Path, kit) -> None:
    def record(number: int, language: str, question: str):
        return kit.text_record(
            "exam", number, record_id=f"exam/train/{number}-{language}", question=question,
            language=language, case_id=f"case{number}",
        )  # fmt: skip

    records = [record(number, "en", f"question number {number} of the exam") for number in range(6)]
    records += [record(number, "zh", f"考试第{number}题") for number in range(5)]
    kit.publish(tmp_path, "exam", records)
    reader = IndexReader.open(tmp_path / "exam")
    one, other = translated_questions(reader, 100)
    assert one.task == "zh question -> its en translation"
    assert one.qrels["exam/train/3-zh"] == {"exam/train/3-en": 1}
    assert len(one.texts) == len(other.texts) == 5
    assert [asked.task for asked in questions_of_index(reader)][1:] == [one.task, other.task]

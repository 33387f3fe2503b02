"""A benchmark's own questions are never found as evidence for themselves."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from indexer.errors import IndexNotFoundError
from indexer.records import TextRecord
from indexer.store.index_set import IndexSet
from service.evaluation.rag.questions import BenchmarkQuestion
from service.evaluation.rag.screening import Holdings, Level, Screen, near_identical
from service.retrieval.encoding import QueryEncoders
from service.retrieval.query import Query, TextSource
from service.retrieval.retriever import Retriever

ASKED = "A man of 60 has crushing chest pain for two hours and sweats. Which drug is given first?"


@pytest.fixture
def own(kit: SimpleNamespace) -> TextRecord:
    return kit.text_record(
        "bench", 0, question=ASKED, split="test", record_id="bench/test/0", case_id="bench0"
    )


@pytest.fixture
def retriever(tmp_path: Path, kit: SimpleNamespace, own: TextRecord) -> Retriever:
    def record(dataset: str, split: str, name: str, **changes: object) -> TextRecord:
        values = {"question": ASKED.replace("60", "45"), "case_id": f"{dataset}{split}{name}"}
        return kit.text_record(
            dataset, 1, record_id=f"{dataset}/{split}/{name}", split=split, **(values | changes)
        )

    other = "A man has crushing chest pain since the morning. What does the ECG show?"
    kit.publish(
        tmp_path,
        "bench",
        [
            own,
            record("bench", "test", "sibling", question=other),
            record("bench", "train", "copy"),
            record("bench", "train", "kin", question=other + " And why?"),
            record("bench", "dev", "translation", question="胸痛", language="en", case_id="bench0"),
        ],
    )
    kit.publish(
        tmp_path,
        "else",
        [
            record("else", "test", "copy", question=ASKED.upper().replace("?", " ?!")),
            record("else", "test", "free", question="Chest pain: which drug is given?"),
        ],
    )
    kit.publish(tmp_path, "scans", [kit.image_record("scans", 1)])
    return Retriever(IndexSet(tmp_path), QueryEncoders(kit.loader(kit.HashEncoder()), None))


def found(retriever: Retriever, own: TextRecord, level: Level) -> set[str]:
    screen = Screen(Holdings.of(retriever.snapshot()), level)
    reply = screen.search(
        BenchmarkQuestion(own),
        lambda allowed: retriever.search(
            Query(
                target="questions", source=TextSource(ASKED), k=3,
                indexes=screen.holdings.indexes, filters=allowed,
            )
        ),
        lambda reply: [hit.record for hit in reply.hits],
    )  # fmt: skip
    return {hit.record.record_id for hit in reply.hits}


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("dataset", {"else/test/free"}),
        ("split", {"else/test/free", "bench/train/kin"}),
        ("question", {"else/test/free", "bench/train/kin", "bench/test/sibling"}),
    ],
)
def test_relatives_copies_and_translations_are_kept_out(
    retriever: Retriever, own: TextRecord, level: Level, expected: set[str]
) -> None:
    assert found(retriever, own, level) == expected


def test_nothing_is_kept_out_where_that_is_wanted(retriever: Retriever, own: TextRecord) -> None:
    assert found(retriever, own, "off") == {"bench/test/0", "bench/train/copy", "else/test/copy"}


def test_only_indexes_of_questions_hold_evidence(retriever: Retriever) -> None:
    holdings = Holdings.of(retriever.snapshot())
    assert holdings.indexes == ("bench", "else")
    assert holdings.splits == {
        "bench": frozenset({"test", "train", "dev"}),
        "else": frozenset({"test"}),
    }
    for names in (["scans"], ["nothing"], ["bench", "nothing"]):
        with pytest.raises(IndexNotFoundError, match="no such index"):
            Holdings.of(retriever.snapshot(), names)


def test_a_calculation_is_the_same_by_its_note(kit: SimpleNamespace) -> None:
    def record(note: str) -> TextRecord:
        return kit.text_record("calc", 1, question="What is the MAP?" * 20, context=note,
                               calculator="MAP")  # fmt: skip

    first = record("A man of 50 with a blood pressure of 120/80 mmHg came to the clinic.")
    assert near_identical(first, record(first.context.replace("came", "comes")))
    assert not near_identical(first, record("An infant with fever; her pressure was 80/50 mmHg."))
    assert not near_identical(first, kit.image_record("scans", 1))

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.datasets.ai_medical_chatbot import DATASETS
from indexer.records import Reject, TextRecord
from indexer.text.questions import document_text

(CHATBOT,) = DATASETS
COLUMNS = ["Description", "Patient", "Doctor"]
DIALOGUE = [
    "Q. Is a blue\u00a0toe dangerous?",
    "Hello doctor,\r\nmy toe is blue, since\u00a0Monday.",
    "Hi. Have it seen today. For further questions see a surgeon -->",
]


def put(root: Path, name: str, *rows: list[str | None]) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        columns = {name: [row[n] for row in rows] for n, name in enumerate(COLUMNS)}
        pq.write_table(pa.table(columns), path)
        return
    with path.open("w", newline="", encoding="utf-8") as stream:
        delimiter = "\t" if "tab" in name or path.suffix == ".tsv" else ","
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerows([COLUMNS, *rows])


def read(root: Path) -> list[TextRecord]:
    rows = list(CHATBOT.iter_rows(root))
    assert not [row for row in rows if isinstance(row, Reject)]
    return [row for row in rows if isinstance(row, TextRecord)]


@pytest.mark.parametrize(
    ("name", "native_id"),
    [
        ("dialogues.parquet", "dialogues:1"),
        ("ai-medical-chatbot.csv", "ai-medical-chatbot:1"),
        ("tab.csv", "tab:1"),
        ("dialogues.tsv", "dialogues:1"),
        ("data/train-00000-of-00001.parquet", "00000:1"),
        ("default/train/0000.parquet", "0000:1"),
    ],
)
def test_every_published_form(tmp_path: Path, name: str, native_id: str) -> None:
    put(tmp_path, name, list(DIALOGUE))
    (record,) = read(tmp_path)
    assert record.record_id == f"ai_medical_chatbot/train/{native_id}"
    assert record.question == "Is a blue toe dangerous?"
    assert record.context == "Hello doctor,\nmy toe is blue, since Monday."
    assert record.answer == "Hi. Have it seen today. For further questions see a surgeon"
    assert record.language == "en"
    assert document_text(record) == f"{record.question}\n{record.context}"


def test_a_copy_of_a_dialogue_has_the_same_content_under_another_id(tmp_path: Path) -> None:
    put(tmp_path, "dialogues.parquet", list(DIALOGUE), list(DIALOGUE))
    put(tmp_path, "dialogues.csv", list(DIALOGUE))
    records = read(tmp_path)
    assert len({record.record_id for record in records}) == 3
    assert len({record.content_key() for record in records}) == 1


def test_either_half_of_the_question_will_do(tmp_path: Path) -> None:
    put(tmp_path, "dialogues.parquet", [None, "My ear hurts.", "Rest."], ["Q. Ear?", " ", "Rest."])
    assert [(r.question, r.context) for r in read(tmp_path)] == [
        ("My ear hurts.", None),
        ("Ear?", None),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["Q. Ear?", "It hurts.", None], "Doctor is missing or empty"),
        (["Q. Ear?", "It hurts.", "-->"], "Doctor is missing or empty"),
        ([None, "\u00a0", "Rest."], "Description and Patient are missing or empty"),
        (["Q. ", "", "Rest."], "Description and Patient are missing or empty"),
    ],
)
def test_rows_without_question_or_answer_are_rejected(
    tmp_path: Path, row: list[str | None], reason: str
) -> None:
    put(tmp_path, "dialogues.parquet", list(DIALOGUE), row)
    _, bad = CHATBOT.iter_rows(tmp_path)
    assert bad == Reject(path="dialogues.parquet", line=2, reason=reason)


@pytest.mark.realdata
def test_the_genuine_sample(realdata_dir: Path) -> None:
    records = read(realdata_dir / "genuine" / "ai_medical_chatbot")
    # The same 500 rows twice, as csv and as parquet; 339 of them are distinct.
    assert len(records) == len({record.record_id for record in records}) == 1000
    assert len({record.content_key() for record in records}) == 339
    half = len(records) // 2
    for copy, other in zip(records[:half], records[half:], strict=True):
        assert copy.content_key() == other.content_key()
    texts = [r.question + r.answer + (r.context or "") for r in records]
    assert not [text for text in texts if "-->" in text or "\u00a0" in text]
    assert [records[n].question for n in (0, 499)] == [
        "What does abutment of the nerve root mean?",
        "What are the ways to control schizophrenia?",
    ]
    assert records[250].record_id == "ai_medical_chatbot/train/ai-medical-chatbot:251"

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.datasets.medical_o1_sft import DATASETS
from indexer.records import Reject, TextRecord

(MEDICAL_O1,) = DATASETS
ENGLISH = {
    "Question": "Why does a stone in the ureter hurt in waves?",
    "Complex_CoT": "Okay, the ureter is a muscle.\n\nSo it squeezes.",
    "Response": "Because the ureter contracts against it.",
}
CHINESE = {
    "Question": "为什么输尿管结石的疼痛是阵发性的？",
    "Complex_CoT": "嗯，输尿管有平滑肌。",
    "Response": "因为输尿管会间歇性收缩。",
}


def put(root: Path, name: str, *rows: dict[str, Any], indent: int | None = 2) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
    else:
        path.write_text(json.dumps(list(rows), ensure_ascii=False, indent=indent))


def read(root: Path) -> list[TextRecord]:
    rows = list(MEDICAL_O1.iter_rows(root))
    assert not [row for row in rows if isinstance(row, Reject)]
    return [row for row in rows if isinstance(row, TextRecord)]


def test_the_four_published_files(tmp_path: Path) -> None:
    code = {"Question": "Write a loop in C.", "Complex_CoT": "Easy.", "Response": "for (;;) {}"}
    put(tmp_path, "medical_o1_sft.json", ENGLISH)
    put(tmp_path, "medical_o1_sft_Chinese.json", CHINESE, indent=None)
    put(tmp_path, "medical_o1_sft_mix.json", code, ENGLISH)
    put(tmp_path, "medical_o1_sft_mix_Chinese.json", CHINESE)
    records = read(tmp_path)
    assert [(r.record_id, r.language, r.labels) for r in records] == [
        ("medical_o1_sft/train/en:1", "en", ()),
        ("medical_o1_sft/train/zh:1", "zh", ()),
        ("medical_o1_sft/train/en-mix:1", "en", ("mix",)),
        ("medical_o1_sft/train/en-mix:2", "en", ("mix",)),
        ("medical_o1_sft/train/zh-mix:1", "zh", ("mix",)),
    ]
    assert records[0].content_key() == records[3].content_key()
    assert records[0].answer == ENGLISH["Response"]
    assert records[0].reasoning == ENGLISH["Complex_CoT"]


@pytest.mark.parametrize(
    ("name", "native_id"),
    [
        ("zh_mix/train/0000.parquet", "zh-mix:0000:1"),
        ("zh/train-00000-of-00001.parquet", "zh:00000:1"),
        ("data.jsonl", "en:1"),
    ],
)
def test_other_copies(tmp_path: Path, name: str, native_id: str) -> None:
    put(tmp_path, name, CHINESE, indent=None)
    (record,) = read(tmp_path)
    assert record.record_id == f"medical_o1_sft/train/{native_id}"
    # What language a record is in is told by the record, not by the file.
    assert record.language == "zh"


@pytest.mark.parametrize(
    ("thought", "response", "reasoning", "answer"),
    [
        (None, "It is gout.", None, "It is gout."),
        ("Hm.", "<think>Let me see.</think>\n\nIt is gout.", "Hm.\n\nLet me see.", "It is gout."),
        ("<think>\nHm.\n</think>", "It is gout.", "Hm.", "It is gout."),
        ("<think>Hm.</think>It is gout.", None, "Hm.", "It is gout."),
        ("", "Hm.</think> It is gout.", "Hm.", "It is gout."),
    ],
)
def test_null_fields_and_think_tags(
    tmp_path: Path, thought: str | None, response: str | None, reasoning: str | None, answer: str
) -> None:
    row = {"Question": "What is it?", "Complex_CoT": thought, "Response": response}
    put(tmp_path, "medical_o1_sft.json", row)
    (record,) = read(tmp_path)
    assert (record.reasoning, record.answer) == (reasoning, answer)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ENGLISH | {"Question": None}, "Question is missing or empty"),
        (ENGLISH | {"Response": None}, "Response is missing or empty"),
        (ENGLISH | {"Response": "<think>never ends"}, "Response is missing or empty"),
        (ENGLISH | {"Response": ["x"]}, "Response is a list, expected text"),
    ],
)
def test_rows_without_question_or_answer_are_rejected(
    tmp_path: Path, row: dict[str, Any], reason: str
) -> None:
    put(tmp_path, "medical_o1_sft.json", ENGLISH, row, CHINESE)
    rows = list(MEDICAL_O1.iter_rows(tmp_path))
    assert [isinstance(row, TextRecord) for row in rows] == [True, False, True]
    assert rows[1] == Reject(path="medical_o1_sft.json", line=7, reason=reason)


@pytest.mark.realdata
def test_the_genuine_sample(realdata_dir: Path) -> None:
    records = read(realdata_dir / "genuine" / "medical_o1_sft")
    assert len(records) == 100
    assert {record.language for record in records} == {"en"}
    assert all(record.reasoning for record in records)
    for position, start in (
        (0, "A 45-year-old homeless man"),
        (50, "What condition is most closely associated"),
        (99, "A patient with a urinary catheter"),
    ):
        assert records[position].record_id == f"medical_o1_sft/train/en:{position + 1}"
        assert records[position].question.startswith(start)

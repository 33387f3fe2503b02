import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.datasets.jmed import DATASETS
from indexer.records import Reject, TextRecord

(JMED,) = DATASETS
CASE: dict[str, Any] = {
    "id": "42-0-diagnose-option",
    "question": "\n患者年龄：30岁\n患者性别：女\n发热两天，咽痛。\n\n最可能的诊断是什么？\n",
    "options": {"A": "急性扁桃体炎", "B": "鼻炎", "C": "支气管炎"},
    "answer": ["A"],
}


def read(root: Path, *rows: dict[str, Any]) -> list[TextRecord | Reject]:
    path = root / "JMED.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    found = list(JMED.iter_rows(root))
    return [row for row in found if isinstance(row, TextRecord | Reject)]


def test_the_published_file(tmp_path: Path) -> None:
    (record,) = read(tmp_path, CASE)
    assert isinstance(record, TextRecord)
    assert record.record_id == "jmed/test/42-0-diagnose-option"
    assert record.question.startswith("患者年龄：30岁\n患者性别：女")
    assert record.question.endswith("诊断是什么？")
    assert (record.language, record.answer, record.answer_keys) == ("zh", "急性扁桃体炎", ("A",))


def test_letters_may_lack_reach_u_and_stand_in_any_order(tmp_path: Path) -> None:
    options = {letter: f"诊断{letter}" for letter in "UTBDA"} | {"E": "", "F": None}
    (record,) = read(tmp_path, CASE | {"options": options, "answer": ["U", "B"]})
    assert isinstance(record, TextRecord)
    assert [option.key for option in record.options] == ["A", "B", "D", "T", "U"]
    assert (record.answer, record.answer_keys) == ("诊断B；诊断U", ("B", "U"))


@pytest.mark.parametrize("answer", ["A", "['A']", "A,", "a"])
def test_an_answer_written_out_as_text(tmp_path: Path, answer: str) -> None:
    rows = read(tmp_path, CASE | {"answer": answer.rstrip(",")})
    assert [row.answer_keys for row in rows if isinstance(row, TextRecord)] == [("A",)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": ["D"]}, "the answer is D, the options are A, B, C"),
        ({"answer": []}, "the answer is none"),
        ({"answer": None}, "answer is no list of letters"),
        ({"question": "\n"}, "question is missing or empty"),
        ({"options": {}}, "the options are none"),
    ],
)
def test_bad_rows_are_rejected(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    bad, good = read(tmp_path, CASE | change, CASE | {"id": "43"})
    assert isinstance(bad, Reject)
    assert reason in bad.reason
    assert isinstance(good, TextRecord)


def test_a_row_without_an_id_is_named_by_its_position(tmp_path: Path) -> None:
    _, record = read(tmp_path, CASE, CASE | {"id": None})
    assert isinstance(record, TextRecord)
    assert record.record_id == "jmed/test/2"


def test_parquet_copies(tmp_path: Path) -> None:
    rows = [CASE, CASE | {"id": "43", "options": {"A": "感冒", "U": "肺炎"}, "answer": ["U"]}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "train-00000-of-00001.parquet")
    records = [row for row in JMED.iter_rows(tmp_path) if isinstance(row, TextRecord)]
    assert [record.answer for record in records] == ["急性扁桃体炎", "肺炎"]
    assert [len(record.options) for record in records] == [3, 2]


@pytest.mark.realdata
def test_the_genuine_sample(realdata_dir: Path) -> None:
    rows = list(JMED.iter_rows(realdata_dir / "genuine" / "jmed"))
    records = [row for row in rows if isinstance(row, TextRecord)]
    assert len(records) == len(rows) == 300
    assert {record.language for record in records} == {"zh"}
    assert {len(record.options) for record in records} == {5}
    assert [records[n].record_id for n in (0, 150, 299)] == [
        "jmed/test/2228217110043460-0-diagnose-option",
        "jmed/test/30449001942782-150-diagnose-option",
        "jmed/test/223241402818325-299-diagnose-option",
    ]
    assert [records[n].answer_keys for n in (0, 150, 299)] == [("A",), ("A",), ("A",)]

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.datasets.medcalc_bench import DATASETS
from indexer.records import Reject, TextRecord

(MEDCALC,) = DATASETS
ROW: dict[str, Any] = {
    "Row Number": 7,
    "Calculator ID": 6,
    "Calculator Name": "Body Mass Index (BMI)",
    "Category": "physical",
    "Output Type": "decimal",
    "Note ID": "pmc-1-1",
    "Note Type": "Extracted",
    "Patient Note": 'A woman of 40 years, called "stable".\nHeight 170\u00a0cm,\r\nweight 60 kg.',
    "Question": "What is the patient's BMI in kg/m^2?",
    "Relevant Entities": "{'weight': [60.0, 'kg'], 'Height': [170.0, 'cm']}",
    "Ground Truth Answer": "20.761",
    "Lower Limit": "19.723",
    "Upper Limit": "21.799",
    "Ground Truth Explanation": "60 / 1.7^2 = 20.761",
}


def put(root: Path, name: str, *rows: dict[str, Any]) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
        return
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def read(root: Path) -> list[TextRecord]:
    rows = list(MEDCALC.iter_rows(root))
    assert not [row for row in rows if isinstance(row, Reject)]
    return [row for row in rows if isinstance(row, TextRecord)]


@pytest.mark.parametrize(
    "name", ["test_data.csv", "test_data_11_18_final.csv", "data/test-00000-of-00001.parquet"]
)
def test_every_release(tmp_path: Path, name: str) -> None:
    put(tmp_path, name, ROW)
    (record,) = read(tmp_path)
    assert record.record_id == "medcalc_bench/test/7"
    assert record.context == 'A woman of 40 years, called "stable".\nHeight 170 cm,\nweight 60 kg.'
    assert record.question == "What is the patient's BMI in kg/m^2?"
    assert (record.answer, record.answer_lower, record.answer_upper) == (
        "20.761", "19.723", "21.799",
    )  # fmt: skip
    assert record.calculator == "Body Mass Index (BMI)"
    assert record.reasoning == "60 / 1.7^2 = 20.761"
    assert record.labels == ("extracted", "weight", "height")
    assert record.attribution is not None
    assert "CC BY-SA 4.0" in record.attribution


def test_an_early_release_without_numbers_is_named_by_position(tmp_path: Path) -> None:
    early = {k: v for k, v in ROW.items() if k not in {"Row Number", "Calculator ID"}}
    put(tmp_path, "train_data.csv", early, early | {"Ground Truth Answer": "21"})
    assert [r.record_id for r in read(tmp_path)] == [
        "medcalc_bench/train/1",
        "medcalc_bench/train/2",
    ]


def test_two_releases_side_by_side_share_no_id(tmp_path: Path) -> None:
    put(tmp_path, "test_data.csv", ROW)
    put(tmp_path, "test_data_11_18_final.csv", ROW)
    put(tmp_path, "train_data.csv", ROW)
    ids = [record.record_id for record in read(tmp_path)]
    assert ids[0] == "medcalc_bench/test/7"
    assert ids[2] == "medcalc_bench/train/7"
    assert len(set(ids)) == 3


def test_shards_share_the_numbers_of_their_rows(tmp_path: Path) -> None:
    put(tmp_path, "data/train-00000-of-00002.parquet", ROW)
    put(tmp_path, "data/train-00001-of-00002.parquet", ROW | {"Row Number": 8})
    assert [r.record_id for r in read(tmp_path)] == [
        "medcalc_bench/train/7",
        "medcalc_bench/train/8",
    ]


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("('29 weeks', '2 days')", "29 weeks, 2 days"),
        ("10/12/2023", "10/12/2023"),
        ("3", "3"),
        ("-0.5", "-0.5"),
        ("(about 3", "(about 3"),
    ],
)
def test_dates_and_durations_among_the_answers(tmp_path: Path, written: str, answer: str) -> None:
    put(tmp_path, "train_data.csv", ROW | {
        "Ground Truth Answer": written, "Lower Limit": written, "Upper Limit": written,
    })  # fmt: skip
    (record,) = read(tmp_path)
    assert (record.answer, record.answer_lower, record.answer_upper) == (answer, answer, answer)


@pytest.mark.parametrize(
    ("written", "category"),
    [("lab test", "lab"), ("lab", "lab"), ("Lab ", "lab"), ("dosage conversion", "dosage"),
     ("risk", "risk"), ("Something new", "something new"), ("", None)],
)  # fmt: skip
def test_train_and_test_spell_categories_alike(
    tmp_path: Path, written: str, category: str | None
) -> None:
    put(tmp_path, "train_data.csv", ROW | {"Category": written})
    assert [record.category for record in read(tmp_path)] == [category]


@pytest.mark.parametrize(
    "entities",
    ["", "{'a': nan}", "{'a': ", "[" * 5000, "__import__('os').abort()", "{'a': 1}" + " " * 70_000],
)
def test_entities_that_are_no_literal_do_not_cost_the_row(tmp_path: Path, entities: str) -> None:
    put(tmp_path, "test_data.csv", ROW | {"Relevant Entities": entities})
    assert [record.labels for record in read(tmp_path)] == [("extracted",)]


def test_questions_of_one_note_are_one_case(tmp_path: Path) -> None:
    other = ROW | {"Row Number": 8, "Question": "What is the ideal body weight?"}
    same_id = ROW | {"Row Number": 9, "Patient Note": "Another patient under the same Note ID."}
    put(tmp_path, "test_data.csv", ROW, other, same_id)
    first, second, third = (record.case_id for record in read(tmp_path))
    assert first == second != third


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ("Patient Note", "Patient Note is missing or empty"),
        ("Question", "Question is missing or empty"),
        ("Ground Truth Answer", "note, question or answer is empty"),
    ],
)
def test_rows_without_the_essentials_are_rejected(tmp_path: Path, column: str, reason: str) -> None:
    put(tmp_path, "test_data.csv", ROW | {column: " "}, ROW)
    bad, good = MEDCALC.iter_rows(tmp_path)
    assert bad == Reject(path="test_data.csv", line=2, reason=reason)
    assert isinstance(good, TextRecord)
    # The note of the row before covers three lines, unless it is what is missing.
    assert good.source_line == (3 if column == "Patient Note" else 5)


@pytest.mark.realdata
def test_the_genuine_sample(realdata_dir: Path) -> None:
    records = read(realdata_dir / "genuine" / "medcalc_bench")
    assert Counter(record.split for record in records) == {"test": 300, "train": 1006}
    assert len({record.record_id for record in records}) == 1306
    assert len({record.content_key() for record in records}) == 1301
    assert len({record.question for record in records}) < 70
    assert {record.category for record in records} == {
        "date", "diagnosis", "dosage", "lab", "physical", "risk", "severity",
    }  # fmt: skip
    first, last_test, last = records[0], records[299], records[-1]
    assert (first.record_id, first.answer, first.source_line) == (
        "medcalc_bench/test/1", "25.238", 2,
    )  # fmt: skip
    assert (last_test.record_id, last_test.category) == ("medcalc_bench/test/300", "severity")
    assert (last.record_id, last.answer) == ("medcalc_bench/train/1403", "99.667")
    durations = [record for record in records if "weeks" in record.answer]
    assert durations
    assert not any("(" in record.answer for record in durations)
    assert all(len(record.labels) > 1 for record in records)

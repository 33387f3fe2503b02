import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.datasets.medqa import DATASETS
from indexer.records import Option, Reject, TextRecord

(MEDQA,) = DATASETS
QUESTIONS = "data_clean/questions"

US: dict[str, Any] = {
    "question": "Which vitamin prevents scurvy?",
    "answer": "Vitamin C",
    "options": {"A": "Vitamin A", "B": "Thiamine", "C": "Vitamin C", "D": "Vitamin D", "E": "Zinc"},
    "meta_info": "step1",
    "answer_idx": "C",
}  # fmt: skip
MAINLAND: dict[str, Any] = {
    "question": "缺乏哪种维生素会引起坏血病？（\u3000\u3000）",
    "options": {"A": "维生素A", "B": "维生素C", "C": "维生素D", "D": "维生素K"},
    "answer": "维生素C",
    "meta_info": "第一部分\u3000营养学",
    "answer_idx": "B",
}
TAIWAN: dict[str, Any] = {
    "question": "3.2 g/dL",
    "options": {"A": "偏低", "B": "正常", "C": "偏高", "D": "無法判斷"},
    "answer": "偏低",
    "meta_info": "taiwanese_test_Q",
    "answer_idx": "A",
}
TAIWAN_ENGLISH = TAIWAN | {
    "options": {"A": "Low", "B": "Normal", "C": "High", "D": "Not to be told"},
    "answer": "Low",
}


def put(root: Path, name: str, *rows: dict[str, Any]) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows)), path)
    else:
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read(root: Path) -> list[TextRecord]:
    rows = list(MEDQA.iter_rows(root))
    assert not [row for row in rows if isinstance(row, Reject)]
    return [row for row in rows if isinstance(row, TextRecord)]


def reject_of(root: Path, row: dict[str, Any]) -> Reject:
    put(root, "US/dev.jsonl", row)
    (reject,) = MEDQA.iter_rows(root)
    assert isinstance(reject, Reject)
    return reject


def test_the_published_tree(tmp_path: Path) -> None:
    put(tmp_path, f"{QUESTIONS}/US/dev.jsonl", US)
    put(tmp_path, f"{QUESTIONS}/US/test.jsonl", US | {"question": "Another?"})
    put(tmp_path, f"{QUESTIONS}/US/US_qbank.jsonl", US)
    put(tmp_path, f"{QUESTIONS}/US/4_options/phrases_no_exclude_dev.jsonl",
        US | {"options": {"A": "Vitamin A", "B": "Vitamin C"}, "answer_idx": "B",
              "metamap_phrases": ["vitamin", "scurvy"]})  # fmt: skip
    put(tmp_path, f"{QUESTIONS}/Mainland/train.jsonl", MAINLAND)
    put(tmp_path, f"{QUESTIONS}/Taiwan/dev.jsonl", TAIWAN)
    put(tmp_path, f"{QUESTIONS}/Taiwan/tw_translated_jsonl/en/dev-2en.jsonl", TAIWAN_ENGLISH)
    put(tmp_path, f"{QUESTIONS}/Taiwan/tw_translated_jsonl/zh/dev-2zh.jsonl", TAIWAN)
    (tmp_path / "data_clean/textbooks").mkdir()
    (tmp_path / "data_clean/textbooks/Anatomy.txt").write_text("question\toptions\n")
    records = read(tmp_path)
    assert [(record.record_id, record.language) for record in records] == [
        ("medqa/train/mainland:1", "zh"),
        ("medqa/dev/taiwan:1", "zh"),
        ("medqa/dev/us:1", "en"),
        ("medqa/test/us:1", "en"),
        ("medqa/dev/taiwan-en:1", "en"),
        ("medqa/dev/taiwan-zh:1", "zh"),
        ("medqa/dev/us-4-options:1", "en"),
        ("medqa/all/us:1", "en"),
    ]
    mainland, taiwan, us, _, english, chinese, four, bank = records
    assert mainland.question == "缺乏哪种维生素会引起坏血病？（ ）"
    assert mainland.category == "第一部分 营养学"
    assert mainland.labels == ("mainland",)
    assert us.options[2] == Option(key="C", text="Vitamin C")
    assert (us.answer, us.answer_keys, us.category) == ("Vitamin C", ("C",), "step1")
    assert english.case_id == chinese.case_id == taiwan.record_id
    assert english.labels == ("taiwan", "translated")
    # The same question with fewer options, or again in the whole bank, is the same content.
    assert us.content_key() == four.content_key() == bank.content_key()


@pytest.mark.parametrize("top", ["questions/", "", "medqa/copy/"])
def test_the_tree_may_begin_anywhere(tmp_path: Path, top: str) -> None:
    put(tmp_path, f"{top}Taiwan/dev.jsonl", TAIWAN)
    assert [record.record_id for record in read(tmp_path)] == ["medqa/dev/taiwan:1"]


def test_the_hubs_files_with_four_options(tmp_path: Path) -> None:
    row = US | {"options": {"A": "Vitamin A", "B": "Vitamin C"}, "answer_idx": "B"}
    put(tmp_path, "phrases_no_exclude_train.jsonl", row | {"metamap_phrases": ["vitamin"]})
    put(tmp_path, "phrases_no_exclude_test.jsonl", row)
    assert [record.record_id for record in read(tmp_path)] == [
        "medqa/test/us-4-options:1",
        "medqa/train/us-4-options:1",
    ]


@pytest.mark.parametrize(
    "row",
    [
        US | {"options": [{"key": k, "value": v} for k, v in US["options"].items()]},
        {"id": "0f3c", "subject_name": None, "data": {
            "Question": US["question"], "Options": US["options"],
            "Correct Option": "C", "Correct Answer": "Vitamin C"}},
        {"id": "train-0", "sent1": US["question"], "sent2": "", "label": 2,
         **{f"ending{n}": text for n, text in enumerate(US["options"].values())}},
        {"question": US["question"], "choices": list(US["options"].values()),
         "answer": ["Vitamin C"], "type": "multiple_choice"},
    ],
    ids=["bigbio source", "openlifescienceai", "GBaker hf", "bigbio qa"],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_copies_of_the_hub(tmp_path: Path, row: dict[str, Any], suffix: str) -> None:
    put(tmp_path, f"data/validation-00000-of-00001.{suffix}", row)
    (record,) = read(tmp_path)
    assert (record.split, record.language) == ("dev", "en")
    assert record.question == US["question"]
    assert (record.answer, record.answer_keys) == ("Vitamin C", ("C",))
    assert [option.text for option in record.options] == list(US["options"].values())


def test_parquet_gives_every_row_all_letters_but_null_is_no_option(tmp_path: Path) -> None:
    put(tmp_path, "train.parquet", US, MAINLAND)
    english, chinese = read(tmp_path)
    assert [option.key for option in chinese.options] == ["A", "B", "C", "D"]
    assert (english.language, chinese.language) == ("en", "zh")


@pytest.mark.parametrize(
    "row",
    [
        {k: v for k, v in US.items() if k != "answer_idx"},
        {k: v for k, v in US.items() if k != "answer"},
        US | {"answer": "vitamin\u00a0C "},
        US | {"answer": "C", "answer_idx": None},
        US | {"answer": "C"},
    ],
)
def test_letter_and_text_of_the_answer_complete_each_other(
    tmp_path: Path, row: dict[str, Any]
) -> None:
    put(tmp_path, "US/dev.jsonl", row)
    (record,) = read(tmp_path)
    assert (record.answer, record.answer_keys) == ("Vitamin C", ("C",))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"question": " \u3000"}, "question is missing or empty"),
        ({"question": "\u200b"}, "question is missing or empty"),
        ({"question": None}, "question is missing or empty"),
        ({"options": None}, "options are neither"),
        ({"answer_idx": "F"}, "the answer is F, the options are A, B, C, D, E"),
        ({"answer": None, "answer_idx": None}, "the answer is none"),
        ({"answer": "Vitamin D"}, "answer_idx names option C, the answer is another text"),
        ({"options": {}}, "the options are none"),
    ],
)
def test_a_row_that_does_not_say_what_is_right_is_rejected(
    tmp_path: Path, change: dict[str, Any], reason: str
) -> None:
    reject = reject_of(tmp_path, US | change)
    assert (reject.path, reject.line) == ("US/dev.jsonl", 1)
    assert reason in reject.reason


@pytest.mark.realdata
def test_the_genuine_dev_splits(realdata_dir: Path) -> None:
    records = read(realdata_dir / "genuine" / "medqa")
    assert Counter(record.source_id.split(":")[0] for record in records) == {
        "us": 1272, "us-4-options": 1272, "mainland": 3425, "mainland-4-options": 3425,
        "taiwan": 1412, "taiwan-en": 1412, "taiwan-zh": 1412,
    }  # fmt: skip
    assert len({record.record_id for record in records}) == len(records) == 13_630
    assert len({record.content_key() for record in records}) == 8903
    first, middle, last = records[0], records[6000], records[-1]
    assert (first.record_id, first.answer_keys, first.language) == (
        "medqa/dev/mainland:1", ("D",), "zh",
    )  # fmt: skip
    assert (middle.record_id, middle.source_line) == ("medqa/dev/us:1164", 1164)
    assert (last.record_id, last.answer, last.language) == (
        "medqa/dev/us-4-options:1272", "CT scan", "en",
    )  # fmt: skip
    assert {record.language for record in records if "taiwan" in record.labels} == {"zh", "en"}


@pytest.mark.realdata
def test_translations_stand_on_the_lines_of_their_originals(realdata_dir: Path) -> None:
    records = {record.record_id: record for record in read(realdata_dir / "genuine" / "medqa")}
    translated = [record for record in records.values() if "translated" in record.labels]
    assert len(translated) == 2 * 1412
    for record in translated:
        assert records[record.case_id].answer_keys == record.answer_keys

import json
from pathlib import Path

import numpy as np
import pytest

from indexer.encoders.training.examples import pool_examples, record_examples
from indexer.errors import BadRecordError, DatasetNotFoundError, DecodeError
from indexer.records import ImageRecord, ImageRef


def test_a_pool_yields_its_rows_in_order(pool: Path) -> None:
    examples = list(pool_examples(pool))
    assert len(examples) == 36
    assert (examples[0].modality, examples[1].labels) == ("X-ray", ("hemorrhage",))
    assert examples[0].read().shape == (24, 30)
    with pytest.raises(DecodeError, match=r"35\.png"):
        examples[35].read()


def test_only_texts_that_begin_with_a_question_are_read_as_answers(tmp_path: Path) -> None:
    rows = [
        {"text_long": "what plane is this? axial. what is seen? a cyst."},
        {"text_long": "A mass of the left kidney. Abscess? Follow-up was advised."},
    ]
    fixed = {"file": "a.jpg", "text": "A scan.", "source": "s", "licence": "CC0 1.0"}
    lines = [json.dumps({**fixed, **row}) for row in rows]
    (tmp_path / "pool.jsonl").write_text("\n".join(lines), encoding="utf-8")
    asked, told = pool_examples(tmp_path)
    assert asked.details == ("axial, a cyst",)
    assert told.details == (rows[1]["text_long"],)


def test_a_folder_without_listing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"pool\.jsonl"):
        list(pool_examples(tmp_path))


@pytest.mark.parametrize("line", ["{", "[]", '{"file": "a.jpg"}', '"text"'])
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "pool.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(BadRecordError, match=r"pool\.jsonl:1"):
        list(pool_examples(tmp_path))


def test_records_of_any_dataset_become_examples() -> None:
    record = ImageRecord(
        record_id="d/train/1",
        dataset="d",
        split="train",
        source_id="1",
        source_path="d.csv",
        case_id="case",
        licence="CC BY 4.0",
        image=ImageRef(path="1.png"),
        caption="A chest.",
        modality="CT",
    )
    (example,) = record_examples(
        [record], lambda asked: np.full((2, 3, 3), len(asked.dataset), np.uint8)
    )
    assert (example.source, example.case, example.caption) == ("d", "case", "A chest.")
    assert example.read().tolist() == np.ones((2, 3, 3)).tolist()

"""MedCalc-Bench: notes with a value to be calculated, in two CSV files of multi-line cells."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from indexer.sample.calculation import Calculation, Calculator, PatientDraw, entity_text
from indexer.sample.captions import capitalise
from indexer.sample.laboratory import LABORATORY
from indexer.sample.scores import SCORES
from indexer.sample.tally import Tally, write_csv
from indexer.sample.texts import read_texts

_COLUMNS = (
    "Row Number", "Calculator ID", "Calculator Name", "Category", "Output Type", "Note ID",
    "Note Type", "Patient Note", "Question", "Relevant Entities", "Ground Truth Answer",
    "Lower Limit", "Upper Limit", "Ground Truth Explanation",
)  # fmt: skip
# The two published files spell one category differently.
_TRAIN_CATEGORIES = {"lab": "lab test"}
# "a 84-year-old" must be "an": before eight, eleven and eighteen.
_ARTICLE = re.compile(r"\b([Aa]) ((?:8\d?|11|18)\b)")
_PAUSE = re.compile(r"([.;:]) ")
_FIRST_TEST_ROW = 1
_FIRST_TRAIN_ROW = 1001


def write_medcalc_bench(root: Path, seed: int) -> Tally:
    """Write one row a note; the first note of each calculator is a test row. One has no answer."""
    rng = np.random.default_rng([seed, 149])
    train: list[tuple[object, ...]] = [_COLUMNS]
    test: list[tuple[object, ...]] = [_COLUMNS]
    for calculator in (*LABORATORY, *SCORES):
        for position, story in enumerate(read_texts("notes")[str(calculator.number)]):
            rows, first = (test, _FIRST_TEST_ROW) if position == 0 else (train, _FIRST_TRAIN_ROW)
            number = first + len(rows) - 1
            rows.append(_row(number, calculator, story, position, rng, is_test=rows is test))
    tally = Tally(records=len(train) + len(test) - 2)
    unanswered = list(train[-1])
    unanswered[0] = _FIRST_TRAIN_ROW + len(train) - 1
    unanswered[10] = ""
    train.append(tuple(unanswered))
    write_csv(root / "train_data.csv", train, line_end="\r\n")
    write_csv(root / "test_data.csv", test, line_end="\r\n")
    tally.expect_reject(
        "train_data.csv", "bad_row", "a row without an answer", line=_last_row_line(train)
    )
    return tally


def _row(
    number: int,
    calculator: Calculator,
    story: Mapping[str, Any],
    position: int,
    rng: np.random.Generator,
    *,
    is_test: bool,
) -> tuple[object, ...]:
    """Return one row: a patient is drawn, a note written, the value calculated."""
    result = calculator.draw(PatientDraw(rng, story.get("within")))
    category = calculator.category
    return (
        number,
        calculator.number,
        calculator.name,
        category if is_test else _TRAIN_CATEGORIES.get(category, category),
        calculator.output_type,
        f"synthetic-{calculator.number}-{position + 1}",
        "Template" if calculator.output_type == "date" else "Synthetic",
        write_note(story["note"], result),
        calculator.question,
        entity_text(result.entities),
        result.answer,
        result.lower,
        result.upper,
        result.explanation,
    )


def write_note(plan: str, result: Calculation) -> str:
    """Return a patient note of several lines, its slots filled with the drawn values."""
    words = dict(result.slots)
    words |= {capitalise(key): capitalise(value) for key, value in words.items()}
    note = _ARTICLE.sub(r"\1n \2", plan.format_map(words))
    return _PAUSE.sub(r"\1\n", note, count=1)


def _last_row_line(rows: list[tuple[object, ...]]) -> int:
    """Return the line on which the last row begins, counting line feeds within cells."""
    return 1 + sum(1 + sum(str(cell).count("\n") for cell in row) for row in rows[:-1])

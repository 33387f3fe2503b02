"""MedCalc-Bench: patient notes with a value to be calculated from each."""

import hashlib

from indexer.datasets.base import DatasetInfo
from indexer.datasets.literals import read_literal
from indexer.datasets.question_tables import Place, QuestionTables, Table, find_split
from indexer.datasets.raw_row import RawRow
from indexer.records import TextRecord, make_record_id
from indexer.text.normalise import clean

INFO = DatasetInfo(
    name="medcalc_bench",
    title="MedCalc-Bench",
    kind="text",
    description=(
        "Patient notes, each with one of some 70 questions for a clinical value (55 calculators), "
        "its answer with tolerance limits and a worked explanation."
    ),
    licence="CC BY-SA 4.0",
    licence_url="https://creativecommons.org/licenses/by-sa/4.0/",
    citation=(
        "Khandekar N, Jin Q, Xiong G, et al. MedCalc-Bench: evaluating large language models for "
        "medical calculations. NeurIPS 2024 Datasets and Benchmarks. arXiv:2406.12036."
    ),
    homepage="https://github.com/ncbi-nlp/MedCalc-Bench",
    size="10,053 training and 1,047 test rows (v1.0), 10,543 and 1,100 (v1.2); 20 MB",
    languages=("en",),
    access="`hf download ncbi/MedCalc-Bench --repo-type dataset`. No registration.",
    layout=(
        "train_data.csv and test_data.csv (also with a date in their names), or "
        "data/{train,test}-*.parquet of the hub."
    ),
    folders=("medcalc_bench", "MedCalc-Bench", "MedCalc-Bench-v1.0", "MedCalc-Bench-v1.2"),
)
_ATTRIBUTION = "MedCalc-Bench (Khandekar et al. 2024), CC BY-SA 4.0"

# The releases and their two splits spell the same category differently.
_CATEGORIES = {
    "lab test": "lab", "lab tests": "lab", "laboratory": "lab",
    "dosage conversion": "dosage", "dosage conversions": "dosage",
    "dates": "date", "risks": "risk", "diagnoses": "diagnosis",
    "physical exam": "physical", "physical examination": "physical",
}  # fmt: skip


def _place(name: str) -> Place:
    return Place(split=find_split(name, default="all"))


def _parse(table: Table, row: RawRow) -> TextRecord:
    note = clean(row.text("Patient Note"))
    question = clean(row.text("Question"))
    answer = _value(row, "Ground Truth Answer")
    if not note or not question or not answer:
        raise row.bad("note, question or answer is empty")
    number = row.optional_text("Row Number")
    native_id = table.native_id(row, number.strip() if number else None)
    explanation = row.optional_text("Ground Truth Explanation")
    calculator = row.optional_text("Calculator Name")
    return TextRecord(
        record_id=make_record_id(INFO.name, table.place.split, native_id),
        dataset=INFO.name,
        split=table.place.split,
        source_id=native_id,
        source_path=row.path,
        source_line=row.line,
        case_id=_note_id(note),
        labels=_labels(row),
        licence=INFO.licence,
        attribution=_ATTRIBUTION,
        question=question,
        context=note,
        answer=answer,
        reasoning=clean(explanation) or None if explanation else None,
        calculator=clean(calculator) or None if calculator else None,
        category=_category(row),
        answer_lower=_value(row, "Lower Limit"),
        answer_upper=_value(row, "Upper Limit"),
    )


def _value(row: RawRow, column: str) -> str | None:
    """Return a number, a date or a duration as it is written; `('29 weeks', '2 days')` joined."""
    text = clean(row.optional_text(column) or "")
    if text.startswith(("(", "[")):
        literal = read_literal(text)
        if isinstance(literal, tuple | list):
            text = ", ".join(str(part) for part in literal)
    return text or None


def _category(row: RawRow) -> str | None:
    text = clean(row.optional_text("Category") or "").casefold()
    return _CATEGORIES.get(text, text) or None


def _labels(row: RawRow) -> tuple[str, ...]:
    """Return the kind of note and the names of the entities that the calculation needs.

    Entities that cannot be read as a Python literal are left out: they are not what is searched,
    and the note, the question and the answer beside them are as good as ever.
    """
    entities = row.get("Relevant Entities")
    if isinstance(entities, str):
        entities = read_literal(entities)
    names = [str(name) for name in entities] if isinstance(entities, dict) else []
    kind = row.optional_text("Note Type")
    labels = [clean(label).casefold() for label in [kind or "", *names]]
    return tuple(dict.fromkeys(label for label in labels if label))


def _note_id(note: str) -> str:
    """Return the id of a patient note: what is asked of the same note is the same case.

    The published Note ID will not do: templates share theirs, whatever the patient.
    """
    digest = hashlib.sha256(note.encode("utf-8")).hexdigest()[:16]
    return f"{INFO.name}/note-{digest}"


DATASETS = (
    QuestionTables(
        INFO,
        columns=[("Patient Note", "Question", "Ground Truth Answer")],
        place=_place,
        parse=_parse,
    ),
)

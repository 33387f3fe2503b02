"""JMED: diagnosis questions from consultations of a Chinese internet hospital."""

from collections.abc import Iterable

from indexer.datasets.base import DatasetInfo
from indexer.datasets.choices import find_keys, parse_options
from indexer.datasets.literals import read_literal
from indexer.datasets.question_tables import Place, QuestionTables, Table, find_split
from indexer.datasets.raw_row import RawRow
from indexer.records import TextRecord, make_record_id
from indexer.text.normalise import clean

INFO = DatasetInfo(
    name="jmed",
    title="JMED",
    kind="text",
    description=(
        "Multiple-choice diagnosis questions in Chinese, made from anonymised dialogues of doctors "
        "and patients at the JD Health internet hospital; up to 21 options."
    ),
    licence="not stated by the publisher",
    licence_url="https://huggingface.co/datasets/jdh-algo/JMED",
    citation=(
        "Wang G, Gao M, Yang S, et al. Citrus: leveraging expert cognitive pathways in a medical "
        "language model for advanced medical decision support. arXiv:2502.18274, 2025."
    ),
    homepage="https://huggingface.co/datasets/jdh-algo/JMED",
    size="1,000 questions, 1.1 MB",
    languages=("zh",),
    access=(
        "`hf download jdh-algo/JMED --repo-type dataset`. No registration. The data's page states "
        "no licence; the authors' code, https://github.com/jdh-algo/Citrus, is MIT."
    ),
    layout="JMED.jsonl with id, question, options by letter and answer, a list of letters.",
    folders=("jmed", "JMED"),
)


def _place(name: str) -> Place:
    return Place(split=find_split(name, default="test"))


def _parse(table: Table, row: RawRow) -> TextRecord:
    question = clean(row.text("question"))
    if not question:
        raise row.bad("question is missing or empty")
    options = parse_options(row, row.get("options"))
    keys = find_keys(row, options, _letters(row))
    own_id = row.optional_text("id")
    native_id = table.native_id(row, own_id.strip() if own_id else None)
    record_id = make_record_id(INFO.name, table.place.split, native_id)
    return TextRecord(
        record_id=record_id,
        dataset=INFO.name,
        split=table.place.split,
        source_id=native_id,
        source_path=row.path,
        source_line=row.line,
        case_id=record_id,
        language="zh",
        licence=INFO.licence,
        question=question,
        answer="；".join(option.text for option in options if option.key in keys),
        options=options,
        answer_keys=keys,
    )


def _letters(row: RawRow) -> Iterable[object]:
    """Return the letters of the answer, also where the list was written out as text."""
    value = row.get("answer")
    if isinstance(value, str):
        literal = read_literal(value)
        value = literal if isinstance(literal, list) else value.replace("，", ",").split(",")
    if not isinstance(value, list):
        raise row.bad("answer is no list of letters")
    return value


DATASETS = (
    QuestionTables(
        INFO, columns=[("id", "question", "options", "answer")], place=_place, parse=_parse
    ),
)

"""AI Medical Chatbot: questions of patients to doctors on the web, with the doctors' answers."""

import re
from pathlib import PurePosixPath

from indexer.datasets.base import DatasetInfo
from indexer.datasets.question_tables import Place, QuestionTables, Table, find_split
from indexer.datasets.raw_row import RawRow
from indexer.records import TextRecord, make_record_id
from indexer.text.normalise import clean, drop_arrows

INFO = DatasetInfo(
    name="ai_medical_chatbot",
    title="AI Medical Chatbot",
    kind="text",
    description=(
        "Dialogues of patients and doctors from public consultation sites: a one-line description, "
        "the patient's message, the doctor's reply. Not reviewed medically."
    ),
    licence="not stated by the publisher",
    licence_url="https://huggingface.co/datasets/ruslanmv/ai-medical-chatbot",
    citation=(
        "Magana Vsevolodovna R. ai-medical-chatbot: medical dialogue dataset. Hugging Face, 2024. "
        "https://huggingface.co/datasets/ruslanmv/ai-medical-chatbot"
    ),
    homepage="https://github.com/ruslanmv/ai-medical-chatbot",
    size="256,916 dialogues, 142 MB as parquet",
    languages=("en",),
    access=(
        "`hf download ruslanmv/ai-medical-chatbot dialogues.parquet --repo-type dataset`. "
        "No registration."
    ),
    layout=(
        "dialogues.parquet, or comma- or tab-separated text, with the columns Description, Patient "
        "and Doctor."
    ),
    folders=("ai_medical_chatbot", "ai-medical-chatbot"),
)

_QUESTION_MARK = re.compile(r"^Q\s*[.:]\s*", re.IGNORECASE)


def _place(name: str) -> Place:
    variant = PurePosixPath(name).stem
    split = find_split(name, default="train")
    # Hub copies say in their names no more than the split.
    return Place(split=split, variant="" if variant.startswith((split, "0")) else variant)


def _parse(table: Table, row: RawRow) -> TextRecord:
    description = _QUESTION_MARK.sub("", _text(row, "Description"))
    message = _text(row, "Patient")
    answer = _text(row, "Doctor")
    if not answer:
        raise row.bad("Doctor is missing or empty")
    if not description and not message:
        raise row.bad("Description and Patient are missing or empty")
    native_id = table.native_id(row)
    record_id = make_record_id(INFO.name, table.place.split, native_id)
    return TextRecord(
        record_id=record_id,
        dataset=INFO.name,
        split=table.place.split,
        source_id=native_id,
        source_path=row.path,
        source_line=row.line,
        case_id=record_id,
        licence=INFO.licence,
        question=description or message,
        context=message if description and message else None,
        answer=answer,
    )


def _text(row: RawRow, column: str) -> str:
    return drop_arrows(clean(row.optional_text(column) or ""))


DATASETS = (
    QuestionTables(
        INFO, columns=[("Description", "Patient", "Doctor")], place=_place, parse=_parse
    ),
)

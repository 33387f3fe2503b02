"""MedQA: board examination questions of the United States, mainland China and Taiwan."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from indexer.datasets.base import DatasetInfo
from indexer.datasets.choices import find_keys, parse_options
from indexer.datasets.question_tables import Place, QuestionTables, Table, find_split
from indexer.datasets.raw_row import RawRow
from indexer.records import Language, Option, TextRecord, make_record_id
from indexer.text.normalise import clean, detect_language

INFO = DatasetInfo(
    name="medqa",
    title="MedQA",
    kind="text",
    description=(
        "Multiple-choice questions from medical board examinations: USMLE (English), mainland "
        "China (simplified Chinese) and Taiwan (traditional Chinese, with machine translations)."
    ),
    licence="MIT",
    licence_url="https://github.com/jind11/MedQA/blob/master/LICENSE",
    citation=(
        "Jin D, Pan E, Oufattole N, Weng W-H, Fang H, Szolovits P. What disease does this patient "
        "have? A large-scale open domain question answering dataset from medical exams. Applied "
        "Sciences 2021;11(14):6421. arXiv:2009.13081."
    ),
    homepage="https://github.com/jind11/MedQA",
    size="12,723 questions US, 34,251 mainland China, 14,123 Taiwan",
    languages=("en", "zh"),
    access=(
        "Follow the Google Drive link in the README of the homepage, unpack the archive and put "
        "data_clean/ here; or take the US questions with 4 options with `hf download "
        "GBaker/MedQA-USMLE-4-options --repo-type dataset`. No registration."
    ),
    layout=(
        "data_clean/questions/{US,Mainland,Taiwan}/{train,dev,test}.jsonl with any of the "
        "4_options/ and tw_translated_jsonl/ folders, or phrases_no_exclude_{train,test}.jsonl, "
        "or parquet copies of the hub."
    ),
    folders=("medqa", "MedQA", "data_clean", "MedQA-USMLE-4-options"),
)

Region = Literal["us", "mainland", "taiwan"]
_REGIONS: dict[str, Region] = {
    "us": "us", "en": "us", "usmle": "us", "phrases": "us",
    "mainland": "mainland", "zh": "mainland", "chinese": "mainland",
    "taiwan": "taiwan", "tw": "taiwan", "taiwanese": "taiwan",
}  # fmt: skip
_LANGUAGES: dict[Region, Language] = {"us": "en", "mainland": "zh", "taiwan": "zh"}
_WORDS = re.compile(r"[a-z]+|\d+")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class _Edition:
    """What a table's path tells: whose questions, how many options, into what translated."""

    region: Region | None
    four_options: bool
    translated: Language | None
    all_splits: bool

    @property
    def variant(self) -> str:
        """The edition as ids name it: `us`, `us-4-options`, `taiwan-en`, `hub` ..."""
        parts = [self.region or "hub", self.translated or "", "4-options" * self.four_options]
        return "-".join(part for part in parts if part)


@lru_cache(maxsize=256)
def _edition_of(name: str) -> _Edition:
    """Read the edition from a table's path, its folders as well as its file name."""
    words = _WORDS.findall(name.rsplit(".", 1)[0].lower())
    regions = [_REGIONS[word] for word in words if word in _REGIONS]
    region = "taiwan" if "taiwan" in regions else next(iter(regions), None)
    translated: Language | None = None
    if region == "taiwan":
        targets = {"en", "zh"} & set(words)
        translated = "en" if "en" in targets else "zh" if "zh" in targets else None
    return _Edition(
        region=region,
        four_options="4" in words or "phrases" in words,
        translated=translated,
        all_splits="qbank" in words or "all" in words,
    )


def _place(name: str) -> Place:
    """Read originals before their editions with fewer options, translations and whole banks."""
    edition = _edition_of(name)
    rank = 2 if edition.all_splits else 1 if edition.four_options or edition.translated else 0
    split = "all" if edition.all_splits else find_split(name, default="all")
    return Place(split=split, variant=edition.variant, rank=rank)


def _parse(table: Table, row: RawRow) -> TextRecord:
    edition = _edition_of(table.name)
    row = _unwrap(row)
    question = clean(row.text("question"))
    if not question:
        raise row.bad("question is missing or empty")
    options = parse_options(row, row.get("options", "choices"))
    keys, answer = _answer(row, options)
    native_id = table.native_id(row, row.optional_text("id"))
    record_id = make_record_id(INFO.name, table.place.split, native_id)
    words = " ".join([question, *(option.text for option in options)])
    category = row.optional_text("meta_info", "subject_name")
    return TextRecord(
        record_id=record_id,
        dataset=INFO.name,
        split=table.place.split,
        source_id=native_id,
        source_path=row.path,
        source_line=row.line,
        case_id=_original_id(table, edition, row) or record_id,
        language=_language(edition) or detect_language(words),
        labels=_labels(edition),
        licence=INFO.licence,
        question=question,
        answer=answer,
        options=options,
        answer_keys=keys,
        category=clean(category) if category else None,
    )


def _unwrap(row: RawRow) -> RawRow:
    """Return the row under the original column names, whichever copy of the hub it is from.

    openlifescienceai/medqa puts everything into one struct; GBaker/MedQA-USMLE-4-options-hf
    names the options ending0 to ending3 and the answer by its number.
    """
    inner = row.get("data")
    if isinstance(inner, Mapping):
        return replace(row, values={"id": row.get("id"), "subject_name": row.get("subject_name")}
                       | dict(inner))  # fmt: skip
    if row.get("ending0") is None:
        return row
    endings = [row.get(f"ending{number}") for number in range(len(_LETTERS))]
    label = row.get("label")
    stem = [row.optional_text("sent1") or "", row.optional_text("sent2") or ""]
    return replace(
        row,
        values={
            "id": row.get("id"),
            "question": " ".join(part for part in stem if part),
            "options": dict(zip(_LETTERS, endings, strict=True)),
            "answer_idx": _LETTERS[label] if isinstance(label, int) and 0 <= label < 26 else None,
        },
    )


def _answer(row: RawRow, options: tuple[Option, ...]) -> tuple[tuple[str, ...], str]:
    """Return the letter and the text of the right option; either may be missing in a copy.

    Raises
    ------
    BadRecordError
        Neither tells which option is right, or they tell different ones.
    """
    value = row.get("answer", "correct answer")
    stated = value[0] if isinstance(value, list) and len(value) == 1 else value
    text = clean(str(stated)) if stated is not None else ""
    letter = row.optional_text("answer_idx", "correct option")
    if letter is None:
        same = [option.key for option in options if option.text == text]
        letter = same[0] if same else text
    keys = find_keys(row, options, [letter])
    chosen = next(option.text for option in options if option.key == keys[0])
    if text and text.upper() != keys[0] and _fold(text) != _fold(chosen):
        raise row.bad(f"answer_idx names option {keys[0]}, the answer is another text")
    return keys, chosen


def _fold(text: str) -> str:
    return "".join(text.casefold().split())


def _language(edition: _Edition) -> Language | None:
    return edition.translated or (_LANGUAGES[edition.region] if edition.region else None)


def _labels(edition: _Edition) -> tuple[str, ...]:
    labels = (edition.region or "", "translated" if edition.translated else "")
    return tuple(label for label in labels if label)


def _original_id(table: Table, edition: _Edition, row: RawRow) -> str | None:
    """Return the id of the question that a translation renders: the same row of its original."""
    if edition.translated is None:
        return None
    return make_record_id(INFO.name, table.place.split, f"{edition.region}:{row.index + 1}")


DATASETS = (
    QuestionTables(
        INFO,
        columns=[
            ("question", "options"),
            ("question", "choices", "answer"),
            ("data", "subject_name"),
            ("sent1", "ending0", "label"),
        ],
        place=_place,
        parse=_parse,
    ),
)

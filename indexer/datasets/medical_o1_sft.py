"""medical-o1-reasoning-SFT: medical questions with worked reasoning, in English and Chinese."""

import re

from indexer.datasets.base import DatasetInfo
from indexer.datasets.question_tables import Place, QuestionTables, Table, find_split
from indexer.datasets.raw_row import RawRow
from indexer.records import TextRecord, make_record_id
from indexer.text.normalise import clean, detect_language, split_thoughts

INFO = DatasetInfo(
    name="medical_o1_sft",
    title="medical-o1-reasoning-SFT",
    kind="text",
    description=(
        "Questions, each with a chain of thought and an answer written by GPT-4o and checked by a "
        "medical verifier, for training HuatuoGPT-o1; the mix files add general instructions."
    ),
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    citation=(
        "Chen J, Cai Z, Ji K, Wang X, Liu W, Wang R, Hou J, Wang B. HuatuoGPT-o1, towards medical "
        "complex reasoning with LLMs. arXiv:2412.18925, 2024."
    ),
    homepage="https://huggingface.co/datasets/FreedomIntelligence/medical-o1-reasoning-SFT",
    size="19,704 questions English, 20,171 Chinese; with general ones 24,887 and 25,358",
    languages=("en", "zh"),
    access=(
        "`hf download FreedomIntelligence/medical-o1-reasoning-SFT --repo-type dataset`. "
        "No registration."
    ),
    layout=(
        "Any of medical_o1_sft.json, medical_o1_sft_Chinese.json, medical_o1_sft_mix.json, "
        "medical_o1_sft_mix_Chinese.json: a list of {Question, Complex_CoT, Response}; or parquet "
        "copies of the hub."
    ),
    folders=("medical_o1_sft", "medical-o1-reasoning-SFT"),
)

_WORDS = re.compile(r"[a-z]+")


def _place(name: str) -> Place:
    """Read the purely medical files before the mixed ones, which repeat them."""
    words = _WORDS.findall(name.rsplit(".", 1)[0].lower())
    mixed = "mix" in words
    language = "zh" if {"chinese", "zh", "cn"} & set(words) else "en"
    variant = f"{language}-mix" if mixed else language
    return Place(split=find_split(name, default="train"), variant=variant, rank=int(mixed))


def _parse(table: Table, row: RawRow) -> TextRecord:
    question = clean(row.text("Question"))
    thoughts, answer = split_thoughts(row.optional_text("Response") or "")
    own_thoughts, rest = split_thoughts(row.optional_text("Complex_CoT") or "")
    # Thoughts published without tags are all `rest`; with tags, what follows them may be the
    # answer that `Response` lacks.
    if own_thoughts and not answer:
        answer, rest = rest, ""
    if not question or not answer:
        raise row.bad(f"{'Response' if question else 'Question'} is missing or empty")
    reasoning = [own_thoughts, rest, thoughts]
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
        language=detect_language(question),
        labels=("mix",) if table.place.rank else (),
        licence=INFO.licence,
        question=question,
        answer=answer,
        reasoning="\n\n".join(part for part in reasoning if part) or None,
    )


DATASETS = (QuestionTables(INFO, columns=[("Question", "Response")], place=_place, parse=_parse),)

"""Records: the indexable units that every dataset's files become.

A loader yields, for every row or file that it meets, exactly one of: an `ImageRecord`, a
`TextRecord`, or a `Reject`. Nothing else leaves a dataset, so counts can be reconciled.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["en", "zh"]
Sex: TypeAlias = Literal["F", "M", "O"]
RejectKind: TypeAlias = Literal[
    "bad_row", "missing_file", "undecodable", "not_an_image", "bad_reference", "burned_in"
]

_UNSAFE = re.compile(r"[^0-9A-Za-z._:@=+-]+")


def make_record_id(dataset: str, split: str, native_id: str) -> str:
    """Return the stable id `dataset/split/native_id`, with unsafe characters of the parts as `-`.

    Native ids may hold slashes (a path); they become `:` so that an id has exactly three parts.
    """
    parts = (dataset, split, native_id.strip("/").replace("/", ":"))
    return "/".join(_UNSAFE.sub("-", part.strip()) or "-" for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """Where the pixels of one image lie, relative to the dataset's root.

    `path` is POSIX. `frame` counts frames from 0 in multi-frame files. `row` is the row of a
    parquet file or the member of an .npz archive that holds the image; None for a file of its own.
    """

    path: str
    frame: int = 0
    row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What every record has: identity, origin, licence.

    `record_id` is `dataset/split/native_id`, stable for ever. `source_path` (relative to the
    dataset's root) and `source_line` (from 1) say where it was read; they are never served.
    `case_id` is the unit of "similar cases": patient for DICOM, study for MURA, article or image
    for ROCOv2, patient note for MedCalc-Bench, otherwise the record itself.
    """

    record_id: str
    dataset: str
    split: str
    source_id: str
    source_path: str
    source_line: int | None = None
    case_id: str
    language: Language = "en"
    labels: tuple[str, ...] = ()
    licence: str
    attribution: str | None = None
    synthetic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord(Record):
    """One image, or one slice of a series, with what is known about it.

    `concepts` are UMLS CUIs. `slice_number` is DICOM's Instance Number (0020,0013). Patient, study
    and series ids are pseudonyms, never the original ones, unless their publisher made them up
    (MURA). `article_id` names the article that the image was published in, a PMC id, and `year`
    tells when; days and years of scans are nowhere kept. None means "not stated", never "no".
    """

    image: ImageRef
    caption: str | None = None
    concepts: tuple[str, ...] = ()
    modality: str | None = None
    body_part: str | None = None
    patient_id: str | None = None
    study_id: str | None = None
    series_id: str | None = None
    article_id: str | None = None
    year: int | None = None
    slice_number: int | None = None
    age_years: float | None = None
    sex: Sex | None = None
    contrast: bool | None = None
    abnormal: bool | None = None

    def content_key(self, image_sha256: str) -> str:
        """Return the key under which equal images with equal words collapse (hex, 32 digits)."""
        return _digest(
            image_sha256, str(self.image.frame), self.caption or "", *self.labels, *self.concepts
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One answer option of a multiple-choice question: its letter and its text."""

    key: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRecord(Record):
    """One question with its answer.

    `context` is the patient note that a question is about, `reasoning` the worked explanation.
    `answer_lower` and `answer_upper` are MedCalc-Bench's tolerance limits, as written there
    (numbers, dates or durations).
    """

    question: str
    answer: str
    context: str | None = None
    options: tuple[Option, ...] = ()
    answer_keys: tuple[str, ...] = ()
    reasoning: str | None = None
    calculator: str | None = None
    category: str | None = None
    answer_lower: str | None = None
    answer_upper: str | None = None

    def content_key(self) -> str:
        """Return the key under which equal questions with equal answers collapse (hex, 32 digits).

        Options are left out on purpose: MedQA publishes the same questions with 5 and 4 options.
        """
        return _digest(_fold(self.question), _fold(self.context or ""), _fold(self.answer))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """One row or file that could not become a record; `path` relative to the dataset's root.

    `of_scan` says that `path` is a scan's own file, which may be named after a patient: in an
    index a pseudonym stands for it.
    """

    path: str
    line: int | None
    reason: str
    kind: RejectKind = "bad_row"
    of_scan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file that a build was made from; `path` is POSIX, relative to the dataset's root."""

    path: str
    size_bytes: int
    sha256: str


AnyRecord: TypeAlias = ImageRecord | TextRecord
Row: TypeAlias = ImageRecord | TextRecord | Reject


def record_fields(record_type: type[Record]) -> tuple[str, ...]:
    """Return the field names of a record type in their order of definition."""
    return tuple(field.name for field in fields(record_type))


def _fold(text: str) -> str:
    """Fold case, width and white space, so that trivially different copies compare equal."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _digest(*parts: str) -> str:
    """Hash parts unambiguously: each is preceded by its length."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big"))
        digest.update(raw)
    return digest.hexdigest()[:32]

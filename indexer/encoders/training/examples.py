"""Images with their words, one at a time, whatever they come from."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.errors import BadRecordError, DatasetNotFoundError, DecodeError
from indexer.records import ImageRecord

Pixels: TypeAlias = npt.NDArray[np.uint8]

# A text whose first sentence is a question: questions and answers by turns.
_ASKS = re.compile(r"[^.?]*\?")
# Labels that name a collection or repeat the questioner's words, not what the image shows.
_SOURCES_WITHOUT_FINDINGS = frozenset({"dicom_tcia"})
# Questions and answers so terse that only the caption made from them makes sense.
_SOURCES_WITHOUT_DETAILS = frozenset({"vqa_rad"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One image and its words. `read` decodes it on demand: uint8 (H, W) or (H, W, 3).

    `case` is what must not be split between training and validation. `details` are further
    texts of the same image. `origin` says where it was read, for messages.
    """

    source: str
    case: str
    caption: str | None
    details: tuple[str, ...]
    modality: str | None
    body_part: str | None
    labels: tuple[str, ...]
    licence: str
    origin: str
    read: Callable[[], Pixels]


def pool_examples(folder: Path) -> Iterator[Example]:
    """Yield the examples of a folder in the pool's layout: `pool.jsonl` beside its images.

    Rows hold `file` (relative to the folder), `text`, `source`, `licence` and, where known,
    `text_long`, `modality`, `body_part`, `labels`, `group` or `patient_id`.

    Raises
    ------
    DatasetNotFoundError
        There is no `pool.jsonl`.
    BadRecordError
        A row is not JSON or lacks what an example needs.
    """
    listing = folder / "pool.jsonl"
    if not listing.is_file():
        raise DatasetNotFoundError(
            f"{listing}: no such file.",
            remedy="Give a folder that holds pool.jsonl and the images that it names.",
        )
    with listing.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                example = _pool_example(folder, json.loads(line), number)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BadRecordError(listing.name, number, f"{error!r}") from error
            yield example


def record_examples(
    records: Iterable[ImageRecord], decode: Callable[[ImageRecord], Pixels]
) -> Iterator[Example]:
    """Yield the examples of any dataset's image records; `decode` reads a record's raster."""
    for record in records:
        yield Example(
            source=record.dataset,
            case=record.case_id,
            caption=record.caption,
            details=(),
            modality=record.modality,
            body_part=record.body_part,
            labels=record.labels,
            licence=record.licence,
            origin=record.record_id,
            read=lambda record=record: decode(record),  # type: ignore[misc]
        )


def read_answers(questions_and_answers: str) -> str | None:
    """Keep the telling answers of "question? answer. question? answer." rows, once each.

    Bare yes and no say nothing without their question. None if no answer is left.
    """
    answers = (part.split("?")[-1].strip(" .") for part in questions_and_answers.split(". "))
    telling = dict.fromkeys(answer for answer in answers if answer not in ("", "yes", "no"))
    return ", ".join(telling) or None


def _pool_example(folder: Path, row: dict[str, Any], number: int) -> Example:
    source = str(row["source"])
    long_text = row.get("text_long")
    details = read_answers(long_text) if long_text and _ASKS.match(long_text) else long_text
    path = folder / row["file"]
    return Example(
        source=source,
        case=str(row.get("group") or row.get("patient_id") or row["file"]),
        caption=row["text"],
        details=(details,) if details and source not in _SOURCES_WITHOUT_DETAILS else (),
        modality=row.get("modality"),
        body_part=row.get("body_part"),
        labels=() if source in _SOURCES_WITHOUT_FINDINGS else tuple(row.get("labels") or ()),
        licence=row["licence"],
        origin=f"pool.jsonl:{number}",
        read=lambda: read_grey(path),
    )


def read_grey(path: Path) -> Pixels:
    """Decode an 8-bit image file of a trusted pool to uint8 (H, W).

    Raises
    ------
    DecodeError
        The file is missing or not a readable image.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DecodeError(f"{path.name}: not a readable image ({error}).") from error

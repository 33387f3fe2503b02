"""Your own images with words: a table of rows beside a folder of images."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from indexer.datasets.base import DatasetInfo, not_found, parse_rows
from indexer.datasets.instances import read_instance
from indexer.datasets.rows import RawRow, read_rows
from indexer.datasets.tree import is_nameable
from indexer.pixels.pseudonyms import Pseudonymiser
from indexer.pixels.sniff import sniff_format
from indexer.records import ImageRecord, ImageRef, Reject, Row, Sex, make_record_id
from indexer.text.normalise import detect_language

INFO = DatasetInfo(
    name="own_images",
    title="Your own images",
    kind="image",
    description=(
        "Any images of yours with a table that says what each shows: for searching them, for "
        "evaluating an encoder on held-out images, for aligning an image tower."
    ),
    licence="yours; a row's `licence` column says otherwise",
    licence_url="https://spdx.org/licenses/",
    citation="Your own.",
    homepage="https://jsonlines.org/",
    size="any",
    languages=("en", "zh"),
    access="Write one JSON object per image into records.jsonl beside the images.",
    layout=(
        "records.jsonl (or pool.jsonl, records.csv) with `file` (path of the image, relative to "
        "the table) and, where known, `text`, `modality`, `body_part`, `labels`, `patient_id` "
        "or `group`, `article_id`, `year` (of publication), `age`, `sex`, `split`, `source`, "
        "`licence`. Patient ids are replaced by pseudonyms. A file's path is its record's id: let "
        "it name no patient."
    ),
    folders=("own_images", "pool"),
)

_SNIFFED_BYTES = 256
_TABLES = ("records.jsonl", "pool.jsonl", "records.csv")
_YEAR = re.compile(r"([12][0-9]{3})(?:\.0)?")  # a column with gaps may hold 2021.0
_SEXES: dict[str, Sex] = {"f": "F", "female": "F", "m": "M", "male": "M", "o": "O", "other": "O"}


class OwnImages:
    """The reader of a table of images."""

    info = INFO

    def detect(self, root: Path) -> str | None:
        """Return the name of the table found in `root`, or None."""
        return next((name for name in _TABLES if (root / name).is_file()), None)

    def iter_rows(self, root: Path) -> Iterator[Row]:
        """Yield one record or reject for each row of the table, in its order."""
        table = self.detect(root)
        if table is None:
            raise not_found(INFO, root)
        pseudonyms = Pseudonymiser.from_environment()
        return parse_rows(read_rows(root, root / table), lambda row: _parse(root, row, pseudonyms))


def _parse(root: Path, row: RawRow, pseudonyms: Pseudonymiser) -> ImageRecord | Reject:
    """Return the record of one row; a DICOM file is refused as those of other datasets are.

    Raises
    ------
    BadRecordError
        `file` is missing or leads out of the folder, or a value is of the wrong kind.
    """
    file = row.text("file").replace("\\", "/")
    if file.startswith("/") or ".." in file.split("/") or not is_nameable(file):
        raise row.bad("`file` must be a path below the table's folder")
    if not (root / file).is_file():
        return Reject(
            path=row.path, line=row.line, kind="missing_file", reason=f"there is no image {file!r}"
        )
    if _is_dicom(root / file):
        header = read_instance(root / file, file)
        if isinstance(header, Reject):
            return replace(header, line=row.line)
    split = row.optional_text("split") or "all"
    record_id = make_record_id(INFO.name, split, file)
    caption = row.optional_text("text", "caption")
    # Two sources may use the same numbers for different patients.
    source = row.optional_text("source") or split
    group, patient = row.optional_text("group"), row.optional_text("patient_id")
    if patient:
        patient = pseudonyms.pseudonym("patient", f"{source}:{patient}")
    return ImageRecord(
        record_id=record_id,
        dataset=INFO.name,
        split=split,
        source_id=file,
        source_path=row.path,
        source_line=row.line,
        case_id=patient or (f"{source}:{group}" if group else record_id),
        licence=row.optional_text("licence") or INFO.licence,
        attribution=row.optional_text("attribution", "dataset"),
        labels=_labels(row),
        image=ImageRef(path=file),
        caption=caption,
        language=detect_language(caption or ""),
        modality=row.optional_text("modality"),
        body_part=row.optional_text("body_part"),
        patient_id=patient,
        article_id=row.optional_text("article_id"),
        year=_year(row),
        age_years=_age(row),
        sex=_SEXES.get((row.optional_text("sex") or "").strip().lower()),
    )


def _is_dicom(file: Path) -> bool:
    with file.open("rb") as stream:
        return sniff_format(stream.read(_SNIFFED_BYTES)) == "dicom"


def _labels(row: RawRow) -> tuple[str, ...]:
    """Return the labels, given as a list or as text parted by `;`."""
    value = row.get("labels")
    if isinstance(value, list):
        return tuple(str(label) for label in value if label)
    text = row.optional_text("labels") or ""
    return tuple(label.strip() for label in text.split(";") if label.strip())


def _age(row: RawRow) -> float | None:
    """Return the age in years; what is no number is no age."""
    try:
        return float(row.optional_text("age") or "")
    except ValueError:
        return None


def _year(row: RawRow) -> int | None:
    """Return the year of publication; what is no year of four digits is none."""
    year = _YEAR.fullmatch(row.optional_text("year") or "")
    return int(year[1]) if year else None


DATASETS = (OwnImages(),)

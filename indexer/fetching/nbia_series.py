"""One series as the NBIA REST service lists it, and where NBIA's own retriever would put it."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.errors import SourceFailedError

METADATA_COLUMNS = (
    "Series UID", "Collection", "3rd Party Analysis", "Data Description URI", "Subject ID",
    "Study UID", "Study Description", "Study Date", "Series Description", "Manufacturer",
    "Modality", "SOP Class Name", "SOP Class UID", "Number of Images", "File Size",
    "File Location", "Download Timestamp",
)  # fmt: skip
"""The header of the metadata.csv that the NBIA Data Retriever writes."""

# PS3.5 section 9.1: digits and dots, 64 characters at most.
_UID = re.compile(r"[0-9][0-9.]{0,63}")
_DATE = re.compile(r"(?P<year>\d{4})-?(?P<month>\d{2})-?(?P<day>\d{2})")
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')
_LONGEST_NAME = 100
_TAIL = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series on offer; `size_bytes` is None where the listing does not tell it."""

    uid: str
    study_uid: str
    patient_id: str
    collection: str
    modality: str
    number: str
    study_date: str
    study_description: str
    description: str
    manufacturer: str
    description_uri: str
    third_party: str
    images: int | None
    size_bytes: int | None

    @property
    def folder(self) -> str:
        """Return its folder, named as the retriever does: PATIENT/STUDY/SERIES."""
        study = f"{self.study_date or 'NA'}-NA-{self.study_description or 'NA'}"
        series = f"{_as_decimal(self.number)}-{self.description or 'NA'}"
        return "/".join(
            (
                clean_name(self.collection),
                clean_name(self.patient_id),
                f"{clean_name(study)}-{self.study_uid[-_TAIL:]}",
                f"{clean_name(series)}-{self.uid[-_TAIL:]}",
            )
        )


def parse_series(row: Mapping[str, Any]) -> Series:
    """Read one row of `getSeries`, of version 1 or 4 of the service.

    Raises
    ------
    SourceFailedError
        It lacks what identifies a series.
    """
    uid, study_uid = _text(row, "SeriesInstanceUID"), _text(row, "StudyInstanceUID")
    if not _UID.fullmatch(uid) or not _UID.fullmatch(study_uid):
        raise SourceFailedError(
            "The service lists a series without valid identifiers.",
            remedy="Check that --base-url is that of an NBIA service.",
        )
    return Series(
        uid=uid,
        study_uid=study_uid,
        patient_id=_text(row, "PatientID"),
        collection=_text(row, "Collection"),
        modality=_text(row, "Modality"),
        number=_text(row, "SeriesNumber"),
        study_date=_american_date(_text(row, "StudyDate") or _text(row, "SeriesDate")),
        study_description=_text(row, "StudyDesc", "StudyDescription"),
        description=_text(row, "SeriesDescription"),
        manufacturer=_text(row, "Manufacturer"),
        description_uri=_text(row, "DataDescriptionURI"),
        third_party=_text(row, "ThirdPartyAnalysis"),
        images=parse_count(row.get("ImageCount")),
        size_bytes=parse_count(row.get("FileSize")),
    )


def choose_series(offered: Sequence[Series], limit: int | None) -> list[Series]:
    """Return the first `limit` series, all patients' largest before any patient's second.

    So a few series show many patients, localisers come last, and a larger limit always contains
    a smaller one.
    """
    taken: Counter[str] = Counter()
    ranked = []
    for series in sorted(offered, key=lambda one: (-(one.images or 0), one.uid)):
        ranked.append((taken[series.patient_id], series.patient_id, series.uid, series))
        taken[series.patient_id] += 1
    return [series for *_, series in sorted(ranked, key=lambda entry: entry[:3])][:limit]


def place_series(offered: Iterable[Series]) -> dict[str, str]:
    """Return the folder of each series by its UID; two of the same name are told apart by UID."""
    every = list(offered)
    names = Counter(series.folder.casefold() for series in every)
    return {
        series.uid: series.folder
        if names[series.folder.casefold()] == 1
        else f"{series.folder}-{series.uid}"
        for series in every
    }


def write_metadata(listed: Iterable[tuple[Series, str]], fetched_at: str) -> bytes:
    """Return metadata.csv of the series with their folders, in the retriever's columns."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(METADATA_COLUMNS)
    for series, folder in sorted(listed, key=lambda entry: entry[1]):
        size = "" if series.size_bytes is None else f"{series.size_bytes / 1e6:.2f} MB"
        writer.writerow(
            (series.uid, series.collection, series.third_party, series.description_uri,
             series.patient_id, series.study_uid, series.study_description, series.study_date,
             series.description, series.manufacturer, series.modality, "", "",
             "" if series.images is None else series.images, size, f"./{folder}", fetched_at)
        )  # fmt: skip
    return buffer.getvalue().encode()


def clean_name(text: str) -> str:
    """Return a text as one part of a path on any system: no separators, no hidden or empty name."""
    name = _NOT_IN_NAMES.sub("_", " ".join(text.split()))[:_LONGEST_NAME].strip(". ")
    return name or "NA"


def parse_count(value: object) -> int | None:
    """Read a number of the service, which writes `5`, `"5"` or `"5.000000"`, or None."""
    try:
        number = float(str(value))
    except ValueError:
        return None
    return int(number) if 0 <= number < float("inf") else None


def _text(row: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = row.get(name)
        if value is not None and str(value).strip():
            words = " ".join(str(value).split())
            return "".join(letter for letter in words if letter.isprintable())
    return ""


def _american_date(text: str) -> str:
    match = _DATE.match(text)
    return f"{match['month']}-{match['day']}-{match['year']}" if match else ""


def _as_decimal(number: str) -> str:
    count = parse_count(number)
    return "NA" if count is None else f"{count}.000000"

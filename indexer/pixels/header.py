"""Reads what may be known of a DICOM instance without its pixels, from an allow-list of tags."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from indexer.errors import DecodeError, NotAnImageError
from indexer.pixels.attributes import Attributes
from indexer.pixels.byte_source import ByteSource, FileBytes
from indexer.pixels.elements import open_body
from indexer.pixels.limits import BUILD_LIMITS, DecodeLimits
from indexer.pixels.tags import HeaderTag
from indexer.pixels.terms import (
    ANATOMY,
    MODALITIES,
    NON_IMAGE_MODALITIES,
    NON_IMAGE_SOP_CLASSES,
)
from indexer.records import Sex

ALLOWED_TAGS: Final = frozenset(HeaderTag)
MAX_TEXT_CHARACTERS: Final = 1024
OLDEST_STATED_AGE: Final = 90.0
_YEARS_PER_UNIT: Final = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_OFTEN_BURNED_IN: Final = (
    "1.2.840.10008.5.1.4.1.1.7",  # secondary capture
    "1.2.840.10008.5.1.4.1.1.6",  # ultrasound
    "1.2.840.10008.5.1.4.1.1.3",  # ultrasound, multi-frame
)
_SEXES: Final[Mapping[str, Sex]] = {"F": "F", "M": "M", "O": "O"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomHeader:
    """What is known about an image instance. None means "not stated".

    The identifiers (`patient_id` and the three UIDs) are the original ones, for the caller to
    pseudonymise; they are left out of `repr`, so that no log line shows them. `age_years` is 90
    for everybody older than 89 (45 CFR 164.514(b)(2)(i)(C)). `contrast` is True where an agent is
    named, else None. `body_part` holds words of PS3.16 annex L only.
    """

    transfer_syntax_uid: str
    sop_class_uid: str
    modality: str | None
    rows: int
    columns: int
    frames: int
    patient_id: str | None = field(repr=False)
    study_uid: str | None = field(repr=False)
    series_uid: str | None = field(repr=False)
    instance_uid: str | None = field(repr=False)
    instance_number: int | None
    image_type: tuple[str, ...]
    body_part: str | None
    age_years: float | None
    sex: Sex | None
    contrast: bool | None
    burned_in: bool | None

    @property
    def may_show_identity(self) -> bool:
        """Whether names may be burned into the pixels: said so, or likely and not denied.

        Secondary captures and ultrasound often carry a patient's name in the picture.
        """
        if self.burned_in is not None:
            return self.burned_in
        return self.modality == "US" or _is_below(self.sop_class_uid, _OFTEN_BURNED_IN)

    @property
    def is_localizer(self) -> bool:
        """Whether this is a scout view on which a series was planned (Image Type, value 3)."""
        return "LOCALIZER" in self.image_type


def read_header(source: Path | bytes, limits: DecodeLimits = BUILD_LIMITS) -> DicomHeader:
    """Return the allow-listed header of a DICOM file; its pixels are neither read nor checked.

    Works without preamble or file meta group, and reads no further than group 0028.

    Raises
    ------
    NotAnImageError
        A DICOM object without an image of its own: SR, SEG, RTSTRUCT, a waveform ...
    DecodeError
        Not a DICOM file, or a damaged one.
    """
    if isinstance(source, bytes):
        return _parse(source, limits)
    try:
        if not source.is_file():
            raise DecodeError(f"{source.name}: there is no such file.")
        with source.open("rb") as stream:
            return _parse(FileBytes(stream.fileno()), limits)
    except OSError as error:
        raise DecodeError(f"{source.name}: cannot be read ({error.strerror}).") from error


def check_is_image(sop_class_uid: str, modality: str | None, rows: int, columns: int) -> None:
    """Refuse objects that show nothing of their own.

    Raises
    ------
    NotAnImageError
        By its SOP class or modality, or because it states no size.
    """
    no_image_class = _is_below(sop_class_uid, NON_IMAGE_SOP_CLASSES)
    if no_image_class or modality in NON_IMAGE_MODALITIES or not rows or not columns:
        kind = modality if modality in MODALITIES else "unknown kind"
        raise NotAnImageError(f"A DICOM object ({kind}) that holds no image of its own.")


def _parse(source: ByteSource, limits: DecodeLimits) -> DicomHeader:
    """Read the allowed elements and make a header of them, dropping what does not parse."""
    body = open_body(source, limits, header_only=True)
    found = Attributes.collect(body, ALLOWED_TAGS, last_tag=max(ALLOWED_TAGS))
    modality = _keep(_read(found, HeaderTag.MODALITY).upper(), MODALITIES.__contains__)
    sop_class_uid = _keep(_read(found, HeaderTag.SOP_CLASS_UID), _is_uid) or ""
    rows, columns = found.short(HeaderTag.ROWS) or 0, found.short(HeaderTag.COLUMNS) or 0
    check_is_image(sop_class_uid, modality, rows, columns)
    return DicomHeader(
        transfer_syntax_uid=body.encoding.transfer_syntax_uid,
        sop_class_uid=sop_class_uid,
        modality=modality,
        rows=rows,
        columns=columns,
        frames=max(1, _parse_integer(_read(found, HeaderTag.FRAMES)) or 1),
        patient_id=_read(found, HeaderTag.PATIENT_ID) or None,
        study_uid=_keep(_read(found, HeaderTag.STUDY_UID), _is_uid),
        series_uid=_keep(_read(found, HeaderTag.SERIES_UID), _is_uid),
        instance_uid=_keep(_read(found, HeaderTag.INSTANCE_UID), _is_uid),
        instance_number=_parse_integer(_read(found, HeaderTag.INSTANCE_NUMBER)),
        image_type=_parse_image_type(_read(found, HeaderTag.IMAGE_TYPE)),
        body_part=_parse_body_part(_read(found, HeaderTag.BODY_PART)),
        age_years=_parse_age(_read(found, HeaderTag.AGE)),
        sex=_SEXES.get(_read(found, HeaderTag.SEX).upper()),
        contrast=True if _names_an_agent(_read(found, HeaderTag.CONTRAST_AGENT)) else None,
        burned_in={"YES": True, "NO": False}.get(_read(found, HeaderTag.BURNED_IN).upper()),
    )


def _read(found: Attributes, tag: int) -> str:
    """Return a short text, or "" where it is missing or cut off."""
    try:
        text = found.text(tag)
    except DecodeError:
        return ""
    return text if len(text) <= MAX_TEXT_CHARACTERS else ""


def _keep(text: str, is_good: Callable[[str], object]) -> str | None:
    """Return the text if it passes, else None."""
    return text if text and is_good(text) else None


def _is_below(uid: str, roots: tuple[str, ...]) -> bool:
    """Tell whether a UID is one of the roots or lies below one."""
    return any(uid == root or uid.startswith(f"{root}.") for root in roots)


def _is_uid(text: str) -> bool:
    """Tell whether a text could serve as a UID: digits and dots, 64 at most (PS3.5 chapter 9)."""
    return re.fullmatch(r"[0-9.]{1,64}", text) is not None


def _parse_integer(text: str) -> int | None:
    """Read an integer string (IS), also where it was written as a decimal; first value only."""
    try:
        number = float(text.split("\\")[0])
    except ValueError:
        return None
    return int(number) if abs(number) < 2**31 and number == int(number) else None


def _parse_image_type(text: str) -> tuple[str, ...]:
    """Return the values of Image Type that are defined terms somewhere in PS3.3, in order."""
    known = {"ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY", "AXIAL", "LOCALIZER", "MIP", "MPR"}
    return tuple(value for value in (part.strip() for part in text.split("\\")) if value in known)


def _parse_body_part(text: str) -> str | None:
    """Return the body part with single spaces, if each of its words is anatomy."""
    words = re.split(r"[^A-Z0-9]+", text.upper())
    words = [word for word in words if word]
    return " ".join(words) if words and all(word in ANATOMY for word in words) else None


def _parse_age(text: str) -> float | None:
    """Read an age string (AS: three digits and a unit, PS3.5 6.2), also with the unit left out."""
    match = re.fullmatch(r"\s*(\d{1,3})\s*([YMWD]?)\s*", text.upper())
    if match is None:
        return None
    years = int(match[1]) * _YEARS_PER_UNIT[match[2] or "Y"]
    return min(round(years, 2), OLDEST_STATED_AGE)


def _names_an_agent(text: str) -> bool:
    """Tell whether a contrast agent is named: the field also holds "NONE" and the like."""
    return text.strip().upper() not in {"", "NO", "NONE", "N", "0", "W/O", "WITHOUT", "NO CONTRAST"}

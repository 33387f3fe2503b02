"""What a PACS says it holds, by its original identifiers, which stay inside the mirror."""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StudyRef:
    """One study: its UID, its date as YYYYMMDD, its number of instances; None if not stated."""

    study_uid: str = field(repr=False)
    date: str | None
    instances: int | None


@dataclass(frozen=True, slots=True)
class InstanceRef:
    """One instance by its three UIDs; `study_date` as YYYYMMDD, None if not stated."""

    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    instance_uid: str = field(repr=False)
    study_date: str | None = field(default=None, repr=False)


def is_uid(text: object) -> bool:
    """Tell whether a text could serve as a UID: digits and dots, 64 at most (PS3.5 chapter 9)."""
    return isinstance(text, str) and re.fullmatch(r"[0-9.]{1,64}", text) is not None


def read_date(text: object) -> str | None:
    """Return a DICOM date (DA, PS3.5 6.2) as YYYYMMDD, or None if it is none."""
    digits = re.sub(r"[^0-9]", "", text) if isinstance(text, str) else ""
    return digits if len(digits) == 8 else None

"""The slices of Kaggle's "CT Medical Images": what their table and their file names say."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.datasets.npz_images import ArchivedImages, open_archive
from indexer.datasets.rows import RawRow
from indexer.datasets.tree import list_files, walk_folders
from indexer.pixels.header import OLDEST_STATED_AGE

_DEPTH = 2
_DICOM_SUFFIXES = frozenset({".dcm"})
_TIFF_SUFFIXES = frozenset({".tif", ".tiff"})
_OLDEST_AGE_YEARS = 120
_NUMBER = re.compile(r"\s*([0-9]{1,6})(?:\.0*)?\s*")
_NAME = re.compile(
    r"ID_(?P<number>\d{1,6})(?:_AGE_(?P<age>\d{1,4}))?(?:_CONTRAST_(?P<contrast>[01]))?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What is said of one slice in a row of overview.csv, or in a file's name."""

    number: int
    stem: str
    age_years: float | None
    contrast: bool | None
    path: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceFiles:
    """The files of each slice by its number, of each kind; small, for there are a hundred."""

    overview: Path | None
    dicom: dict[int, Path]
    tiff: dict[int, Path]
    archive: ArchivedImages | None


def native_id_of(number: int) -> str:
    """Return the id of a slice, which is the same whatever kind of file it is read from."""
    return f"ID_{number:04d}"


def parse_row(row: RawRow) -> Slice:
    """Read a row of overview.csv, filling gaps from the names of the files that it gives."""
    stem = ""
    for column in ("dicom_name", "tiff_name"):
        stem = stem or Path(row.optional_text(column) or "").stem
    named = _NAME.match(stem)
    written = _NUMBER.fullmatch(row.optional_text("id", "") or (named["number"] if named else ""))
    if written is None:
        raise row.bad("the row has no id, and no file name that gives one")
    number = int(written[1])
    from_name = parse_name(stem or native_id_of(number), number, row.path, row.line)
    age_years = _parse_age(row.optional_text("Age"))
    contrast = _parse_contrast(row.get("Contrast"))
    return replace(
        from_name,
        age_years=from_name.age_years if age_years is None else age_years,
        contrast=from_name.contrast if contrast is None else contrast,
    )


def parse_name(stem: str, number: int, path: str, line: int | None = None) -> Slice:
    """Read what `ID_0000_AGE_0060_CONTRAST_1_CT` says."""
    match = _NAME.match(stem)
    return Slice(
        number=number,
        stem=stem,
        age_years=_parse_age(match["age"]) if match else None,
        contrast=_parse_contrast(match["contrast"]) if match else None,
        path=path,
        line=line,
    )


def _parse_age(text: str | None) -> float | None:
    """Return an age in years, cut to that of a DICOM header's oldest; None for what is none."""
    try:
        age_years = float(text or "")
    except ValueError:
        return None
    return min(age_years, OLDEST_STATED_AGE) if 0 < age_years <= _OLDEST_AGE_YEARS else None


def _parse_contrast(value: object) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())


def find_slice_files(root: Path) -> SliceFiles:
    """Look through `root`, two levels deep, for the table, the files of slices and the archive."""
    overview: Path | None = None
    archive: ArchivedImages | None = None
    dicom: dict[int, Path] = {}
    tiff: dict[int, Path] = {}
    for folder in walk_folders(root, _DEPTH):
        for name in list_files(folder):
            path, suffix = folder / name, Path(name).suffix.lower()
            named = _NAME.match(name)
            if suffix in _DICOM_SUFFIXES and named:
                dicom.setdefault(int(named["number"]), path)
            elif suffix in _TIFF_SUFFIXES and named:
                tiff.setdefault(int(named["number"]), path)
            elif name.lower() == "overview.csv":
                overview = overview or path
            elif suffix == ".npz":
                archive = archive or open_archive(path)
    return SliceFiles(overview=overview, dicom=dicom, tiff=tiff, archive=archive)

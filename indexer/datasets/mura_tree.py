"""MURA's folders: what the path of an image says, and where its tables and trees lie."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.datasets.rows import RawRow, read_csv_header, read_csv_rows
from indexer.datasets.tree import iter_files, list_files, list_folders
from indexer.records import Reject

SPLITS = ("train", "valid", "test")
_DEPTH = 3
_STUDY_PATH = re.compile(
    r"(?:^|/)(?P<folder>(?P<split>train|valid|test)/(?P<region>XR_[A-Z]+)/"
    r"(?P<patient>patient[0-9]+)/(?P<study>study[0-9]+)(?:_(?P<label>positive|negative))?)"
    r"/(?P<file>[^/]*)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an image lies in MURA's own tree.

    `folder` is the study's, as it is spelt (`valid/XR_WRIST/patient11185/study1_positive`);
    `study` names it without the label (`XR_WRIST/patient11185/study1`). `patient` has one number
    in all regions: 783 patients of the validation split make 1,118 pairs of region and patient.
    """

    split: str
    region: str
    patient: str
    study: str
    folder: str
    is_positive: bool | None
    file: str


def parse_place(path: str) -> Place | None:
    """Read a path of MURA's tree, however its separators are written."""
    match = _STUDY_PATH.search(path.strip().replace("\\", "/"))
    if match is None:
        return None
    region, label = match["region"].upper(), (match["label"] or "").lower()
    return Place(
        split=match["split"].lower(),
        region=region.removeprefix("XR_").lower(),
        patient=match["patient"].lower(),
        study=f"{region}/{match['patient']}/{match['study']}",
        folder=match["folder"],
        is_positive={"positive": True, "negative": False}.get(label),
        file=match["file"],
    )


def read_table(root: Path, path: Path, columns: tuple[str, ...]) -> Iterator[RawRow | Reject]:
    """Yield a table's rows, whether or not its first row is a header."""
    first = read_csv_header(path)
    headerless = bool(first) and ("/" in first[0] or "\\" in first[0])
    return read_csv_rows(root, path, columns if headerless else None)


def find_home(root: Path) -> Path | None:
    """Return the folder with MURA's tables or split folders, at most three levels down.

    Among several on a level, one that is named after MURA comes first.
    """
    level = [root]
    for _ in range(_DEPTH + 1):
        for folder in sorted(level, key=lambda path: not path.name.lower().startswith("mura")):
            if has_split_folders(folder) or _has_tables(folder):
                return folder
        level = [folder / name for folder in level for name in list_folders(folder)]
    return None


def has_split_folders(folder: Path) -> bool:
    """Return whether a folder holds a split with a region in it: `valid/XR_WRIST`."""
    return any(
        name.upper().startswith("XR_")
        for split in SPLITS
        if (folder / split).is_dir()
        for name in list_folders(folder / split)
    )


def _has_tables(folder: Path) -> bool:
    return any("image_paths" in name.lower() for name in iter_files(folder, {".csv"}))


def find_table(home: Path, split: str, kind: str) -> Path | None:
    """Return the table of a split, of the kind `image_paths` or `labeled_studies`, or None."""
    for name in list_files(home, {".csv"}):
        if name.lower().startswith(split) and kind in name.lower():
            return home / name
    return None

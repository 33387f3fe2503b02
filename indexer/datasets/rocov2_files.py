"""Which of the files in a ROCOv2 folder is what: tables told by their columns, images by folder."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from indexer.datasets.rows import RawRow, read_csv_header, read_csv_rows
from indexer.datasets.tree import (
    IMAGE_SUFFIXES,
    NameSet,
    find_image,
    iter_files,
    list_files,
    natural_key,
    relative_name,
    walk_folders,
)
from indexer.records import Reject

SPLITS = ("train", "valid", "test", "all")
"""In the order in which they are read; `all` is what no name assigns to one of the others."""

ID_COLUMNS = ("ID", "image_id", "filename")
CAPTION_COLUMNS = ("Caption", "captions")
CONCEPT_COLUMNS = ("CUIs", "cui", "concepts")
LICENCE_COLUMNS = ("Attribution", "License", "Licence", "Link", "PMCID")
NAMED_COLUMNS = ("CUI", "concept")
NAME_COLUMNS = ("Canonical name", "concept_name", "name", "label")

_DEPTH = 3
_SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "dev": "valid",
    "test": "test",
    "testing": "test",
}
_TABLE_NAME = re.compile(r"caption|concept", re.IGNORECASE)
_CUI = re.compile(r"C[0-9]{7}\b")
_NOT_AN_ID = re.compile(r"[/\\\0]|^\.*$")
_IMAGE_SUFFIX = re.compile(r"\.(jpe?g|png|tiff?|webp|bmp)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Table:
    """A csv or tsv file of known meaning; `columns` are its names where it has no header."""

    path: Path
    columns: tuple[str, ...] | None = None

    def read(self, root: Path) -> Iterator[RawRow | Reject]:
        """Yield its rows."""
        return read_csv_rows(root, self.path, self.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitTables:
    """The tables of one split. The manual concepts are those set by hand."""

    captions: list[Table] = field(default_factory=list)
    concepts: list[Table] = field(default_factory=list)
    manual: list[Table] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class RocoFiles:
    """Everything of ROCOv2 that lies in a folder.

    `strange` are files that are named like its tables and have none of their columns.
    """

    splits: dict[str, SplitTables]
    licences: list[Table]
    names: list[Table]
    parquet: list[tuple[str, Path]]
    strange: list[Path]

    @property
    def has_captions(self) -> bool:
        """Whether there is any table of captions."""
        return any(tables.captions for tables in self.splits.values())


def find_roco_files(root: Path) -> RocoFiles:
    """Look through `root`, three levels deep, and sort out its tables by their columns."""
    found = RocoFiles(
        splits={split: SplitTables() for split in SPLITS},
        licences=[],
        names=[],
        parquet=[],
        strange=[],
    )
    for folder in walk_folders(root, _DEPTH):
        for name in list_files(folder, {".csv", ".tsv", ".txt", ".parquet"}):
            path = folder / name
            split = split_of_path(path.relative_to(root))
            if path.suffix.lower() == ".parquet":
                found.parquet.append((split, path))
            elif not _sort_in(path, split, found) and _TABLE_NAME.search(path.stem):
                found.strange.append(path)
    found.parquet.sort(key=lambda entry: SPLITS.index(entry[0]))
    return found


def split_of_path(relative: Path) -> str:
    """Return the split that the nearest part of a path names: `test_images/test/` is test."""
    for part in reversed(relative.parts):
        for word in re.split(r"[^a-z]+", part.lower()):
            if word in _SPLIT_WORDS:
                return _SPLIT_WORDS[word]
    return "all"


def split_of_id(image_id: str, default: str) -> str:
    """Return `default`, or what the id says (`ROCOv2_2023_train_000001`) if that is `all`."""
    return split_of_path(Path(image_id)) if default == "all" else default


def clean_id(row: RawRow) -> str:
    """Return a row's image id without a suffix, as the files are named.

    Raises
    ------
    BadRecordError
        It is missing, or holds what would leave the image folder.
    """
    image_id = _IMAGE_SUFFIX.sub("", row.text(*ID_COLUMNS).strip())
    if _NOT_AN_ID.search(image_id):
        raise row.bad("the ID is not the name of an image")
    return image_id


def _sort_in(path: Path, split: str, found: RocoFiles) -> bool:
    """Put a table where its columns, or else its name and first row, say; False if they do not."""
    header = read_csv_header(path)
    names = {re.sub(r"[\s_-]+", "", name).casefold() for name in header}
    tables = found.splits[split]
    kind = tables.manual if "manual" in path.stem.lower() else tables.concepts
    if _any_of(ID_COLUMNS, names) and _any_of(CAPTION_COLUMNS, names):
        tables.captions.append(Table(path))
    elif _any_of(ID_COLUMNS, names) and _any_of(CONCEPT_COLUMNS, names):
        kind.append(Table(path))
    elif _any_of(ID_COLUMNS, names) and _any_of(LICENCE_COLUMNS, names):
        found.licences.append(Table(path))
    elif _any_of(NAMED_COLUMNS, names) and _any_of(NAME_COLUMNS, names):
        found.names.append(Table(path))
    elif len(header) == len(("ID", "value")) and _CUI.match(header[1]):
        kind.append(Table(path, ("ID", "CUIs")))  # ImageCLEF to 2021 wrote no header
    elif len(header) == len(("ID", "value")) and "caption" in path.stem.lower():
        tables.captions.append(Table(path, ("ID", "Caption")))
    else:
        return False
    return True


def _any_of(columns: Sequence[str], folded: set[str]) -> bool:
    return any(re.sub(r"[\s_-]+", "", name).casefold() in folded for name in columns)


class ImageFolders:
    """The folders below a root that may hold images, and where in them an image lies."""

    def __init__(self, root: Path) -> None:
        """List the folders, three levels deep; no file is looked at."""
        self._root = root
        self._folders = [
            (split_of_path(folder.relative_to(root)), folder)
            for folder in walk_folders(root, _DEPTH)
        ]
        self._last = root

    def hold_images(self) -> bool:
        """Return whether there is an image file in any of them."""
        return any(any(iter_files(folder, IMAGE_SUFFIXES)) for _, folder in self._folders)

    def find(self, image_id: str, split: str) -> str | None:
        """Return the path of an image relative to the root, or None if it is in no folder.

        The folder of the last hit is tried first, then those of the split, then those that name
        no split.
        """
        for folder in self._in_order(split):
            path = find_image(folder, image_id)
            if path is not None:
                self._last = folder
                return relative_name(self._root, path)
        return None

    def _in_order(self, split: str) -> Iterator[Path]:
        yield self._last
        for wanted in (split, "all"):
            for owner, folder in self._folders:
                if owner == wanted and folder != self._last:
                    yield folder

    def images_but(self, known: NameSet) -> Iterator[tuple[str, str]]:
        """Yield (split, path) of each image below the root whose stem is not known, in order.

        The root itself is left out: what lies beside the tables is no figure.
        """
        for split, folder in sorted(self._folders, key=lambda entry: SPLITS.index(entry[0])):
            if folder == self._root:
                continue
            names = (name for name in iter_files(folder, IMAGE_SUFFIXES))
            unknown = (name for name in names if Path(name).stem not in known)
            for name in sorted(unknown, key=natural_key):
                yield split, relative_name(self._root, folder / name)

"""The archive's own list of what was downloaded: metadata.csv of the NBIA Data Retriever."""

import re
from collections.abc import Iterator
from pathlib import Path

from indexer.datasets.rows import RawRow, read_csv_header, read_csv_rows
from indexer.datasets.tree import NameSet, list_files, walk_folders
from indexer.errors import BadRecordError
from indexer.pixels.terms import NON_IMAGE_MODALITIES
from indexer.records import Reject

_NAME = "metadata.csv"
_SERIES_COLUMNS = ("Series UID", "Series Instance UID", "SeriesInstanceUID")


def find_listings(root: Path, start: Path) -> list[Path]:
    """Return the metadata.csv files that list series: from `root` down to `start`, and below it.

    The retriever writes one beside the collection's folder, some mirrors one inside it.
    """
    folders = [folder for folder in (*start.parents, start) if folder.is_relative_to(root)]
    folders += [folder for folder in walk_folders(start, 1) if folder != start]
    found = [
        folder / name
        for folder in sorted(set(folders))
        for name in list_files(folder, {".csv"})
        if name.lower() == _NAME
    ]
    return [path for path in found if _lists_series(path)]


def missing_series(root: Path, listing: Path, collection: str, seen: NameSet) -> Iterator[Reject]:
    """Yield a reject for each image series of the collection that was listed and is not there.

    A series is there if a file of it was read (`seen` holds series UIDs) or if its folder holds
    files, readable or not: those have a reject of their own.
    """
    for row in read_csv_rows(root, listing):
        if isinstance(row, Reject):
            yield row
            continue
        try:
            if _is_missing(row, listing.parent, collection, seen):
                yield Reject(
                    path=row.path,
                    line=row.line,
                    reason="the series that this line lists has no file here",
                    kind="missing_file",
                )
        except BadRecordError as error:
            yield Reject(path=error.path, line=error.line, reason=error.reason)


def _is_missing(row: RawRow, folder: Path, collection: str, seen: NameSet) -> bool:
    owner = row.optional_text("Collection", "Collection Name")
    if owner is not None and _fold(owner) != _fold(collection):
        return False
    if (row.optional_text("Modality") or "") in NON_IMAGE_MODALITIES:
        return False
    return row.text(*_SERIES_COLUMNS).strip() not in seen and not _has_files(row, folder)


def _has_files(row: RawRow, folder: Path) -> bool:
    """Return whether the series' own folder is there with a file in it."""
    location = (row.optional_text("File Location") or "").replace("\\", "/").strip("./ ")
    if not location or ".." in location.split("/"):
        return False
    place = folder / location
    return place.is_dir() and bool(list_files(place))


def _lists_series(path: Path) -> bool:
    names = {_fold(name) for name in read_csv_header(path)}
    return any(_fold(column) in names for column in _SERIES_COLUMNS)


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())

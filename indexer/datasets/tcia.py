"""Reader of download trees of The Cancer Imaging Archive: DICOM files at any depth, lazily."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from indexer.datasets.base import DatasetInfo, not_found
from indexer.datasets.instances import InstanceContext, make_instance, read_instance
from indexer.datasets.series_listing import find_listings, missing_series
from indexer.datasets.tree import (
    NameSet,
    list_files,
    natural_key,
    relative_name,
    walk_folders,
)
from indexer.pixels.dicom import DicomHeader
from indexer.pixels.pseudonyms import Pseudonymiser
from indexer.records import ImageRecord, Reject, Row

MAX_FRAMES_PER_FILE = 512
"""Frames of one file that become records; a cine loop beyond it repeats itself."""

# Headers of one folder are put in slice order in memory, this many files at a time.
_WINDOW_FILES = 4096
_DETECT_FILES = 2000
_COLLECTION_DEPTH = 2
_COLLECTION_NAME = re.compile(r"(TCGA|CPTAC)-[A-Z]{2,5}")
_DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})
_MAGIC_OFFSET, _MAGIC = 128, b"DICM"

# What lies beside the images in downloads and is no image; never opened.
_COMPANION = re.compile(
    r"(^|\.)(license|licence|readme|notice|version|dicomdir)$|"
    r"\.(csv|tsv|txt|jsonl?|xml|html?|md|pdf|xlsx?|docx?|rtf|tcia|s5cmd|zip|gz|tar|7z|log|ini|py|"
    r"ipynb|sh|bat|exe|jar|db|part|tmp)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TciaDataset:
    """One collection of the archive.

    Of a folder that holds several collections, only the one whose name is `collection` is read.
    `labels` hold for all its patients: the diagnosis for which they were chosen, not a finding on
    the slice. `body_part` is what it shows where a header does not say.
    """

    info: DatasetInfo
    collection: str
    labels: tuple[str, ...] = ()
    body_part: str | None = None
    attribution: str | None = None

    def detect(self, root: Path) -> str | None:
        """Return `tcia-tree`, with `+metadata` if the archive's metadata.csv is there, or None."""
        if not root.is_dir():
            return None
        starts = find_starts(root, self.collection)
        files = (path for start in starts for path in iter_candidates(start))
        if not any(_looks_like_dicom(path) for path in islice(files, _DETECT_FILES)):
            return None
        listed = any(find_listings(root, start) for start in starts)
        return "tcia-tree+metadata" if listed else "tcia-tree"

    def iter_rows(self, root: Path) -> Iterator[Row]:
        """Yield a record for each frame, folder by folder, in slice order within a folder.

        The order is natural by folder name; within a folder by series, instance number and file
        name. Objects without an image are rejects, and so is each series that metadata.csv
        lists and that is not there.

        Raises
        ------
        DatasetNotFoundError
            No DICOM file lies below `root`.
        """
        if self.detect(root) is None:
            raise not_found(self.info, root)
        context = InstanceContext(
            info=self.info,
            pseudonyms=Pseudonymiser.from_environment(),
            labels=self.labels,
            body_part=self.body_part,
            attribution=self.attribution,
        )
        return self._iter_rows(root, context)

    def _iter_rows(self, root: Path, context: InstanceContext) -> Iterator[Row]:
        seen_series = NameSet()
        starts = find_starts(root, self.collection)
        for folder in (folder for start in starts for folder in walk_folders(start)):
            names = _candidates(folder)
            for first in range(0, len(names), _WINDOW_FILES):
                window = names[first : first + _WINDOW_FILES]
                yield from read_files(root, folder, window, context, seen_series)
        # Only now is every series known: a table may list what lies below several of the starts.
        for listing in dict.fromkeys(
            path for start in starts for path in find_listings(root, start)
        ):
            yield from missing_series(root, listing, self.collection, seen_series)


def find_starts(root: Path, collection: str) -> list[Path]:
    """Return the folders named after the collection, at most two levels below `root`.

    Where there are none, it is `root` itself, unless that holds folders of other collections:
    then it is none, for what belongs to others must not be indexed under this name.
    """
    wanted = _fold(collection)
    below = [folder for folder in walk_folders(root, _COLLECTION_DEPTH) if folder != root]
    own = [folder for folder in below if _fold(folder.name) == wanted]
    if own:
        return [one for one in own if not any(one.is_relative_to(o) for o in own if o != one)]
    foreign = any(_COLLECTION_NAME.fullmatch(folder.name) for folder in below)
    return [] if foreign else [root]


def iter_candidates(start: Path) -> Iterator[Path]:
    """Yield the files below `start` that may be DICOM, by their names alone."""
    for folder in walk_folders(start):
        for name in _candidates(folder):
            yield folder / name


def _candidates(folder: Path) -> list[str]:
    return [name for name in list_files(folder) if not _COMPANION.search(name)]


def _looks_like_dicom(path: Path) -> bool:
    if path.suffix.lower() in _DICOM_SUFFIXES:
        return True
    with path.open("rb") as stream:
        stream.seek(_MAGIC_OFFSET)
        return stream.read(len(_MAGIC)) == _MAGIC


def read_files(
    root: Path,
    folder: Path,
    names: list[str],
    context: InstanceContext,
    seen_series: NameSet,
) -> Iterator[Row]:
    """Yield the records of some files of one folder in slice order, then their rejects."""
    headers: list[tuple[str, DicomHeader]] = []
    rejects: list[Reject] = []
    for name in names:
        path = relative_name(root, folder / name)
        outcome = read_instance(folder / name, path)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
            continue
        headers.append((path, outcome))
        if outcome.series_uid:
            seen_series.add(outcome.series_uid)
    for path, header in sorted(headers, key=_slice_order):
        yield from _expand_frames(header, path, context)
    yield from rejects


def _slice_order(entry: tuple[str, DicomHeader]) -> tuple[str, bool, int, object]:
    path, header = entry
    number = header.instance_number
    return header.series_uid or "", number is None, number or 0, natural_key(path)


def _expand_frames(
    header: DicomHeader, path: str, context: InstanceContext
) -> Iterator[ImageRecord | Reject]:
    """Yield a record for each frame; one reject stands for all frames beyond the limit."""
    for frame in range(min(header.frames, MAX_FRAMES_PER_FILE)):
        yield make_instance(header, path, context, frame=frame)
    if header.frames > MAX_FRAMES_PER_FILE:
        reason = f"frames {MAX_FRAMES_PER_FILE + 1} to {header.frames} are left out"
        yield Reject(path=path, line=None, reason=reason, of_scan=True)


def _fold(name: str) -> str:
    """Fold a collection's name: `TCGA-LUAD` and `tcga_luad` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())

"""Fetching a collection of The Cancer Imaging Archive, series by series.

The service zips a series while it sends it: a cut download starts that series again, all others
are kept.
"""

import csv
import io
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from indexer.datasets.base import DatasetInfo
from indexer.errors import (
    AccessDeniedError,
    DamagedDownloadError,
    DownloadIncompleteError,
    FetchError,
    SourceFailedError,
)
from indexer.fetching.archive import Bounds, Member, unpack
from indexer.fetching.base import FetchOptions, FetchPlan, OnProgress
from indexer.fetching.nbia_series import (
    Series,
    choose_series,
    place_series,
    write_metadata,
)
from indexer.fetching.nbia_service import NbiaService
from indexer.fetching.receipt import make_receipt
from indexer.fetching.sources import NBIA_BASE_URL, NbiaSource
from indexer.fetching.staging import Staging
from indexer.fetching.tally import Tally
from indexer.fetching.web import Web
from indexer.store.files import sync_tree, write_durably

_HASHES_NAME = "md5hashes.csv"
_COMPANIONS = frozenset({"license", "license.txt", _HASHES_NAME})

# A series may come out somewhat larger than listed (a licence, hashes, zip headers); one of unknown
# size may be as large as the largest whole-body CT.
_SPARE_BYTES = 64 << 20
_LARGEST_SERIES_BYTES = 16 << 30
_MOST_FILES = 100_000
_ATTEMPTS_IF_DAMAGED = 3


class NbiaFetch:
    """The series of one collection that were asked for and are not there yet."""

    def __init__(
        self,
        info: DatasetInfo,
        source: NbiaSource,
        staging: Staging,
        options: FetchOptions,
        web: Web,
    ) -> None:
        """Ask the service for the series and their sizes.

        Raises
        ------
        FetchError
            It does not answer, or has no such series.
        """
        self._info = info
        self._source = source
        self._staging = staging
        self._options = options
        self._service = NbiaService(web, options.base_url or NBIA_BASE_URL)
        self._offered = self._service.list_series(source.collection)
        self._folders = place_series(self._offered)
        self._chosen = self._choose()
        self._missing = [one for one in self._chosen if not staging.has(self._folders[one.uid])]
        self._sizes = {one.uid: self._service.size_of(one) for one in self._missing}
        self._checked = "md5"

    @property
    def plan(self) -> FetchPlan:
        """The series chosen, and the sizes of those that are missing."""
        sizes = list(self._sizes.values())
        return FetchPlan(
            origin=f"{self._source.collection} from {self._service.base_url}",
            revision=None,
            piece="series",
            pieces=len(self._chosen),
            pieces_there=len(self._chosen) - len(self._missing),
            missing_bytes=None if None in sizes else sum(size or 0 for size in sizes),
            in_place=self._staging.is_in_place,
        )

    def run(self, on_progress: OnProgress) -> None:
        """Fetch the missing series one by one, then put them in place with their metadata.csv.

        Raises
        ------
        FetchError
            The service stopped answering, or some series cannot be had (`DownloadIncompleteError`).
        """
        with self._staging.open(needed_bytes=self.plan.missing_bytes or 0):
            failures = self._fetch_missing(on_progress)
            if failures and not self._options.allow_missing:
                raise self._incomplete(failures)
            self._publish()

    def _fetch_missing(self, on_progress: OnProgress) -> list[FetchError]:
        """Fetch several series at once; return why some could not be had."""
        tally = Tally(on_progress)
        failures: list[FetchError] = []
        pool = ThreadPoolExecutor(self._options.at_once)
        try:
            running = []
            for one in self._missing:
                report = tally.listen(one.uid, f"{one.patient_id} {one.description}".strip())
                running.append(pool.submit(self._fetch_series, one, report))
            for future in as_completed(running):
                try:
                    future.result()
                except (SourceFailedError, AccessDeniedError, DamagedDownloadError) as error:
                    failures.append(error)
        finally:
            tally.stop()
            pool.shutdown(cancel_futures=True)
        return failures

    def _fetch_series(self, series: Series, report: Callable[[int], None]) -> None:
        """Fetch one series, anew if it comes damaged."""
        archive = self._staging.downloads / f"{series.uid}.zip.part"
        attempt = 1
        while True:
            try:
                hashed = self._service.download(
                    series.uid, archive, limit_bytes=self._limit_bytes(series), on_bytes=report
                )
                self._unpack(series, archive, hashed=hashed)
            except DamagedDownloadError:
                if attempt == _ATTEMPTS_IF_DAMAGED:
                    raise
            else:
                report(self._sizes[series.uid] or 0)  # what it was listed as: zipped, it is less
                return
            finally:
                archive.unlink(missing_ok=True)
            attempt += 1

    def _unpack(self, series: Series, archive: Path, *, hashed: bool) -> None:
        """Unpack a series, check it, and move it into the tree as a whole."""
        folder = self._staging.downloads / f"{series.uid}.part"
        bounds = Bounds(files=_MOST_FILES, size_bytes=self._limit_bytes(series))
        try:
            members = unpack(archive, folder, bounds)
            images = [one for one in members if one.name.lower() not in _COMPANIONS]
            if not images or len(images) < (series.images or 0):
                raise _damaged(series, f"{len(images)} of {series.images or 'its'} images came")
            if hashed:
                _check_hashes(series, folder, images)
            else:
                self._checked = "crc32"
            sync_tree(folder)
            target = self._staging.tree / self._folders[series.uid]
            target.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(target)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _publish(self) -> None:
        """Place what was fetched; metadata.csv lists it, and what was asked for and is missing."""
        asked = {series.uid for series in self._chosen}
        listed = [
            (series, self._folders[series.uid])
            for series in self._offered
            if series.uid in asked or self._staging.has(self._folders[series.uid])
        ]
        receipt = make_receipt(
            self._info,
            origin=f"{self._service.base_url} ({self._source.collection})",
            revision=None,
            checked=self._checked,
            pieces={
                series.uid: series.size_bytes or 0
                for series, folder in listed
                if self._staging.has(folder)
            },
        )
        metadata = write_metadata(listed, receipt.fetched_at)
        write_durably(self._staging.tree / "metadata.csv", metadata)
        self._staging.publish(receipt)

    def _choose(self) -> list[Series]:
        wanted = self._options.modalities
        right = [one for one in self._offered if not wanted or one.modality in wanted]
        if not right:
            there = ", ".join(sorted({one.modality for one in self._offered}))
            raise SourceFailedError(
                f"{self._source.collection} has no series of {', '.join(wanted)}.",
                remedy=f"It has {there}; choose with --modality.",
            )
        return choose_series(right, self._options.limit)

    def _limit_bytes(self, series: Series) -> int:
        size = self._sizes[series.uid]
        return _LARGEST_SERIES_BYTES if size is None else size + _SPARE_BYTES

    def _incomplete(self, failures: list[FetchError]) -> DownloadIncompleteError:
        return DownloadIncompleteError(
            f"{len(failures)} of {len(self._chosen)} series could not be had; the first: "
            f"{failures[0].message}",
            remedy="The others are kept; the same command tries again. --allow-missing places what "
            "there is, and indexing counts the missing series.",
        )


def _check_hashes(series: Series, folder: Path, images: list[Member]) -> None:
    """Compare each image with the MD5 that the archive recorded, then drop the table of them.

    Raises
    ------
    DamagedDownloadError
        There is no table, an image is not in it, or one differs.
    """
    table = folder / _HASHES_NAME
    if not table.is_file():
        raise _damaged(series, f"{_HASHES_NAME} is missing")
    text = table.read_text("utf-8-sig", "replace")
    rows = [row for row in csv.reader(io.StringIO(text)) if len(row) > 1]
    said = {row[0].strip(): row[1].strip().lower() for row in rows}
    for image in images:
        if said.get(image.name) != image.md5:
            raise _damaged(series, f"{image.name} differs from its MD5")
    table.unlink()


def _damaged(series: Series, reason: str) -> DamagedDownloadError:
    return DamagedDownloadError(
        f"Series {series.uid} came damaged: {reason}.",
        remedy="Run the same command again; if it stays so, tell the archive.",
    )

"""Where a download grows: a hidden folder beside its place, moved there when it is whole.

DATA/.NAME.part/downloads/   half-written files; only this room reads them
DATA/.NAME.part/tree/        whole, checked pieces, as they will lie in DATA/NAME
DATA/.NAME.part/started.json what was being fetched, for the next run to go on with
DATA/NAME/                   only ever whole: what `medsearch index` reads
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from indexer.datasets.base import DatasetInfo, locate
from indexer.errors import FetchError, MedsearchError, TargetOccupiedError
from indexer.fetching.receipt import RECEIPT_NAME, Receipt, read_receipt
from indexer.store.files import sync_folder, sync_tree, write_durably

_STARTED_NAME = "started.json"


class Staging:
    """The places of one dataset's download."""

    def __init__(self, info: DatasetInfo, data_dir: Path) -> None:
        """Name the places; nothing is made yet.

        Raises
        ------
        TargetOccupiedError
            Files that were not fetched by this command lie where the dataset belongs.
        """
        self.final = data_dir / info.name
        self._part = _part_of(info, data_dir)
        self.downloads = self._part / "downloads"
        self.tree = self._part / "tree"
        self.receipt = read_receipt(self.final)
        found = locate(info, data_dir)
        if found is not None and (found != self.final or self.receipt is None):
            if not any(found.iterdir()):
                return
            raise TargetOccupiedError(
                f"{info.title}: {found} holds files that were not fetched by this command.",
                remedy="They can be indexed as they are (`medsearch index`); to fetch the dataset "
                "anew, move them away or choose another folder with --data.",
            )

    @property
    def is_in_place(self) -> bool:
        """Whether something was put in place, and nothing waits to be."""
        return self.receipt is not None and not (self.tree.is_dir() and any(self.tree.iterdir()))

    @contextmanager
    def open(self, needed_bytes: int = 0) -> Iterator[None]:
        """Make the folders and hold them against a second run.

        Raises
        ------
        FetchError
            Another run holds them, the disk is too small, or nothing can be written.
        """
        with guard_disk():
            self.downloads.mkdir(parents=True, exist_ok=True)
            self.tree.mkdir(exist_ok=True)
        lock = FileLock(self._part / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise FetchError(
                f"{self.final.name} is being fetched by another run.",
                remedy="Wait for it, or stop it; what it has finished is kept.",
            ) from error
        try:
            with guard_disk():
                self._check_space(needed_bytes)
                yield
        finally:
            lock.release()
            self._clear_up()

    def _check_space(self, needed_bytes: int) -> None:
        free_bytes = shutil.disk_usage(self._part).free
        if needed_bytes > free_bytes:
            raise FetchError(
                f"The disk has {free_bytes / 1e9:.1f} GB free; {needed_bytes / 1e9:.1f} GB are "
                "needed.",
                remedy="Free space or choose another disk with --data.",
            )

    def _clear_up(self) -> None:
        """Remove the hidden folder once nothing of a download is left in it."""
        if not self.tree.exists() and not self.downloads.exists():
            with suppress(OSError):
                (self._part / "lock").unlink(missing_ok=True)
                self._part.rmdir()

    def has(self, relative: str) -> bool:
        """Return whether a piece is there, whole: in its place or waiting to be moved there."""
        return (self.final / relative).exists() or (self.tree / relative).exists()

    def remember(self, values: Mapping[str, str]) -> None:
        """Write down what is being fetched, for the next run."""
        write_durably(self._part / _STARTED_NAME, json.dumps(dict(values)).encode())

    def recall(self) -> Mapping[str, str]:
        """Return what an earlier, unfinished run wrote down; nothing if there was none."""
        try:
            said = json.loads((self._part / _STARTED_NAME).read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}

    def publish(self, receipt: Receipt) -> None:
        """Move the tree into place, its receipt last, and clear what is left of the download.

        What is in place already stays: a piece is moved as one, so that a reader finds all of
        it or nothing.
        """
        sync_tree(self.tree)
        if self.final.is_dir() and not any(self.final.iterdir()):
            self.final.rmdir()
        if self.final.exists():
            _merge(self.tree, self.final)
            write_durably(self.final / RECEIPT_NAME, receipt.to_json())
        else:
            write_durably(self.tree / RECEIPT_NAME, receipt.to_json())
            self.tree.rename(self.final)
        sync_folder(self.final.parent)
        for folder in (self.downloads, self.tree):
            shutil.rmtree(folder, ignore_errors=True)
        (self._part / _STARTED_NAME).unlink(missing_ok=True)


def is_unfinished(info: DatasetInfo, data_dir: Path) -> bool:
    """Return whether a download was begun and waits to go on."""
    return (_part_of(info, data_dir) / "tree").is_dir()


def _part_of(info: DatasetInfo, data_dir: Path) -> Path:
    return data_dir / f".{info.name}.part"


@contextmanager
def guard_disk() -> Iterator[None]:
    """Turn what the file system refuses into an error with its remedy.

    Raises
    ------
    FetchError
        The disk is full, read-only or otherwise not to be written.
    """
    try:
        yield
    except MedsearchError:
        raise
    except OSError as error:
        raise FetchError(
            f"The files cannot be written: {error.strerror or error}.",
            remedy="Free space or choose another disk with --data. What was finished is kept; the "
            "same command goes on.",
        ) from error


def _merge(tree: Path, place: Path) -> None:
    for entry in sorted(tree.iterdir()):
        target = place / entry.name
        if entry.is_dir() and target.is_dir():
            _merge(entry, target)
        else:
            entry.replace(target)
    sync_folder(place)

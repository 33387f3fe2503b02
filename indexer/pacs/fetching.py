"""Fetches what a mirror wants, several instances at a time; on disk before it is written down."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from indexer.pacs.dicomweb import DicomWeb, InstanceGoneError, InstanceUnreadableError
from indexer.pacs.folder import MirrorFolder
from indexer.pacs.journal import Entry, Settled

# Instances between two commits: what a kill costs at most, to be fetched again.
_BATCH = 64


class OnMirrorProgress(Protocol):
    """Called as a mirror is brought up to date."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Take note of what is being done and how far it is."""


def fetch_wanted(
    pacs: DicomWeb, folder: MirrorFolder, connections: int, on_progress: OnMirrorProgress
) -> int:
    """Fetch what is wanted or was refused earlier; return how many instances were stored.

    Raises
    ------
    PacsError
        The PACS is away or refuses this user. What was fetched so far is written down.
    """
    journal = folder.journal
    total = journal.total("wanted") + journal.total("refused")
    done = stored = after = 0
    with ThreadPoolExecutor(connections, thread_name_prefix="fetch") as threads:
        while batch := journal.entries("wanted", "refused", after=after, limit=_BATCH):
            futures = [threads.submit(_fetch, pacs, folder, entry) for entry in batch]
            settled: list[Settled] = []
            try:
                for future in futures:
                    settled.append(future.result())  # noqa: PERF401 - keeps those before a failure
            finally:
                for future in futures:
                    future.cancel()
                folder.sync(one.entry.path for one in settled)
                journal.settle(settled)
            after = batch[-1].id
            done += len(batch)
            stored += sum(one.state == "stored" for one in settled)
            on_progress("fetching", done, total)
    return stored


def _fetch(pacs: DicomWeb, folder: MirrorFolder, entry: Entry) -> Settled:
    """Fetch one instance and put its file in place; one that did not change is left alone."""
    try:
        content = pacs.fetch(entry.ref)
    except InstanceGoneError:
        return Settled(entry, "deleted")
    except InstanceUnreadableError as error:
        # What it replaces, if anything, is out of date.
        folder.remove(entry.path)
        return Settled(entry, "refused", reason=str(error))
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 != entry.sha256 or not (folder.root / entry.path).is_file():
        folder.place(entry.path, content)
    return Settled(entry, "stored", sha256)

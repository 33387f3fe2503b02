"""The folder of a mirror: one process at a time, for its owner's eyes only, one PACS for ever."""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from indexer.datasets.mirror_layout import JOURNAL, REFUSED_TABLE
from indexer.errors import MirrorError
from indexer.pacs.journal import Journal
from indexer.pixels.pseudonyms import KEY_VARIABLE, Pseudonymiser
from indexer.store.files import sync_folder

_OWNER_ONLY = 0o700


@dataclass(frozen=True, slots=True)
class MirrorFolder:
    """An open mirror: its files below `root`, its journal, and a place for unfinished files.

    Threads may place and remove files side by side.
    """

    root: Path
    journal: Journal
    unfinished: Path
    # Nobody may take away a folder that somebody else is about to put a file into.
    _folders: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def place(self, path: str, content: bytes) -> None:
        """Put a file where it belongs, whole; it is sure to be found there after `sync`."""
        target = self.root / path
        partial = self.unfinished / hashlib.sha256(path.encode()).hexdigest()
        with partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        with self._folders:
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(target)

    def remove(self, path: str) -> None:
        """Delete a file, and the folders that it leaves empty; for good after `sync`."""
        target = self.root / path
        target.unlink(missing_ok=True)
        with self._folders:
            for folder in (target.parent, target.parent.parent):
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()

    def sync(self, paths: Iterable[str]) -> None:
        """Make sure that files placed or removed stay so, whatever happens to the machine."""
        folders = {folder for path in paths for folder in (self.root / path).parents}
        for folder in sorted(folders):
            if folder.is_relative_to(self.root) and folder.is_dir():
                sync_folder(folder)

    def list_refusals(self) -> None:
        """Write the table of what the PACS could not give; there is none if it gave all."""
        lines = [
            json.dumps({"file": path, "reason": reason}) + "\n"
            for path, reason in self.journal.refusals()
        ]
        content = "".join(lines).encode()
        table = self.root / REFUSED_TABLE
        if not content:
            table.unlink(missing_ok=True)
        elif not table.is_file() or table.read_bytes() != content:
            self.place(REFUSED_TABLE, content)
            self.sync([REFUSED_TABLE])


@contextmanager
def open_mirror(
    root: Path, *, url: str, indexes_dir: Path, pseudonyms: Pseudonymiser
) -> Iterator[MirrorFolder]:
    """Open the mirror of a PACS, making it where there is none, and hold it against others.

    Raises
    ------
    MirrorError
        It lies among the indexes, is in use, mirrors another PACS, was named with another key,
        or holds other files; or no key for pseudonyms is set.
    """
    if pseudonyms.uses_public_key:
        raise MirrorError(
            "A PACS holds patients, and no key for their pseudonyms is set.",
            remedy=f"Make one, keep it apart from the indexes, and set it always: "
            f"export {KEY_VARIABLE}=$(openssl rand -hex 32)",
        )
    if root.resolve().is_relative_to(indexes_dir.resolve()):
        raise MirrorError(
            "The mirror of a PACS must not lie among the indexes, which may be passed on.",
            remedy="Name another folder: medsearch index pacs=FOLDER --dicomweb URL",
        )
    own = (root / JOURNAL).parent
    if root.is_dir() and not own.is_dir() and any(root.iterdir()):
        raise MirrorError(
            f"The folder {root} holds other files.",
            remedy="Name an empty one: medsearch index pacs=FOLDER --dicomweb URL",
        )
    if not own.is_dir():
        own.mkdir(parents=True)
        # Once: whoever opens it to a group later, so that a service may read it, shall be obeyed.
        root.chmod(_OWNER_ONLY)
    with ExitStack() as stack:
        _hold(own / "lock", stack)
        journal = Journal(root / JOURNAL, pseudonyms)
        stack.callback(journal.close)
        _check_belongs(journal, url, pseudonyms)
        unfinished = own / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        yield MirrorFolder(root, journal, unfinished)


def _hold(path: Path, stack: ExitStack) -> None:
    """Take the mirror's lock; the kernel frees it when the process dies."""
    held = FileLock(path)
    try:
        held.acquire(timeout=0)
    except Timeout:
        raise MirrorError(
            "Another process is mirroring or indexing this PACS.",
            remedy="Wait for it to end, then run the command again.",
        ) from None
    stack.callback(held.release)


def _check_belongs(journal: Journal, url: str, pseudonyms: Pseudonymiser) -> None:
    """Hold a mirror to one PACS and one key; the first run decides."""
    key_mark = pseudonyms.pseudonym("key", "mark")
    known_url, known_mark = journal.fact("url"), journal.fact("key")
    if known_url not in {None, url}:
        raise MirrorError(
            f"This folder mirrors the PACS at {known_url}, not that at {url}.",
            remedy="Give the other PACS a name of its own: --name NAME",
        )
    if known_mark not in {None, key_mark}:
        raise MirrorError(
            "This mirror was named with another pseudonym key.",
            remedy=f"Set {KEY_VARIABLE} to that key; or delete the folder to mirror anew.",
        )
    if known_url is None:
        journal.note({"url": url, "key": key_mark})

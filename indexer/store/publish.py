"""Which build of an index is live: the CURRENT file, the lock, going back, clearing up."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from indexer.errors import (
    BuildLockedError,
    CorruptBuildError,
    IndexNotFoundError,
    UnknownNameError,
)
from indexer.store.files import clear_folder, sync_folder, write_durably
from indexer.store.manifest import MANIFEST_NAME, Manifest, read_manifest
from indexer.store.verify import ensure_verified, remove_stamp

CURRENT_NAME = "CURRENT"
STAGING_NAME = ".staging"
LOCK_NAME = ".lock"
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*\Z")


def index_folders(indexes_dir: Path) -> list[Path]:
    """Return the folders of all indexes with a live build, by name."""
    if not indexes_dir.is_dir():
        return []
    return sorted(path.parent for path in indexes_dir.glob(f"*/{CURRENT_NAME}"))


def current_build(index_folder: Path) -> Path:
    """Return the folder of the live build.

    Raises
    ------
    IndexNotFoundError
        Nothing was ever published there.
    CorruptBuildError
        CURRENT names no complete build.
    """
    name = index_folder.name
    try:
        build_id = (index_folder / CURRENT_NAME).read_text("ascii").removesuffix("\n")
    except FileNotFoundError as error:
        raise IndexNotFoundError(
            f"There is no published build of the index {name!r}.",
            remedy=f"Build it: medsearch index {name}",
        ) from error
    except (OSError, ValueError):
        build_id = ""
    folder = index_folder / build_id
    if not _NAME.match(build_id) or not (folder / MANIFEST_NAME).is_file():
        raise CorruptBuildError(
            f"The live build of the index {name!r} is not there.",
            remedy=f"Go back with `medsearch rollback {name}`, or rebuild it with "
            f"`medsearch index {name}`.",
        )
    return folder


def named_build(index_folder: Path, build_id: str) -> Path:
    """Return the folder of a certain build, live or not.

    Raises
    ------
    IndexNotFoundError
        It is not there: it was deleted, or never was.
    """
    folder = index_folder / build_id
    named = _NAME.match(index_folder.name) and _NAME.match(build_id)
    if not named or not (folder / MANIFEST_NAME).is_file():
        left = ", ".join(one.build_id for one in list_builds(index_folder)) if named else ""
        raise IndexNotFoundError(
            f"A build of the index {index_folder.name!r} that is asked for by its id is not there.",
            remedy=f"`medsearch prune --keep N` decides how many are kept; left are: "
            f"{left or 'none'}.",
        )
    return folder


def list_builds(index_folder: Path) -> list[Manifest]:
    """Return the manifests of all complete builds that can be read, oldest first."""
    manifests = []
    for folder in _build_folders(index_folder):
        try:
            manifests.append(read_manifest(folder))
        except CorruptBuildError:
            continue
    return sorted(manifests, key=lambda manifest: (manifest.created_at, manifest.build_id))


def make_current(index_folder: Path, build_id: str) -> None:
    """Let readers see that build from now on; one atomic step."""
    write_durably(index_folder / CURRENT_NAME, f"{build_id}\n".encode("ascii"))


def rollback(index_folder: Path, build_id: str | None = None) -> str:
    """Make an earlier build live again and return its id; the one before the live one if None.

    The live build may be damaged or gone; then the newest sound-looking one is the one before it.

    Raises
    ------
    IndexNotFoundError
        There is no earlier build.
    UnknownNameError
        There is no complete build of that id.
    CorruptBuildError
        That build is damaged; the live one stays.
    """
    with lock(index_folder):
        builds = {manifest.build_id: manifest for manifest in list_builds(index_folder)}
        if build_id is None:
            build_id = _build_before_live(index_folder, list(builds))
        if build_id not in builds:
            raise UnknownNameError("build", build_id, builds)
        ensure_verified(index_folder / build_id, builds[build_id])
        make_current(index_folder, build_id)
        return build_id


def prune(index_folder: Path, keep: int) -> list[str]:
    """Delete all but the newest `keep` builds and the live one; return the ids deleted.

    What an interrupted deletion left goes as well. On POSIX systems readers that hold a deleted
    build go on reading it.
    """
    with lock(index_folder):
        live = current_build(index_folder).name
        builds = [manifest.build_id for manifest in list_builds(index_folder)]
        kept = {live, *builds[max(0, len(builds) - keep) :]}
        doomed = [path for path in _build_folders(index_folder) if path.name not in kept]
        for folder in doomed:
            clear_folder(folder, MANIFEST_NAME)
            remove_stamp(folder)
        return [folder.name for folder in doomed]


def withdraw(index_folder: Path) -> None:
    """Take an index out of service and delete all its builds; one that is not there is no error.

    For a source that holds nothing any more. Readers let go of the index when they next look.
    """
    if not index_folder.is_dir():
        return
    with lock(index_folder):
        (index_folder / CURRENT_NAME).unlink(missing_ok=True)
        sync_folder(index_folder)
        for folder in _build_folders(index_folder):
            clear_folder(folder, MANIFEST_NAME)
            remove_stamp(folder)
        shutil.rmtree(index_folder / STAGING_NAME, ignore_errors=True)


@contextmanager
def lock(index_folder: Path) -> Iterator[None]:
    """Hold the right to change an index; the kernel frees it when the process dies.

    Raises
    ------
    BuildLockedError
        Another process holds it.
    """
    index_folder.mkdir(parents=True, exist_ok=True)
    held = FileLock(index_folder / LOCK_NAME)
    try:
        held.acquire(timeout=0)
    except Timeout:
        raise BuildLockedError(
            f"The index {index_folder.name!r} is being built or changed by another process.",
            remedy="Wait for it to end, then run the command again.",
        ) from None
    try:
        yield
    finally:
        held.release()


def current_mark(index_folder: Path) -> tuple[int, int, int] | None:
    """Return what changes whenever CURRENT is replaced, by one stat call; None if there is none."""
    try:
        stat = (index_folder / CURRENT_NAME).stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


def _build_folders(index_folder: Path) -> list[Path]:
    """Return the folders of builds, complete or not, by name and so by age."""
    if not index_folder.is_dir():
        return []
    return sorted(
        path for path in index_folder.iterdir() if path.is_dir() and _NAME.match(path.name)
    )


def _build_before_live(index_folder: Path, builds: list[str]) -> str:
    """Return the newest of `builds` (oldest first) that is older than the live one."""
    live = (index_folder / CURRENT_NAME).read_text("ascii", "replace").strip()
    earlier = [build for build in builds if build < live] if _NAME.match(live) else builds
    if not earlier:
        raise IndexNotFoundError(
            f"The index {index_folder.name!r} has no build before the live one.",
            remedy="`medsearch builds` lists what there is.",
        )
    return earlier[-1]

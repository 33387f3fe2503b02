"""Which build of an index is live: the CURRENT file, the lock, going back, clearing up."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from indexer.errors import BuildLockedError, IndexNotFoundError, UnknownNameError
from indexer.store.files import sync_folder, write_durably
from indexer.store.manifest import MANIFEST_NAME, Manifest, read_manifest

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
        Nothing was ever published there, or CURRENT names a build that is gone.
    """
    try:
        build_id = (index_folder / CURRENT_NAME).read_text("ascii").strip()
    except (OSError, ValueError):
        build_id = ""
    folder = index_folder / build_id
    if not _NAME.match(build_id) or not (folder / MANIFEST_NAME).is_file():
        raise IndexNotFoundError(
            f"There is no published build of the index {index_folder.name!r}.",
            remedy=f"Build it: medsearch index {index_folder.name}",
        )
    return folder


def list_builds(index_folder: Path) -> list[Manifest]:
    """Return the manifests of all complete builds, oldest first."""
    manifests = [
        read_manifest(path.parent)
        for path in index_folder.glob(f"*/{MANIFEST_NAME}")
        if not path.parent.name.startswith(".")
    ]
    return sorted(manifests, key=lambda manifest: (manifest.created_at, manifest.build_id))


def make_current(index_folder: Path, build_id: str) -> None:
    """Let readers see that build from now on; one atomic step."""
    write_durably(index_folder / CURRENT_NAME, f"{build_id}\n".encode("ascii"))


def rollback(index_folder: Path, build_id: str | None = None) -> str:
    """Make an earlier build live again and return its id; the one before the live one if None.

    Raises
    ------
    IndexNotFoundError
        There is no earlier build.
    UnknownNameError
        There is no complete build of that id.
    """
    with lock(index_folder):
        live = current_build(index_folder).name
        builds = [manifest.build_id for manifest in list_builds(index_folder)]
        if build_id is None:
            earlier = builds[: builds.index(live)] if live in builds else builds
            if not earlier:
                raise IndexNotFoundError(
                    f"The index {index_folder.name!r} has no build before {live}.",
                    remedy="`medsearch builds` lists what there is.",
                )
            build_id = earlier[-1]
        if build_id not in builds:
            raise UnknownNameError("build", build_id, builds)
        make_current(index_folder, build_id)
        return build_id


def prune(index_folder: Path, keep: int) -> list[str]:
    """Delete all but the newest `keep` builds and the live one; return the ids deleted.

    On POSIX systems readers that hold a deleted build go on reading it.
    """
    with lock(index_folder):
        live = current_build(index_folder).name
        builds = [manifest.build_id for manifest in list_builds(index_folder)]
        doomed = [build for build in builds[: max(0, len(builds) - keep)] if build != live]
        for build in doomed:
            # Without a manifest it is no build: a crash half-way leaves nothing that looks whole.
            (index_folder / build / MANIFEST_NAME).unlink()
            sync_folder(index_folder / build)
            shutil.rmtree(index_folder / build)
        return doomed


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

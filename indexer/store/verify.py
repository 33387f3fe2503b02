"""Checking a build's bytes against its manifest, and remembering that it was done.

Hashing everything takes a second for every gigabyte and a half, so a full check leaves a stamp
beside the build: size, times and inode of every file. As long as these are unchanged the files are
those that were checked; whatever writes to one moves its change time, which cannot be set back.
`verify_build` never trusts a stamp.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from indexer.errors import CorruptBuildError
from indexer.store.files import list_tree, sha256_of, write_whole
from indexer.store.manifest import MANIFEST_NAME, FileEntry, Manifest, read_manifest

_STAMPS = ".verified"

# Size, modification time, change time and inode of each file, by its path in the build.
Stamp: TypeAlias = dict[str, list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """What a full check found: the files read, their bytes, and one sentence for each fault."""

    index: str
    build_id: str
    files: int
    size_bytes: int
    faults: tuple[str, ...]


def verify_build(folder: Path) -> VerificationReport:
    """Read every byte of a build and compare it with the manifest; leave a stamp if all is well.

    Raises
    ------
    CorruptBuildError
        The manifest itself cannot be read.
    """
    manifest = read_manifest(folder)
    faults = _check(folder, manifest)
    return VerificationReport(
        index=manifest.index,
        build_id=manifest.build_id,
        files=len(manifest.files),
        size_bytes=sum(entry.size_bytes for entry in manifest.files.values()),
        faults=tuple(faults),
    )


def ensure_verified(folder: Path, manifest: Manifest) -> None:
    """Check a build in full unless a stamp vouches for every file.

    Raises
    ------
    CorruptBuildError
        Some file is missing, of another size, or of another content; or the build lies in another
        build's folder.
    """
    if manifest.build_id != folder.name:
        faults = [f"its folder is named {folder.name}."]
    elif _read_stamp(folder) == take_stamp(folder):
        return
    else:
        faults = _check(folder, manifest)
    if faults:
        raise CorruptBuildError(
            f"Build {manifest.build_id} of the index {manifest.index!r} is damaged: {faults[0]}",
            remedy=f"Go back with `medsearch rollback {manifest.index}`, or rebuild it with "
            f"`medsearch index {manifest.index}`.",
        )


def take_stamp(folder: Path) -> Stamp:
    """Return what tells whether a build's files were touched."""
    stamp = {}
    for path in list_tree(folder):
        stat = path.stat()
        stamp[path.relative_to(folder).as_posix()] = [
            stat.st_size,
            stat.st_mtime_ns,
            stat.st_ctime_ns,
            stat.st_ino,
        ]
    return stamp


def write_stamp(folder: Path, stamp: Stamp) -> None:
    """Remember that the files of a build were as its manifest says when the stamp was taken."""
    path = _stamp_path(folder)
    try:
        path.parent.mkdir(exist_ok=True)
        write_whole(path, json.dumps(stamp).encode())
    except OSError:
        # A read-only volume: the next reader checks again, that is all.
        return


def remove_stamp(folder: Path) -> None:
    """Forget a build that was deleted."""
    _stamp_path(folder).unlink(missing_ok=True)


def _check(folder: Path, manifest: Manifest) -> list[str]:
    """Return one sentence for each difference from the manifest; leave a stamp if there is none.

    The stamp is taken before the files are read, so that a change meanwhile shows in it.
    """
    stamp = take_stamp(folder)
    present = set(stamp) - {MANIFEST_NAME}
    strangers = sorted(present - set(manifest.files))
    faults = [f"{name} is not in the manifest." for name in strangers]

    def differs(name: str) -> str | None:
        return _fault(folder / name, name, manifest.files[name]) if name in present else (
            f"{name} is missing."
        )  # fmt: skip

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        faults += [fault for fault in threads.map(differs, sorted(manifest.files)) if fault]
    if not faults:
        write_stamp(folder, stamp)
    return faults


def _fault(path: Path, name: str, entry: FileEntry) -> str | None:
    try:
        size_bytes = path.stat().st_size
        if size_bytes != entry.size_bytes:
            return f"{name} has {size_bytes} bytes, not {entry.size_bytes}."
        if sha256_of(path) != entry.sha256:
            return f"{name} has another content than was written."
    except OSError as error:
        return f"{name} cannot be read ({os.strerror(error.errno or 0)})."
    return None


def _read_stamp(folder: Path) -> Stamp | None:
    try:
        found = json.loads(_stamp_path(folder).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _stamp_path(folder: Path) -> Path:
    return folder.parent / _STAMPS / f"{folder.name}.json"

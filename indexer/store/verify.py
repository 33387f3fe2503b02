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

from indexer.errors import CorruptBuildError
from indexer.store.files import list_tree, sha256_of, write_durably
from indexer.store.manifest import MANIFEST_NAME, Manifest, read_manifest

_STAMPS = ".verified"


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
    faults = _faults(folder, manifest)
    if not faults:
        write_stamp(folder)
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
        Some file is missing, of another size, or of another content.
    """
    if _read_stamp(folder) == _stamp(folder):
        return
    faults = _faults(folder, manifest)
    if faults:
        raise CorruptBuildError(
            f"Build {manifest.build_id} of the index {manifest.index!r} is damaged: {faults[0]}",
            remedy=f"Go back with `medsearch rollback {manifest.index}`, or rebuild it with "
            f"`medsearch index {manifest.index}`.",
        )
    write_stamp(folder)


def write_stamp(folder: Path) -> None:
    """Remember that the files of a build are as its manifest says."""
    stamps = folder.parent / _STAMPS
    try:
        stamps.mkdir(exist_ok=True)
        write_durably(stamps / f"{folder.name}.json", json.dumps(_stamp(folder)).encode())
    except OSError:
        # A read-only volume: the next reader checks again, that is all.
        return


def _faults(folder: Path, manifest: Manifest) -> list[str]:
    """Return one sentence for each way in which the files differ from the manifest."""
    present = {path.relative_to(folder).as_posix() for path in list_tree(folder)}
    present.discard(MANIFEST_NAME)
    faults = [f"{name} is not in the manifest." for name in sorted(present - set(manifest.files))]

    def check(name: str) -> str | None:
        entry = manifest.files[name]
        if name not in present:
            return f"{name} is missing."
        size_bytes = (folder / name).stat().st_size
        if size_bytes != entry.size_bytes:
            return f"{name} has {size_bytes} bytes, not {entry.size_bytes}."
        if sha256_of(folder / name) != entry.sha256:
            return f"{name} has another content than was written."
        return None

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        return faults + [fault for fault in threads.map(check, sorted(manifest.files)) if fault]


def _stamp(folder: Path) -> dict[str, list[int]]:
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


def _read_stamp(folder: Path) -> dict[str, list[int]] | None:
    path = folder.parent / _STAMPS / f"{folder.name}.json"
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None

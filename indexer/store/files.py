"""Writing that survives a crash.

A single file is written beside its place, synced, and moved there; then its folder is synced. A
folder of many files is written beside its place, synced once when all are there, and moved.
"""

import hashlib
import os
import shutil
from pathlib import Path

_BLOCK_BYTES = 1 << 20


def write_durably(path: Path, content: bytes) -> None:
    """Write `content` to `path`: it appears whole and on disk, or not at all."""
    _replace(path, content, sync=True)
    sync_folder(path.parent)


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to `path` whole or not at all, but do not wait for the disk.

    For what may be lost in a power cut, because it can be made again.
    """
    _replace(path, content, sync=False)


def _replace(path: Path, content: bytes, *, sync: bool) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            if sync:
                os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a rename is on disk only once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Fsync every file and folder below `folder`; to be done before it is moved into place.

    A full disk may show itself only here: as an OSError.
    """
    for parent, _, names in os.walk(folder):
        for name in names:
            descriptor = os.open(Path(parent, name), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(parent))


def sha256_of(path: Path) -> str:
    """Return a file's sha256 in hex, reading it in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def clear_folder(folder: Path, sign: str) -> None:
    """Delete a folder, its file `sign` first: a crash half-way leaves nothing that looks whole."""
    if folder.is_dir():
        (folder / sign).unlink(missing_ok=True)
        sync_folder(folder)
        shutil.rmtree(folder)


def list_tree(folder: Path) -> list[Path]:
    """Return all regular files below `folder`, sorted by path, but for lock files.

    Other programs that open a full-text index with tantivy leave an empty one behind.
    """
    found = (path for path in folder.rglob("*") if path.suffix != ".lock")
    return sorted(path for path in found if path.is_file())

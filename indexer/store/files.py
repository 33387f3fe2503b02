"""Writing that survives a crash: temporary file, fsync, rename, fsync of the folder."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter
from pathlib import Path

_BLOCK_BYTES = 1 << 20


@contextmanager
def durable_file(path: Path) -> Iterator[BufferedWriter]:
    """Open `path` for writing; it appears whole and on disk when the block ends, or not at all.

    A full disk raises OSError here, before anything is renamed.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_durably(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with durable_file(path) as stream:
        stream.write(content)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: a rename is on disk only once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Fsync every file and folder below `folder`: for trees that a library wrote by itself."""
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


def list_tree(folder: Path) -> list[Path]:
    """Return all regular files below `folder`, sorted by path, but for tantivy's lock files.

    tantivy leaves one behind whenever an index is opened; they are empty.
    """
    found = (path for path in folder.rglob("*") if path.suffix != ".lock")
    return sorted(path for path in found if path.is_file())

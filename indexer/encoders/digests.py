"""Digests of model files: what identifies a model, and what tells a damaged copy."""

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from indexer.encoders.reasons import reason_of, shown
from indexer.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


def file_sha256(path: "Path") -> str:
    """Return the SHA-256 of a file (hex); within a process an unchanged file is read once."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns, status.st_ino)


@lru_cache(maxsize=256)
def _sha256(path: "Path", _size_bytes: int, _mtime_ns: int, _inode: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def files_sha256(folder: "Path", names: "Iterable[str]") -> str:
    """Return one digest of several files of a folder (hex): of their names and digests, sorted."""
    lines = [f"{file_sha256(folder / name)}  {name}\n" for name in sorted(names)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_verified(path: "Path", sha256: str) -> bytes:
    """Read a file whose digest is known beforehand: the bytes returned are those that were checked.

    Raises
    ------
    EncoderError
        The file cannot be read, or it is another one.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise EncoderError(
            f"{shown(path)}: cannot be read ({reason_of(error, path)}).", remedy="Restore the file."
        ) from error
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise EncoderError(
            f"{shown(path)}: SHA-256 is {found[:16]}..., not {sha256[:16]}... as of the original "
            "model; it is not used.",
            remedy="Install the original file again; do not use this copy.",
        )
    return raw


def joined_sha256(digests: "Sequence[str]") -> str:
    """Return one digest of several, in their order; of a single one, itself."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()

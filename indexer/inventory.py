"""What lies in a dataset's folder: the files of a build, and whether they are synthetic."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.records import SourceFile

SYNTHETIC_MARKER = "SYNTHETIC.json"

# Tables are hashed whole into the manifest. Images are hashed one by one as they are decoded, and
# those digests stand in the records, so hashing them here would read every pixel file twice.
_TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".json", ".jsonl", ".parquet", ".npz"})
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """Whether a folder's files were made up; `real_files` (relative, POSIX) are the exceptions."""

    synthetic: bool
    real_files: frozenset[str] = frozenset()

    def covers(self, path: str) -> bool:
        """Return whether the file of that relative path was made up."""
        return self.synthetic and path not in self.real_files


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Every file of a dataset's folder, summed up.

    `digest` covers each file's relative path, size and modification time: if it is unchanged, an
    interrupted build may go on where it stopped. `tables` are the hashed tabular files.
    """

    files: int
    size_bytes: int
    digest: str
    tables: tuple[SourceFile, ...]
    marker: Marker


def take_inventory(root: Path) -> Inventory:
    """Walk `root` in a stable order and sum up its files; hidden files are passed over."""
    digest = hashlib.sha256()
    count = size_bytes = 0
    tables: list[SourceFile] = []
    for path in _walk(root):
        stat = path.stat()
        relative = path.relative_to(root).as_posix()
        digest.update(f"{relative}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode(errors="replace"))
        count += 1
        size_bytes += stat.st_size
        if path.suffix.lower() in _TABLE_SUFFIXES:
            tables.append(
                SourceFile(path=relative, size_bytes=stat.st_size, sha256=_sha256_of(path))
            )
    return Inventory(
        files=count,
        size_bytes=size_bytes,
        digest=digest.hexdigest(),
        tables=tuple(tables),
        marker=read_marker(root),
    )


def read_marker(root: Path) -> Marker:
    """Return what the folder's marker file says; without one nothing in it is synthetic."""
    path = root / SYNTHETIC_MARKER
    if not path.is_file():
        return Marker(synthetic=False)
    said = json.loads(path.read_text("utf-8"))
    return Marker(
        synthetic=bool(said.get("synthetic", False)),
        real_files=frozenset(said.get("real_files", ())),
    )


def _walk(root: Path) -> Iterator[Path]:
    """Yield regular files below `root`, sorted by name within each folder, hidden ones left out."""
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if not name.startswith(".") and path.is_file():
                yield path


def _sha256_of(path: Path) -> str:
    """Return a file's sha256 in hex, reading it in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()

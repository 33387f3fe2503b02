"""Finding files in folders that came out of other people's archives: order, strays, spellings."""

import os
import re
from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterator
from hashlib import blake2b
from pathlib import Path

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")

_STRAY_NAMES = frozenset({"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin"})
_DIGITS = re.compile(r"([0-9]+)")
_SPELLINGS = tuple(spelt for suffix in IMAGE_SUFFIXES for spelt in (suffix, suffix.upper()))


def is_stray(name: str) -> bool:
    """Return whether a name is what operating systems leave behind: hidden, `__MACOSX` ..."""
    return name.startswith(".") or name.casefold() in _STRAY_NAMES


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Return the sort key that puts `image2` before `image10`, whatever the file system says."""
    parts: list[str | int] = list(_DIGITS.split(name))
    parts[1::2] = [int(digits) for digits in parts[1::2]]
    return parts, name


def list_folders(folder: Path) -> list[str]:
    """Return the names of the folders in `folder` in natural order; links are not followed."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sorted((name for name in names if not is_stray(name)), key=natural_key)


def iter_files(folder: Path, suffixes: Collection[str] | None = None) -> Iterator[str]:
    """Yield the names of the files in `folder`, of those suffixes if given, in no order."""
    with os.scandir(folder) as entries:
        for entry in entries:
            right = suffixes is None or Path(entry.name).suffix.lower() in suffixes
            if right and not is_stray(entry.name) and entry.is_file():
                yield entry.name


def list_files(folder: Path, suffixes: Collection[str] | None = None) -> list[str]:
    """Return the names of the files in `folder` in natural order, of those suffixes if given."""
    return sorted(iter_files(folder, suffixes), key=natural_key)


def walk_folders(folder: Path, depth: int | None = None) -> Iterator[Path]:
    """Yield `folder` and the folders below it, parents first, to `depth` levels (None: all)."""
    yield folder
    if depth == 0:
        return
    for name in list_folders(folder):
        yield from walk_folders(folder / name, None if depth is None else depth - 1)


def find_image(folder: Path, stem: str) -> Path | None:
    """Return the image file of that stem in `folder`, with whatever suffix in either case."""
    for suffix in _SPELLINGS:
        path = folder / f"{stem}{suffix}"
        if path.is_file():
            return path
    return None


def relative_name(root: Path, path: Path) -> str:
    """Return `path` relative to `root` in POSIX form; bytes that are not UTF-8 become `?`."""
    return path.relative_to(root).as_posix().encode("utf-8", "replace").decode("utf-8")


def is_nameable(name: str) -> bool:
    """Return whether a file name is UTF-8; another one cannot be written into an index."""
    return name.encode("utf-8", "replace") == os.fsencode(name)


class NameSet:
    """A set of names at 8 bytes each, so that a list of millions of files fits in memory.

    Names are kept as 64-bit BLAKE2b digests; among 100,000 names, one that was never added is
    taken for known with a chance of 5e-15.
    """

    def __init__(self) -> None:
        self._digests = array("Q")
        self._sorted = True

    def __len__(self) -> int:
        return len(self._digests)

    def add(self, name: str) -> None:
        """Add a name; adding it twice does no harm."""
        self._digests.append(_digest(name))
        self._sorted = False

    def __contains__(self, name: str) -> bool:
        if not self._sorted:
            self._digests = array("Q", sorted(self._digests))
            self._sorted = True
        digest = _digest(name)
        position = bisect_left(self._digests, digest)
        return position < len(self._digests) and self._digests[position] == digest


def _digest(name: str) -> int:
    raw = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "big")

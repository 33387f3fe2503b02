"""Unpacking other people's zip files: nothing leaves its folder or outgrows its bounds."""

import hashlib
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from indexer.errors import DamagedDownloadError

_BLOCK_BYTES = 1 << 20
_ENCRYPTED = 0x1
_LONGEST_NAME, _LONGEST_PART = 1024, 255
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})

# What zipfile raises for broken bytes: a ValueError for a name that is not UTF-8, an OSError for an
# offset before the file's start, a RuntimeError where it wants a password.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    OSError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much an archive may hold."""

    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file that was unpacked; `md5` in hex is what publishers of DICOM give, not a safeguard."""

    name: str
    size_bytes: int
    md5: str


def list_members(archive: Path, bounds: Bounds) -> list[zipfile.ZipInfo]:
    """Return the files in an archive after checking the names and sizes that it declares.

    Raises
    ------
    DamagedDownloadError
        It is no whole zip file, or holds what must not be unpacked.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
    except _BROKEN as error:
        raise _damaged(f"no whole zip file ({error})") from error
    seen: set[str] = set()
    for member in members:
        _check_member(member)
        folded = member.filename.casefold()
        if folded in seen:
            raise _damaged(f"two files named {_shown(member.filename)}")
        seen.add(folded)
    total = sum(member.file_size for member in members)
    if len(members) > bounds.files or total > bounds.size_bytes:
        raise _damaged(
            f"{len(members):,} files of {total:,} bytes, where {bounds.files:,} files of "
            f"{bounds.size_bytes:,} bytes are allowed"
        )
    return members


def unpack(
    archive: Path,
    folder: Path,
    bounds: Bounds,
    *,
    wanted: Callable[[str], bool] = lambda _name: True,
    on_bytes: Callable[[int], None] = lambda _done: None,
) -> list[Member]:
    """Unpack the wanted files into an empty `folder`, checking each one's CRC-32.

    Raises
    ------
    DamagedDownloadError
        As `list_members`, or a file's bytes are not what the archive says.
    """
    chosen = [member for member in list_members(archive, bounds) if wanted(member.filename)]
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    unpacked: list[Member] = []
    done = 0
    with zipfile.ZipFile(archive) as opened:
        for info in chosen:
            member = _write_member(opened, info, folder / info.filename)
            unpacked.append(member)
            done += member.size_bytes
            on_bytes(done)
    return unpacked


def _write_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> Member:
    digest = hashlib.md5(usedforsecurity=False)
    size = 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        stream = target.open("xb")
    except (FileExistsError, NotADirectoryError) as error:
        raise _damaged(f"{_shown(info.filename)} lies where another member lies") from error
    with stream:
        for block in _read_member(opened, info):
            size += len(block)
            if size > info.file_size:
                raise _damaged(f"{_shown(info.filename)} is longer than declared")
            digest.update(block)
            stream.write(block)
    return Member(name=info.filename, size_bytes=size, md5=digest.hexdigest())


def _read_member(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member's blocks; what goes wrong here is the archive's fault, not the disk's."""
    try:
        with opened.open(info) as source:
            while block := source.read(_BLOCK_BYTES):
                yield block
    except _BROKEN as error:
        raise _damaged(f"{_shown(info.filename)}: {error}") from error


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    parts = PurePosixPath(name).parts
    if (
        not parts
        or len(name) > _LONGEST_NAME
        or any(len(part.encode("utf-8", "replace")) > _LONGEST_PART for part in parts)
        or name.startswith("/")
        or "\\" in member.orig_filename
        or "\0" in member.orig_filename
        or ".." in parts
        or PureWindowsPath(name).drive
    ):
        raise _damaged(f"a name that leaves the folder: {_shown(name)}")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        raise _damaged(f"{_shown(name)} is a link or a device")
    if member.compress_type not in _METHODS:
        raise _damaged(f"{_shown(name)} is neither stored nor deflated")
    if member.flag_bits & _ENCRYPTED:
        raise _damaged(f"{_shown(name)} is encrypted")


def _shown(name: str) -> str:
    return repr(name[:80])


def _damaged(reason: str) -> DamagedDownloadError:
    return DamagedDownloadError(
        f"The archive is not one to unpack: {reason}.",
        remedy="Nothing of it was kept. Download it again; if it stays so, tell the publisher.",
    )

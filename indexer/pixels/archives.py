"""The image files of a zip archive, as a series is sent or downloaded; read where it may fail.

Archives inside the archive are not opened, nothing is written, and no name in it is trusted.
"""

import io
import re
import struct
import zlib
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from indexer.errors import DecodeError, LimitExceededError, NotAnImageError
from indexer.pixels.header import read_header
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.sniff import sniff_format
from indexer.pixels.thinning import spread

ZIP_MAGIC: Final = b"PK\x03\x04"
MAX_MEMBERS: Final = 5000
_HEAD_BYTES: Final = 16 * 1024
_LONG_HEAD_BYTES: Final = 1024 * 1024
_ENCRYPTED: Final = 1
_INDEX_NAME: Final = "DICOMDIR"

_Name: TypeAlias = list[tuple[int, int, str]]
_DAMAGE: Final = (
    BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ArchiveRequest:
    """A zip archive of which `most` image files are wanted."""

    raw: bytes = field(repr=False)
    most: int


@dataclass(frozen=True, slots=True)
class Unpacked:
    """Image files of an archive, and how many it holds in all."""

    files: list[bytes] = field(repr=False)
    images: int


def read_images(request: ArchiveRequest, limits: DecodeLimits) -> Unpacked:
    """Return the image files of an archive, at most `most` of them, spread evenly.

    Image files are told by how they begin; DICOM objects without an image are left out where
    something else is there. Series come one after the other, their slices in the order of their
    Instance Numbers, as in an index; what states none in that of its name, numbers by value.

    Raises
    ------
    LimitExceededError
        The archive, what it holds, or how many files it holds is more than is allowed.
    DecodeError
        It is damaged or encrypted, or holds no image file.
    """
    if len(request.raw) > limits.max_file_bytes:
        raise LimitExceededError(f"{len(request.raw)} bytes are more than {limits.max_file_bytes}.")
    try:
        with ZipFile(io.BytesIO(request.raw)) as archive:
            members = _list_images(archive, limits)
            chosen = [members[place] for place in spread(len(members), request.most)]
            return Unpacked(_read(archive, chosen, limits), len(members))
    except DecodeError:
        raise
    except _DAMAGE as error:
        raise DecodeError("The zip archive is damaged.") from error


def _list_images(archive: ZipFile, limits: DecodeLimits) -> list[ZipInfo]:
    """Return the members that begin like images, in order."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise LimitExceededError(f"The archive holds more than {MAX_MEMBERS} files.")
    if any(one.flag_bits & _ENCRYPTED for one in members):
        raise DecodeError("The archive is encrypted.", remedy="Send it without a password.")
    if any(one.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for one in members):
        raise DecodeError("The archive is packed in an unusual way.", remedy="Use plain zip.")
    files = [
        one for one in members
        if not one.is_dir() and one.filename.rpartition("/")[2].upper() != _INDEX_NAME
    ]  # fmt: skip
    found = [(one, place) for one in files if (place := _place(archive, one, limits)) is not None]
    if not found:
        raise DecodeError("The archive holds no image file.")
    images = [pair for pair in found if pair[1].is_image] or found
    return [one for one, _ in sorted(images, key=lambda pair: pair[1].key)]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file stands among the others, and whether it is known to hold no image."""

    name: _Name
    series: str = ""
    number: int | None = None
    is_image: bool = True

    @property
    def key(self) -> tuple[str, bool, int, _Name]:
        """What files are put in order by: those without a number come last in their series."""
        return self.series, self.number is None, self.number or 0, self.name


def _place(archive: ZipFile, member: ZipInfo, limits: DecodeLimits) -> _Place | None:
    """Return where a member belongs, from its beginning; None if it begins like no image."""
    name = _natural(member.filename)
    with archive.open(member) as stream:
        head = stream.read(_HEAD_BYTES)
        kind = sniff_format(head)
        if kind != "dicom":
            return None if kind is None else _Place(name)
        try:
            return _place_of(name, head, limits)
        except DecodeError:  # private elements may be long
            head += stream.read(_LONG_HEAD_BYTES)
    try:
        return _place_of(name, head, limits)
    except NotAnImageError:
        return _Place(name, is_image=False)
    except DecodeError:  # decoding says why, if this is among the files that are wanted
        return _Place(name)


def _place_of(name: _Name, head: bytes, limits: DecodeLimits) -> _Place:
    header = read_header(head, limits)
    return _Place(name, header.series_uid or "", header.instance_number)


def _natural(name: str) -> _Name:
    parts = re.findall(r"([0-9]{1,18})|([^0-9]+)", name)
    return [(0, int(number), "") if number else (1, 0, text) for number, text in parts]


def _read(archive: ZipFile, members: list[ZipInfo], limits: DecodeLimits) -> list[bytes]:
    """Inflate members; what they state of their sizes is not believed."""
    files: list[bytes] = []
    left = limits.max_inflated_bytes
    for member in members:
        with archive.open(member) as stream:
            raw = stream.read(left + 1)
        left -= len(raw)
        if left < 0:
            raise LimitExceededError(
                f"The archive inflates to more than {limits.max_inflated_bytes} bytes."
            )
        files.append(raw)
    return files

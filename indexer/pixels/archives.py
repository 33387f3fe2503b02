"""The image files of a zip archive, as a series is sent or downloaded; read where it may fail.

Archives inside the archive are not opened, nothing is written, and no name in it is trusted.
"""

import io
import re
import struct
import zlib
from dataclasses import dataclass, field
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.sniff import sniff_format
from indexer.pixels.thinning import spread

ZIP_MAGIC: Final = b"PK\x03\x04"
MAX_MEMBERS: Final = 5000
_SNIFFED_BYTES: Final = 1024
_ENCRYPTED: Final = 1
_INDEX_NAME: Final = "DICOMDIR"
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

    Image files are told by how they begin; their order is that of their names, numbers in these
    by value.

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
            members = _list_images(archive)
            chosen = [members[place] for place in spread(len(members), request.most)]
            return Unpacked(_read(archive, chosen, limits), len(members))
    except DecodeError:
        raise
    except _DAMAGE as error:
        raise DecodeError("The zip archive is damaged.") from error


def _list_images(archive: ZipFile) -> list[ZipInfo]:
    """Return the members that begin like images, in the natural order of their names."""
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
    images = [one for one in files if _is_image(archive, one)]
    if not images:
        raise DecodeError("The archive holds no image file.")
    return sorted(images, key=lambda one: _natural(one.filename))


def _natural(name: str) -> list[tuple[int, int, str]]:
    parts = re.findall(r"([0-9]{1,18})|([^0-9]+)", name)
    return [(0, int(number), "") if number else (1, 0, text) for number, text in parts]


def _is_image(archive: ZipFile, member: ZipInfo) -> bool:
    with archive.open(member) as stream:
        return sniff_format(stream.read(_SNIFFED_BYTES)) is not None


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

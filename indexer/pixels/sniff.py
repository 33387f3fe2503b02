"""Tells an image's format from its first bytes, never from its name."""

import struct
from typing import Final, Literal, TypeAlias

from indexer.pixels.elements import KNOWN_VRS

ImageFormat: TypeAlias = Literal["png", "jpeg", "tiff", "webp", "bmp", "npy", "dicom"]

_PREAMBLE_BYTES: Final = 128
_SHORTEST_ELEMENT_BYTES: Final = 8
_FIRST_GROUPS: Final = (0x0002, 0x0008)
_LAST_FIRST_NUMBER: Final = 0x0100
_LONGEST_FIRST_VALUE: Final = 1024
_MAGIC: Final[tuple[tuple[bytes, ImageFormat], ...]] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"BM", "bmp"),
    (b"\x93NUMPY", "npy"),
)


def sniff_format(raw: bytes) -> ImageFormat | None:
    """Return the format that the bytes begin like, or None."""
    if raw[_PREAMBLE_BYTES : _PREAMBLE_BYTES + 4] == b"DICM":
        return "dicom"
    for magic, name in _MAGIC:
        if raw.startswith(magic):
            return name
    if raw.startswith(b"RIFF") and raw[8:12] == b"WEBP":
        return "webp"
    return "dicom" if _begins_like_an_element(raw[:_SHORTEST_ELEMENT_BYTES]) else None


def _begins_like_an_element(head: bytes) -> bool:
    """Tell whether a file without preamble begins with an element of group 0002 or 0008."""
    if len(head) < _SHORTEST_ELEMENT_BYTES:
        return False
    for order in ("<", ">"):
        group, number, length = struct.unpack_from(f"{order}HHI", head)
        if group in _FIRST_GROUPS and number <= _LAST_FIRST_NUMBER:
            return head[4:6] in KNOWN_VRS or length <= _LONGEST_FIRST_VALUE
    return False

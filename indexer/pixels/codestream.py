"""Reads what a compressed codestream states about itself, before anything decodes it.

Decoders trust these statements: a patched size makes them allocate gigabytes, and what is
missing at the end they fill with grey and call good.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from indexer.errors import DecodeError

JPEG_START: Final = b"\xff\xd8"
JPEG_END: Final = b"\xff\xd9"
J2K_START: Final = b"\xff\x4f\xff\x51"
JP2_SIGNATURE: Final = b"\x00\x00\x00\x0cjP  \r\n\x87\n"

FILLER: Final = b"\xff\x00" * 8
"""Sixty-four one bits of entropy-coded data. No Huffman code of JPEG is all ones (T.81 C.2), so a
decoder that lacks data cannot go on with these, while a complete image never looks at them."""

_PROGRESSIVE_FRAME: Final = 0xC2
_LOSSLESS_FRAME: Final = 0xC3
_JPEG_LS_FRAME: Final = 0xF7
_PROGRESSIVE_FRAMES: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_FRAMES: Final = frozenset({*range(0xC0, 0xD0), _JPEG_LS_FRAME} - {0xC4, 0xC8, 0xCC})
_SCAN, _END, _APP14 = 0xDA, 0xD9, 0xEE
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
# In entropy-coded data, 0xFF is followed by a stuffed zero, a restart marker or fill bytes; in
# JPEG-LS by a byte below 0x80 (T.81 B.1.1.5, T.87 A.1).
_MARKER_IN_SCAN: Final = re.compile(rb"\xff+[\x80-\xcf\xd8-\xfe]")
_J2K_HEADER_SEARCH_BYTES: Final = 4096
_J2K_TILE, _J2K_END = 0xFF90, 0xFFD9
_J2K_MAX_TILES: Final = 65_535
_J2K_TILE_HEADER_BYTES: Final = 12
_BLOCK_PX: Final = 8


@dataclass(frozen=True, slots=True)
class Codestream:
    """What a codestream says about itself.

    `precision` counts bits of a sample; `adobe_transform` is the colour transform stated by an
    Adobe APP14 marker (0: none, 1: YCbCr), or None; `end` is where the compressed data ends.
    `scans` counts the passes over the image: one pass can be checked for missing data.
    """

    rows: int
    columns: int
    components: int
    precision: int
    end: int
    signed: bool = False
    lossless: bool = False
    scans: int = 1
    adobe_transform: int | None = None


def read_jpeg(raw: bytes) -> Codestream:
    """Walk a JPEG or JPEG-LS codestream from marker to marker (ITU-T T.81 annex B, T.87 annex C).

    Raises
    ------
    DecodeError
        It has no frame header, or ends before its end marker.
    """
    frame: tuple[int, int, int, int] | None = None
    adobe: int | None = None
    frame_marker = scans = data_end = first_scan_bytes = 0
    for marker, start, end in _iter_segments(raw):
        if marker == _APP14 and raw.startswith(b"Adobe", start) and end >= start + 12:
            adobe = raw[start + 11]
        elif marker in _FRAMES and end >= start + 6:
            frame, frame_marker = struct.unpack_from(">BHHB", raw, start), marker
        elif marker == _SCAN:
            scans, data_end = scans + 1, end
            first_scan_bytes = first_scan_bytes or end - start
        elif marker == _END and frame is not None and scans:
            precision, rows, columns, components = frame
            if frame_marker == _PROGRESSIVE_FRAME:
                _check_first_scan(rows, columns, first_scan_bytes)
            return Codestream(
                rows=rows,
                columns=columns,
                components=components,
                precision=precision,
                end=data_end,
                lossless=frame_marker == _LOSSLESS_FRAME,
                scans=2 if frame_marker in _PROGRESSIVE_FRAMES else scans,
                adobe_transform=adobe,
            )
    raise DecodeError("The JPEG codestream has no frame header, no scan or no end marker.")


def read_jpeg2000(raw: bytes) -> Codestream:
    """Read the SIZ segment of a JPEG 2000 codestream, bare or in a JP2 box (ITU-T T.800 A.5.1).

    Raises
    ------
    DecodeError
        It has no SIZ segment, lacks tiles, or ends before its end marker.
    """
    start = raw.find(J2K_START, 0, _J2K_HEADER_SEARCH_BYTES)
    if start < 0 or len(raw) < start + 43:
        raise DecodeError("The JPEG 2000 codestream has no size segment.")
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top = struct.unpack_from(
        ">8I", raw, start + 8
    )
    if (
        tile_left > left
        or tile_top > top
        or right <= left
        or bottom <= top
        or not tile_width
        or not tile_height
    ):
        raise DecodeError("The JPEG 2000 codestream states an impossible size.")
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    end = _check_tiles(raw, start, tiles)
    depth = raw[start + 42]
    return Codestream(
        rows=bottom - top,
        columns=right - left,
        components=int.from_bytes(raw[start + 40 : start + 42], "big"),
        precision=(depth & 0x7F) + 1,
        end=end,
        signed=bool(depth & 0x80),
    )


def _check_first_scan(rows: int, columns: int, scan_bytes: int) -> None:
    """Refuse a progressive JPEG whose first scan cannot hold a bit for each of its blocks.

    A baseline image that lacks data is noticed while it is decoded; this one would not be.
    """
    blocks = -(-rows // _BLOCK_PX) * -(-columns // _BLOCK_PX)
    if scan_bytes * 8 < blocks:
        raise DecodeError("The JPEG codestream is cut short: its data ends before its image.")


def _check_tiles(raw: bytes, start: int, tiles: int) -> int:
    """Hop over the tile-parts, check that no tile is missing, and return where they end.

    OpenJPEG shows missing tiles as black (T.800 A.4.2: SOT; a length of 0 reaches to the end).
    """
    if tiles > _J2K_MAX_TILES:
        raise DecodeError("The JPEG 2000 codestream states an absurd number of tiles.")
    found: set[int] = set()
    offset = start + 2
    while offset + _J2K_TILE_HEADER_BYTES <= len(raw):
        marker, length, index, part_bytes = struct.unpack_from(">HHHI", raw, offset)
        if marker != _J2K_TILE:
            if marker == _J2K_END or found:
                break
            offset += 2 + length
            continue
        found.add(index)
        if part_bytes == 0:
            offset = max(offset, raw.rfind(JPEG_END))
            break
        offset += max(part_bytes, _J2K_TILE_HEADER_BYTES)
    if len(found) < tiles or raw[offset : offset + 2] != JPEG_END:
        raise DecodeError("The JPEG 2000 codestream is cut short or lacks tiles.")
    return offset


def begins_codestream(raw: bytes) -> bool:
    """Tell whether a fragment of pixel data begins a new JPEG, JPEG-LS or JPEG 2000 codestream."""
    return raw.startswith((JPEG_START, J2K_START, JP2_SIGNATURE))


def _iter_segments(raw: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of the content of each marker segment.

    The content of a scan is its header with the entropy-coded bytes behind it; that of the end
    marker begins, and ends, at the marker.
    """
    offset = len(JPEG_START) if raw.startswith(JPEG_START) else len(raw)
    while offset + 2 <= len(raw):
        if raw[offset] != 0xFF:
            raise DecodeError("The JPEG codestream holds no marker where one must be.")
        marker = raw[offset + 1]
        if marker == _END:
            yield marker, offset, offset
            return
        if marker == 0xFF or marker in _STANDALONE:
            offset += 1 if marker == 0xFF else 2  # 0xFF may be repeated before a marker
            continue
        start, end = offset + 4, offset + 2 + int.from_bytes(raw[offset + 2 : offset + 4], "big")
        if marker == _SCAN:
            found = _MARKER_IN_SCAN.search(raw, end)
            end = found.start() if found else len(raw)
        if not start <= end <= len(raw):
            raise DecodeError("The JPEG codestream ends inside a marker segment.")
        yield marker, start, end
        offset = end

"""Colour: YBR to RGB, palettes, and samples of any depth to 8 bits."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.errors import DecodeError
from indexer.pixels.attributes import Attributes
from indexer.pixels.native import Samples
from indexer.pixels.tags import PixelTag

Pixels: TypeAlias = npt.NDArray[np.uint8]

# PS3.3 C.7.6.3.1.2: rows give R, G and B from Y, Cb and Cr, all three centred.
_FROM_YBR_FULL: Final = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))
_FROM_YBR_PARTIAL: Final = (
    (1.1644, 0.0, 1.5960),
    (1.1644, -0.3917, -0.8130),
    (1.1644, 2.0173, 0.0),
)
_WHOLE_RANGE: Final = 65_536
WHITE: Final = 255

_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2
_PALETTES: Final = (
    (PixelTag.RED_DESCRIPTOR, PixelTag.RED_PALETTE, PixelTag.RED_SEGMENTS),
    (PixelTag.GREEN_DESCRIPTOR, PixelTag.GREEN_PALETTE, PixelTag.GREEN_SEGMENTS),
    (PixelTag.BLUE_DESCRIPTOR, PixelTag.BLUE_PALETTE, PixelTag.BLUE_SEGMENTS),
)


def convert_ybr(values: Samples, photometric: str, bits: int) -> Samples:
    """Convert unsigned (H, W, 3) samples of YBR_FULL or YBR_PARTIAL to RGB of the same depth.

    PS3.3 C.7.6.3.1.2 with chroma centred at half range; rounded half up.
    """
    partial = photometric.startswith("YBR_PARTIAL")
    matrix = np.array(_FROM_YBR_PARTIAL if partial else _FROM_YBR_FULL, np.float32)
    middle = 1 << (bits - 1)
    black = 16 << (bits - 8) if partial and bits >= 8 else 0
    centred = values.astype(np.float32) - np.array([black, middle, middle], np.float32)
    rgb = centred[..., :1] * matrix[:, 0] + centred[..., 1:2] * matrix[:, 1]
    rgb += centred[..., 2:] * matrix[:, 2]
    return np.clip(np.floor(rgb + 0.5), 0, (1 << bits) - 1).astype(values.dtype)


def scale_to_bytes(values: Samples, bits: int) -> Pixels:
    """Scale unsigned samples of `bits` bits to 8, so that the brightest becomes 255."""
    if bits == 8:
        return values.astype(np.uint8, copy=False)
    if bits > 8:
        return (values >> (bits - 8)).astype(np.uint8)
    return (values.astype(np.uint16) * 255 // ((1 << bits) - 1)).astype(np.uint8)


def apply_palette(values: Samples, attributes: Attributes) -> Pixels:
    """Look up indices (H, W) in the file's palettes, giving (H, W, 3) (PS3.3 C.7.6.3.1.5).

    Raises
    ------
    DecodeError
        A palette is missing, or shorter than its descriptor says.
    """
    channels = []
    for descriptor_tag, table_tag, segments_tag in _PALETTES:
        entries, first, bits = read_descriptor(attributes, descriptor_tag, values.dtype.kind == "i")
        if segments_tag in attributes and table_tag not in attributes:
            table = expand_segments(attributes.shorts(segments_tag), entries)
        else:
            table = read_table(attributes, table_tag, entries)
        depth = bits if int(table.max()) > WHITE else 8  # 8-bit entries are often called 16-bit
        index = np.clip(values.astype(np.int64) - first, 0, entries - 1)
        channels.append(scale_to_bytes(table, depth)[index])
    return np.stack(channels, axis=-1)


def read_descriptor(attributes: Attributes, tag: int, signed: bool) -> tuple[int, int, int]:
    """Return a look-up table's entries, its first mapped value and its bits (PS3.3 C.11.1.1).

    Raises
    ------
    DecodeError
        It does not hold three numbers.
    """
    descriptor = attributes.shorts(tag)
    if len(descriptor) < 3 or descriptor[2] not in range(8, 17):
        raise DecodeError("A look-up table has no usable descriptor.")
    entries, first, bits = descriptor[:3]
    element = attributes.element(tag)
    stated_signed = element is not None and element.vr == b"SS"
    stated_unsigned = element is not None and element.vr == b"US"
    if stated_signed or (signed and not stated_unsigned):
        first = first - _WHOLE_RANGE if first >= _WHOLE_RANGE // 2 else first
    return entries or _WHOLE_RANGE, first, bits


def read_table(attributes: Attributes, tag: int, entries: int) -> npt.NDArray[np.uint16]:
    """Return the entries of a look-up table, which are stored as words or, if 8-bit, as bytes.

    Raises
    ------
    DecodeError
        There are fewer than the descriptor says.
    """
    raw = attributes.raw(tag)
    if len(raw) >= 2 * entries:
        return np.array(attributes.shorts(tag)[:entries], np.uint16)
    if len(raw) >= entries:
        return np.frombuffer(raw, np.uint8, entries).astype(np.uint16)
    raise DecodeError(f"A look-up table holds {len(raw)} bytes for {entries} entries.")


def expand_segments(words: tuple[int, ...], entries: int) -> npt.NDArray[np.uint16]:
    """Expand a segmented palette: discrete, linear and indirect segments (PS3.3 C.7.9.2).

    Raises
    ------
    DecodeError
        A segment is damaged, or they do not make up all entries.
    """
    table: list[int] = []
    starts: list[int] = []
    position = 0
    while position + 3 <= len(words) and len(table) < entries:
        kind, length = words[position], words[position + 1]
        if kind == _INDIRECT and position + 4 <= len(words):
            offset = (words[position + 3] << 16 | words[position + 2]) // 2
            for start in [each for each in starts if each >= offset][:length]:
                if len(table) < entries:
                    _expand_plain(words, start, table)
            position += 4
        else:
            starts.append(position)
            position = _expand_plain(words, position, table)
    if len(table) < entries:
        raise DecodeError(f"A segmented palette makes {len(table)} of {entries} entries.")
    return np.array(table[:entries], np.uint16)


def _expand_plain(words: tuple[int, ...], position: int, table: list[int]) -> int:
    """Append a discrete or linear segment to the table; return where the next begins."""
    kind, length = words[position], words[position + 1]
    if kind == _DISCRETE and position + 2 + length <= len(words):
        table.extend(words[position + 2 : position + 2 + length])
        return position + 2 + length
    if kind == _LINEAR and table and length and position + 2 < len(words):
        begin, target = table[-1], words[position + 2]
        steps = range(1, length + 1)
        table.extend(begin + (target - begin) * step // length for step in steps)
        return position + 3
    raise DecodeError("A segmented palette holds a damaged segment.")

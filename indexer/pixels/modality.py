"""Stored samples to real-world values: Hounsfield units for CT (PS3.3 C.11.1)."""

from typing import Final

import numpy as np

from indexer.errors import DecodeError
from indexer.pixels.attributes import Attributes
from indexer.pixels.colour import read_descriptor, read_table
from indexer.pixels.layout import PIXEL_TAGS
from indexer.pixels.native import Samples, extend_sign
from indexer.pixels.stored import StoredFrame
from indexer.pixels.tags import PixelTag
from indexer.pixels.window import FloatValues

_INTEGER_KINDS: Final = "iu"


def compute_real_values(frame: StoredFrame, *, keep_padding: bool = False) -> FloatValues:
    """Return float32 (H, W): a Modality LUT's output, or slope x stored + intercept.

    Pixels that hold the padding value, or lie between it and its range limit, are NaN, unless
    `keep_padding`.

    Raises
    ------
    DecodeError
        The frame is in colour, or its transformation is damaged.
    """
    if frame.values.ndim != 2 or not frame.photometric.startswith("MONOCHROME"):
        raise DecodeError("A colour image has no real-world values.")
    table = frame.attributes.item(PixelTag.MODALITY_LUT, PIXEL_TAGS)
    if table is not None and frame.values.dtype.kind in _INTEGER_KINDS:
        values = look_up(frame.values, table, signed=frame.layout.signed)[0].astype(np.float32)
    else:
        values = _rescale(frame)
    padding = None if keep_padding else find_padding(frame)
    if padding is not None:
        values[padding] = np.nan
    return values


def find_padding(frame: StoredFrame) -> Samples | None:
    """Return a mask of the pixels that are padding, or None (PS3.3 C.7.5.1.1.2).

    The value is written with the wrong sign often enough (63536 for -2000) to be read as bits.
    """
    low = _read_padding(frame, PixelTag.PADDING_VALUE)
    if low is None:
        return None
    limit = _read_padding(frame, PixelTag.PADDING_LIMIT)
    high = low if limit is None else limit
    if low == high:
        mask = frame.values == low
    else:
        mask = (frame.values >= min(low, high)) & (frame.values <= max(low, high))
    return mask if mask.any() else None


def _read_padding(frame: StoredFrame, tag: PixelTag) -> int | None:
    """Return a padding value as a stored sample would be read; 0 of 8 bits is too often real."""
    value = frame.attributes.short(tag)
    if value is None or frame.values.dtype.kind not in _INTEGER_KINDS:
        return None
    if not frame.layout.signed:
        return value
    return int(extend_sign(np.array([value], np.uint16), min(16, frame.layout.bits_allocated))[0])


def _rescale(frame: StoredFrame) -> FloatValues:
    """Apply Rescale Slope and Intercept, of the frame's own functional group if it has one."""
    group = find_group(frame, PixelTag.PIXEL_VALUE_TRANSFORMATION)
    source = group if group is not None else frame.attributes
    slopes, intercepts = (
        source.numbers(PixelTag.RESCALE_SLOPE),
        source.numbers(PixelTag.RESCALE_INTERCEPT),
    )
    slope = slopes[0] if slopes and slopes[0] != 0 else 1.0
    intercept = intercepts[0] if intercepts else 0.0
    values = frame.values.astype(np.float32)
    if slope != 1.0:
        values *= np.float32(slope)
    if intercept != 0.0:
        values += np.float32(intercept)
    return values


def find_group(frame: StoredFrame, tag: PixelTag) -> Attributes | None:
    """Return the functional group that holds for this frame: its own, else the shared one.

    Enhanced multi-frame objects keep rescale and window there (PS3.3 C.7.6.16).
    """
    own = frame.attributes.item(PixelTag.PER_FRAME_GROUPS, PIXEL_TAGS, frame.index)
    shared = frame.attributes.item(PixelTag.SHARED_GROUPS, PIXEL_TAGS)
    for groups in (own, shared):
        found = groups.item(tag, PIXEL_TAGS) if groups is not None else None
        if found is not None:
            return found
    return None


def look_up(values: Samples, table: Attributes, *, signed: bool) -> tuple[Samples, int]:
    """Map values through a LUT item; values beyond its ends map to its ends (PS3.3 C.11.1.1).

    Returns the entries, and the bits that one of them has.
    """
    entries, first, bits = read_descriptor(table, PixelTag.LUT_DESCRIPTOR, signed=signed)
    entries_by_index = read_table(table, PixelTag.LUT_VALUES, entries)
    index = np.clip(values.astype(np.int64) - first, 0, entries - 1)
    return entries_by_index[index], bits

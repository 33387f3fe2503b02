"""Real-world values to what a viewer would show: VOI LUT or window, then MONOCHROME1.

The order is the standard's (PS3.4 figure N.2-1): modality, then VOI, then presentation.
"""

from typing import Final

import numpy as np

from indexer.errors import DecodeError
from indexer.pixels.attributes import Attributes
from indexer.pixels.colour import Pixels, apply_palette, scale_to_bytes
from indexer.pixels.layout import WANTED_TAGS
from indexer.pixels.modality import compute_real_values, find_group, look_up
from indexer.pixels.stored import StoredFrame
from indexer.pixels.tags import PixelTag
from indexer.pixels.window import (
    PRESETS,
    WHITE,
    FloatValues,
    VoiFunction,
    Window,
    apply_window,
    window_of_range,
)

_FUNCTIONS: Final[dict[str, VoiFunction]] = {
    "LINEAR": "LINEAR",
    "LINEAR_EXACT": "LINEAR_EXACT",
    "SIGMOID": "SIGMOID",
}
_BYTE_BITS: Final = 8


def render_frame(frame: StoredFrame, window: Window | None = None) -> Pixels:
    """Return uint8 (H, W) for grey and (H, W, 3) for colour.

    Grey goes through `window` if one is given, else through the file's own first VOI LUT or
    window, else through the CT soft-tissue preset, else from darkest to brightest value.
    Padding is black. Colour is shown as it is.
    """
    if frame.photometric == "PALETTE COLOR":
        return apply_palette(frame.values, frame.attributes)
    if frame.values.ndim == 3:
        bits = frame.layout.bits_stored
        return scale_to_bytes(frame.values.view(f"u{frame.values.itemsize}"), bits)
    values = compute_real_values(frame)
    grey = _apply_voi(values, frame) if window is None else apply_window(values, window)
    if frame.photometric == "MONOCHROME1":
        np.subtract(WHITE, grey, out=grey)
        grey[np.isnan(values)] = 0
    return grey


def _apply_voi(values: FloatValues, frame: StoredFrame) -> Pixels:
    """Map values to grey by what the file says of itself, or by what its modality needs."""
    table = frame.attributes.item(PixelTag.VOI_LUT, WANTED_TAGS)
    if table is not None:
        return _apply_table(values, table)
    group = find_group(frame, PixelTag.FRAME_VOI_LUT)
    stated = None
    for source in (group, frame.attributes):
        if stated is None and source is not None:
            stated = _read_window(source, is_float=frame.layout.is_float)
    if stated is not None:
        return apply_window(values, *stated)
    if frame.attributes.text(PixelTag.MODALITY) == "CT" and not frame.layout.is_float:
        return apply_window(values, PRESETS["soft_tissue"])
    if frame.layout.bits_stored <= _BYTE_BITS:
        return scale_to_bytes(_as_byte_values(frame), frame.layout.bits_stored)
    return apply_window(values, window_of_range(values), "LINEAR_EXACT")


def _as_byte_values(frame: StoredFrame) -> Pixels:
    """Return 8-bit samples as they are; signed ones are moved up so that the lowest is 0."""
    if not frame.layout.signed:
        return frame.values.astype(np.uint8)
    half = 1 << (frame.layout.bits_stored - 1)
    return (frame.values.astype(np.int16) + half).astype(np.uint8)


def _read_window(attributes: Attributes, *, is_float: bool) -> tuple[Window, VoiFunction] | None:
    """Return the first window and its function, or None where none is usable.

    LINEAR is made for whole numbers and needs a width of 1 or more; where it is stated for float
    pixels or a smaller width, LINEAR_EXACT is meant (PS3.3 C.11.2.1.2.1, C.11.2.1.3.2).
    """
    try:
        centres = attributes.numbers(PixelTag.WINDOW_CENTRE)
        widths = attributes.numbers(PixelTag.WINDOW_WIDTH)
    except DecodeError:
        return None
    if not centres or not widths or widths[0] <= 0:
        return None
    function = _FUNCTIONS.get(attributes.text(PixelTag.VOI_FUNCTION).upper(), "LINEAR")
    if function == "LINEAR" and (is_float or widths[0] < 1):
        function = "LINEAR_EXACT"
    return Window(centres[0], widths[0]), function


def _apply_table(values: FloatValues, table: Attributes) -> Pixels:
    """Map values through a VOI LUT, scaled to 8 bits by the range that its descriptor states."""
    padding = np.isnan(values)
    whole = np.where(padding, 0, np.rint(values)).astype(np.int64)
    entries, bits = look_up(whole, table, signed=bool(whole.min() < 0))
    grey = (entries.astype(np.float32) * (WHITE / ((1 << bits) - 1)) + 0.5).astype(np.uint8)
    grey[padding] = 0
    return grey

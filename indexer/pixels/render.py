"""Real-world values to what a viewer would show: VOI LUT or window, then MONOCHROME1.

The order is the standard's (PS3.4 figure N.2-1): modality, then VOI, then presentation.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

import numpy as np

from indexer.errors import DecodeError
from indexer.pixels.attributes import Attributes
from indexer.pixels.colour import Pixels, apply_palette, scale_to_bytes
from indexer.pixels.layout import PIXEL_TAGS
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
    map_samples,
    window_of_range,
)

Voi: TypeAlias = Callable[[FloatValues], Pixels]
"""What maps real-world values to grey levels."""

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
    show = _choose_voi(frame) if window is None else partial(apply_window, window=window)
    return map_samples(
        frame.values, lambda samples: _render_values(replace(frame, values=samples), show)
    )


def _render_values(frame: StoredFrame, show: Voi) -> Pixels:
    """Render each sample."""
    values = compute_real_values(frame)
    grey = show(values)
    if frame.photometric == "MONOCHROME1":
        np.subtract(WHITE, grey, out=grey)
        grey[np.isnan(values)] = 0
    return grey


def _choose_voi(frame: StoredFrame) -> Voi:
    """Return what maps values to grey: what the file says of itself, or what its modality needs."""
    table = frame.attributes.item(PixelTag.VOI_LUT, PIXEL_TAGS)
    if table is not None:
        return partial(_apply_table, table=table, signed=_has_negative(frame))
    group = find_group(frame, PixelTag.FRAME_VOI_LUT)
    for source in (group, frame.attributes):
        stated = _read_window(source, is_float=frame.layout.is_float) if source else None
        if stated is not None:
            return partial(apply_window, window=stated[0], function=stated[1])
    if frame.attributes.text(PixelTag.MODALITY) == "CT" and not frame.layout.is_float:
        return partial(apply_window, window=PRESETS["soft_tissue"])
    range_window = _window_of_depth(frame) or window_of_range(compute_real_values(frame))
    return partial(apply_window, window=range_window, function="LINEAR_EXACT")


def _window_of_depth(frame: StoredFrame) -> Window | None:
    """Return the window that shows 8-bit samples as they are; None for deeper ones."""
    bits = frame.layout.bits_stored
    if bits > _BYTE_BITS:
        return None
    lowest = -(1 << (bits - 1)) if frame.layout.signed else 0
    ends = np.array([[lowest, lowest + (1 << bits) - 1]], frame.values.dtype)
    first, last = compute_real_values(replace(frame, values=ends), keep_padding=True)[0].tolist()
    return Window((first + last) / 2, abs(last - first) or 1.0)


def _has_negative(frame: StoredFrame) -> bool:
    """Tell whether real-world values below 0 occur: their LUT's first entry is signed then."""
    lowest = np.fmin.reduce(compute_real_values(frame), axis=None)
    return bool(lowest < 0)


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


def _apply_table(values: FloatValues, table: Attributes, *, signed: bool) -> Pixels:
    """Map values through a VOI LUT, scaled to 8 bits by the range that its descriptor states."""
    padding = np.isnan(values)
    whole = np.where(padding, 0, np.rint(values)).astype(np.int64)
    entries, bits = look_up(whole, table, signed=signed)
    grey = (entries.astype(np.float32) * (WHITE / ((1 << bits) - 1)) + 0.5).astype(np.uint8)
    grey[padding] = 0
    return grey

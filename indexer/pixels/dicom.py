"""DICOM instances: their header, their values in real-world units, and what a viewer would show."""

from dataclasses import dataclass, field

import numpy as np

from indexer.pixels.colour import Pixels
from indexer.pixels.ct_windows import CT_WINDOWS, WindowName, visible_windows, windows_of
from indexer.pixels.header import DicomHeader, check_is_image, read_header
from indexer.pixels.limits import BUILD_LIMITS, DecodeLimits
from indexer.pixels.modality import compute_real_values
from indexer.pixels.render import render_frame
from indexer.pixels.stored import StoredFrame, open_instance, read_stored_frame
from indexer.pixels.tags import PixelTag
from indexer.pixels.window import FloatValues, Window

__all__ = [
    "DicomHeader",
    "Views",
    "decode_dicom",
    "decode_grey_or_colour",
    "decode_hu",
    "decode_views",
    "read_header",
]


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """A frame as a viewer would show it, and in each CT window that fits it: uint8 (H, W).

    `shown` is (H, W, 3) for colour; `by_window` has the leading window first and is empty for what
    is no CT slice. `slice_number` is the Instance Number (0020,0013) of what is grey.
    """

    shown: Pixels
    by_window: dict[WindowName, Pixels] = field(default_factory=dict)
    slice_number: int | None = None


def decode_dicom(
    raw: bytes,
    *,
    frame: int = 0,
    window: Window | None = None,
    limits: DecodeLimits = BUILD_LIMITS,
) -> Pixels:
    """Return uint8 (H, W, 3) of one frame, counted from 0, as a viewer would show it.

    In the standard's order: modality LUT or rescale, then `window` or the file's own VOI LUT or
    window (or a preset for CT), then the inversion of MONOCHROME1; padding is black.

    Raises
    ------
    NotAnImageError
        A DICOM object without an image of its own (SEG, SR, RTSTRUCT, RTDOSE ...).
    LimitExceededError
        Larger than `limits` allow.
    DecodeError
        Damaged, cut short, contradictory, or of a transfer syntax without a decoder.
    """
    grey_or_colour = decode_grey_or_colour(raw, frame=frame, window=window, limits=limits)
    if grey_or_colour.ndim == 3:
        return grey_or_colour
    return np.repeat(grey_or_colour[:, :, np.newaxis], 3, axis=2)


def decode_grey_or_colour(
    raw: bytes,
    *,
    frame: int = 0,
    window: Window | None = None,
    limits: DecodeLimits = BUILD_LIMITS,
) -> Pixels:
    """Return what `decode_dicom` does, but grey as uint8 (H, W): a third of the work after it."""
    return render_frame(_read_image_frame(raw, frame, limits), window)


def decode_views(raw: bytes, frame: int = 0, *, limits: DecodeLimits = BUILD_LIMITS) -> Views:
    """Return a frame as `decode_grey_or_colour` does and by window, decoding its pixels once.

    Raises as `decode_dicom` does.
    """
    stored = _read_image_frame(raw, frame, limits)
    shown = render_frame(stored)
    if shown.ndim != 2:
        return Views(shown)
    header = read_header(raw, limits)
    candidates = windows_of(header)
    names = visible_windows(compute_real_values(stored), candidates) if candidates else ()
    by_window = {name: render_frame(stored, CT_WINDOWS[name]) for name in names}
    return Views(shown, by_window, header.instance_number)


def decode_hu(raw: bytes, frame: int = 0, *, limits: DecodeLimits = BUILD_LIMITS) -> FloatValues:
    """Return float32 (H, W) of one frame in real-world units: Hounsfield units for CT.

    Padding is NaN. Raises as `decode_dicom` does, and `DecodeError` for colour.
    """
    return compute_real_values(_read_image_frame(raw, frame, limits))


def _read_image_frame(raw: bytes, frame: int, limits: DecodeLimits) -> StoredFrame:
    """Read a frame of an object that is an image."""
    instance = open_instance(raw, limits)
    check_is_image(
        instance.text(PixelTag.SOP_CLASS_UID),
        instance.text(PixelTag.MODALITY).upper(),
        instance.short(PixelTag.ROWS) or 0,
        instance.short(PixelTag.COLUMNS) or 0,
    )
    return read_stored_frame(instance, frame, limits)

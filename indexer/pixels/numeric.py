"""Arrays of numbers that stand for an image: TIFF and npy files of more than 8 bits."""

import io
import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.colour import Pixels
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.npy import read_npy_header
from indexer.pixels.window import PRESETS, WHITE, Window, apply_window, map_samples

DEPTHS_BITS: Final = (8, 10, 12, 14, 16, 32)
"""The usual depths of unsigned samples; 12 bits in a 16-bit file is the most usual of all."""

_MINISWHITE: Final = 0
_MAX_SAMPLES: Final = 4


def show_numbers(values: npt.NDArray[Any], window: Window | None = None) -> Pixels:
    """Return uint8 of the same shape for numbers of any type.

    Negative values make them Hounsfield units, shown through `window` or the CT soft-tissue
    preset. Otherwise fractions up to 1 and unsigned samples are scaled to the whole range.

    Raises
    ------
    DecodeError
        They are not numbers, or none of them is finite.
    """
    if values.dtype.kind not in "biuf" or values.size == 0:
        raise DecodeError("The array holds no numbers.")
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if finite.size == 0:
        raise DecodeError("The array holds no finite number.")
    low, high = float(finite.min()), float(finite.max())
    if low < 0 or (window is not None and values.dtype.kind == "f"):
        chosen = window or PRESETS["soft_tissue"]
        return map_samples(values, lambda hu: apply_window(hu.astype(np.float32), chosen))
    top = 1.0
    if high > 1 or values.dtype.kind in "iu":
        bits = next((bits for bits in DEPTHS_BITS if high < 1 << bits), None)
        top = float((1 << bits) - 1) if bits else high
    return map_samples(values, lambda samples: _scale(samples, top))


def _scale(values: npt.NDArray[Any], top: float) -> Pixels:
    """Map 0 ... top to 0 ... 255, and what lies beyond to the ends."""
    grey = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=top, neginf=0.0)
    grey *= np.float32(WHITE / top)
    grey += np.float32(0.5)
    return np.clip(grey, 0, WHITE, out=grey).astype(np.uint8)


def decode_tiff(raw: bytes, limits: DecodeLimits, window: Window | None) -> Pixels | None:
    """Decode the first page of a TIFF file of deep samples; None if Pillow should decode it.

    Pillow opens neither 64-bit floats nor colour of 16 bits.

    Raises
    ------
    LimitExceededError
        The page has more pixels than `limits` allow.
    DecodeError
        The page has samples of an unknown kind.
    """
    import tifffile

    with tifffile.TiffFile(io.BytesIO(raw)) as file:
        page = file.pages.first
        if page.dtype is None or page.dtype == np.uint8 or page.dtype.kind == "b":
            return None
        check_size(page.imagewidth, page.imagelength, limits)
        if page.samplesperpixel > _MAX_SAMPLES or page.imagedepth != 1:
            raise DecodeError("The TIFF file is not a plain image.")
        planes = page.asarray(squeeze=False, maxworkers=1)[:, 0]  # (planes, H, W, samples)
    values = np.moveaxis(planes, 0, -1).reshape(*planes.shape[1:3], -1)
    if page.photometric == _MINISWHITE and values.dtype.kind == "u":
        values = np.iinfo(values.dtype).max - values
    return _as_image(values[:, :, 0] if values.shape[2] == 1 else values, window)


def decode_npy(raw: bytes, limits: DecodeLimits, window: Window | None) -> Pixels:
    """Decode an .npy file of one image, (H, W) or (H, W, 3); never unpickles.

    Raises
    ------
    LimitExceededError
        It states more pixels than `limits` allow.
    DecodeError
        It is not an image, or shorter than it states.
    """
    stream = io.BytesIO(raw)
    try:
        shape, is_fortran, dtype = read_npy_header(stream)
    except (ValueError, TypeError) as error:
        raise DecodeError("The .npy file is damaged.") from error
    if is_fortran or dtype.kind not in "biuf" or len(shape) not in (2, 3):
        raise DecodeError("The .npy file holds no image.")
    check_size(shape[1], shape[0], limits)
    count = math.prod(shape)
    if len(raw) - stream.tell() < count * dtype.itemsize:
        raise DecodeError("The .npy file is cut short.")
    values = np.frombuffer(raw, dtype, count, stream.tell()).reshape(shape)
    return _as_image(values, window)


def check_size(width: int, height: int, limits: DecodeLimits) -> None:
    """Refuse more pixels than are allowed.

    Raises
    ------
    LimitExceededError
        There are more.
    """
    if width * height > limits.max_pixels:
        raise LimitExceededError(f"{width} x {height} pixels are more than {limits.max_pixels}.")


def _as_image(values: npt.NDArray[Any], window: Window | None) -> Pixels:
    """Scale numbers of shape (H, W), (H, W, 3) or (H, W, 4); the fourth sample is left out."""
    if values.ndim == 2:
        return show_numbers(values, window)
    if values.ndim == 3 and values.shape[2] in (3, 4):
        return show_numbers(values[:, :, :3], window)
    raise DecodeError("The file is not a plain image.")

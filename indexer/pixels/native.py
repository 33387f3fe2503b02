"""Reads frames that are stored uncompressed (PS3.5 chapter 8)."""

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.errors import DecodeError
from indexer.pixels.attributes import Attributes
from indexer.pixels.layout import PixelLayout

Samples: TypeAlias = npt.NDArray[Any]

_SUBSAMPLED: Final = ("YBR_FULL_422", "YBR_PARTIAL_422")


def read_native_frame(attributes: Attributes, layout: PixelLayout, frame: int) -> Samples:
    """Return one frame of native pixel data, of `layout.shape` and `layout.dtype`.

    Raises
    ------
    DecodeError
        The pixel data holds fewer bytes than its layout asks for.
    """
    element = attributes.element(layout.pixels_tag)
    if element is None or element.undefined_length:
        raise DecodeError("Uncompressed pixel data must not be encapsulated, and this is.")
    body = attributes.body
    frame_bits = _frame_bits(layout)
    held = min(element.end, len(body.source)) - element.value
    needed = -(-frame_bits * layout.frames // 8)
    if held < needed:
        raise DecodeError(f"The pixel data is cut short: {held} bytes of {needed}.")
    little = body.encoding.little_endian
    first_bit = frame * frame_bits
    first, last = first_bit // 8, -(-(first_bit + frame_bits) // 8)
    if layout.bits_allocated == 8 and element.vr == b"OW" and not little:
        words = body.source[element.value + first // 2 * 2 : element.value + (last + 1) // 2 * 2]
        swapped = np.frombuffer(words + bytes(len(words) % 2), np.uint16).byteswap().tobytes()
        raw = swapped[first % 2 : first % 2 + last - first]
    else:
        raw = body.source[element.value + first : element.value + last]
    return unpack_frame(raw, layout, first_bit=first_bit % 8, little_endian=little)


def unpack_frame(
    raw: bytes, layout: PixelLayout, *, first_bit: int = 0, little_endian: bool = True
) -> Samples:
    """Turn the bytes of one frame into samples: bits, bytes or words, by pixel or by plane."""
    if layout.bits_allocated == 1:
        bits = np.unpackbits(np.frombuffer(raw, np.uint8), bitorder="little")
        return bits[first_bit : first_bit + layout.pixels].reshape(layout.shape)
    stated = np.dtype(layout.dtype).newbyteorder("<" if little_endian else ">")
    values = np.frombuffer(raw, stated, _frame_bits(layout) // layout.bits_allocated)
    values = _drop_unused_bits(values.astype(layout.dtype, copy=False), layout)
    if layout.photometric in _SUBSAMPLED:
        return _upsample(values, layout)
    if layout.samples > 1 and layout.planar:
        return np.moveaxis(values.reshape(layout.samples, layout.rows, layout.columns), 0, -1)
    return values.reshape(layout.shape)


def extend_sign(values: Samples, bits: int) -> Samples:
    """Read the lowest `bits` of unsigned samples as two's complement."""
    spare = values.itemsize * 8 - bits
    signed = (values << spare).view(f"i{values.itemsize}")
    return signed >> spare


def _frame_bits(layout: PixelLayout) -> int:
    """Return the bits of one frame; subsampled colour stores two samples a pixel, not three."""
    samples = 2 if layout.photometric in _SUBSAMPLED else layout.samples
    return layout.pixels * samples * layout.bits_allocated


def _drop_unused_bits(values: Samples, layout: PixelLayout) -> Samples:
    """Keep the stored bits only: those around them may hold overlays or anything (PS3.5 8.1.1)."""
    if layout.is_float or layout.bits_stored == layout.bits_allocated:
        return values
    below = layout.high_bit + 1 - layout.bits_stored
    words = values.view(f"u{values.itemsize}") >> below
    if layout.signed:
        return extend_sign(words, layout.bits_stored)
    return words & ((1 << layout.bits_stored) - 1)


def _upsample(values: Samples, layout: PixelLayout) -> Samples:
    """Spread Y1 Y2 Cb Cr quadruples over two pixels (PS3.3 C.7.6.3.1.2)."""
    if layout.columns % 2:
        raise DecodeError("Subsampled colour needs an even number of columns.")
    quads = values.reshape(layout.rows, layout.columns // 2, 4)
    pixels = np.empty(layout.shape, values.dtype)
    pixels[:, 0::2, 0], pixels[:, 1::2, 0] = quads[..., 0], quads[..., 1]
    for channel in (1, 2):
        pixels[..., channel] = np.repeat(quads[..., channel + 1], 2, axis=1)
    return pixels

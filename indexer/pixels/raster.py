"""Raster files (PNG, JPEG, TIFF, WebP, BMP, npy) to 8-bit pixels. Their names are never trusted."""

import io
import struct
import zlib
from typing import Final

import numpy as np
from PIL import Image, ImageFile

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.codestream import FILLER, JPEG_END, read_jpeg
from indexer.pixels.colour import Pixels
from indexer.pixels.limits import BUILD_LIMITS, DecodeLimits
from indexer.pixels.numeric import check_size, decode_npy, decode_tiff, show_numbers
from indexer.pixels.resize import as_rgb, encode_thumbnail, resize_square
from indexer.pixels.sniff import ImageFormat, sniff_format
from indexer.pixels.window import Window

__all__ = ["decode_raster", "encode_thumbnail", "open_raster", "resize_square"]

_ORIENTATION: Final = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each EXIF orientation (EXIF 2.32, 4.6.4.A, tag 0x0112)."""

_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_PNG_FRAME: Final = 12  # length, type and checksum of a chunk

_PILLOW_ERRORS: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
)
"""What Pillow's parsers raise on damaged files."""


def decode_raster(
    raw: bytes, *, limits: DecodeLimits = BUILD_LIMITS, window: Window | None = None
) -> Pixels:
    """Return uint8 (H, W, 3): turned upright, alpha over black, deep samples scaled to 8 bits.

    Float and signed files hold Hounsfield units and go through `window` (or the CT soft-tissue
    preset). Unsigned samples of more than 8 bits are scaled by the smallest usual depth (8, 10,
    12, 14 or 16 bits) that holds the brightest of them.

    Raises
    ------
    LimitExceededError
        More bytes or pixels than `limits` allow; told from the header, before decoding.
    DecodeError
        Not one of the allowed formats, damaged, or cut short.
    """
    return as_rgb(np.asarray(open_raster(raw, limits=limits, window=window)))


def open_raster(
    raw: bytes, *, limits: DecodeLimits = BUILD_LIMITS, window: Window | None = None
) -> Image.Image:
    """Return what `decode_raster` does as an image of mode L or RGB, without copying its pixels."""
    if len(raw) > limits.max_file_bytes:
        raise LimitExceededError(f"{len(raw)} bytes are more than {limits.max_file_bytes}.")
    kind = sniff_format(raw)
    try:
        if kind == "npy":
            return Image.fromarray(decode_npy(raw, limits, window))
        if kind == "tiff":
            numbers = decode_tiff(raw, limits, window)
            if numbers is not None:
                return Image.fromarray(numbers)
        return _decode_with_pillow(raw, kind, limits, window)
    except DecodeError:
        raise
    except Image.DecompressionBombError as error:  # by plugins that check before we can
        raise LimitExceededError("The image has more pixels than are allowed.") from error
    except MemoryError as error:
        raise LimitExceededError("The image needs more memory than it may have.") from error
    except _PILLOW_ERRORS as error:
        raise DecodeError(f"The {(kind or '').upper()} file is damaged or cut short.") from error


def _decode_with_pillow(
    raw: bytes, kind: ImageFormat | None, limits: DecodeLimits, window: Window | None
) -> Image.Image:
    """Decode with the one plugin that the first bytes ask for."""
    if kind == "png":
        _check_png(raw)
    image = _open(_starve(raw) if kind == "jpeg" else raw, kind)
    check_size(image.width, image.height, limits)
    image.load()
    turn = _TURNS.get(_read_orientation(image))
    upright: Image.Image = image if turn is None else image.transpose(turn)
    return _flatten(upright, window)


def _check_png(raw: bytes) -> None:
    """Check the sums of a PNG's critical chunks: Pillow passes over those of the pixels.

    A chunk is a length, a type, its content and a CRC-32 of the last two (PNG, 3rd edition, 5.3);
    the types of critical chunks begin with a capital letter.

    Raises
    ------
    DecodeError
        A sum differs, or the file ends before IEND.
    """
    view, start = memoryview(raw), len(_PNG_MAGIC)
    while start + _PNG_FRAME <= len(raw):
        length = int.from_bytes(view[start : start + 4])
        kind = bytes(view[start + 4 : start + 8])
        end = start + _PNG_FRAME + length
        if end > len(raw):
            break
        is_critical = kind[:1].isupper()
        if is_critical and zlib.crc32(view[start + 4 : end - 4]) != int.from_bytes(
            view[end - 4 : end]
        ):
            raise DecodeError("The PNG file is damaged: a checksum differs.")
        if kind == b"IEND":
            return
        start = end
    raise DecodeError("The PNG file is cut short: it has no end.")


def _open(raw: bytes, kind: ImageFormat | None) -> ImageFile.ImageFile:
    """Open an image by its plugin itself: Pillow's registry would try others as well."""
    from PIL import (
        BmpImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    stream = io.BytesIO(raw)
    if kind == "png":
        return PngImagePlugin.PngImageFile(stream)
    if kind == "jpeg":
        return JpegImagePlugin.JpegImageFile(stream)
    if kind == "tiff":
        return TiffImagePlugin.TiffImageFile(stream)
    if kind == "webp":
        return WebPImagePlugin.WebPImageFile(stream)
    if kind == "bmp":
        return BmpImagePlugin.BmpImageFile(stream)
    raise DecodeError(
        "The bytes are no image of a known format.",
        remedy="Send PNG, JPEG, TIFF, WebP, BMP or DICOM.",
    )


def _starve(raw: bytes) -> bytes:
    """Prepare a JPEG so that missing data is noticed.

    At an end marker libjpeg makes up what is missing; without one Pillow waits for more, and
    reports a truncated file. A complete image of one scan needs only some filler to read ahead
    into. Images of several scans are waited for until their end marker, and keep it.
    """
    stated = read_jpeg(raw)
    return raw[: stated.end] + (FILLER if stated.scans == 1 else JPEG_END)


def _read_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) where there is none or it is damaged."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _PILLOW_ERRORS:
        return 1


def _flatten(image: Image.Image, window: Window | None) -> Image.Image:
    """Turn any mode of Pillow's into L or RGB."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(show_numbers(np.asarray(image), window))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        layer = image if image.mode == "RGBA" else image.convert("RGBA")
        flat = Image.new("RGB", layer.size)
        flat.paste(layer, mask=layer.getchannel("A"))
        return flat.convert("L") if image.mode in ("LA", "La", "L") else flat
    if image.mode in ("L", "RGB"):
        return image
    if image.mode in ("1", "P", "CMYK", "YCbCr"):
        return image.convert("L" if image.mode == "1" else "RGB")
    raise DecodeError(f"Images of mode {image.mode} are not supported.")

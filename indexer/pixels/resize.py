"""Pixels to the square that an encoder wants, to a thumbnail, and to a perceptual fingerprint."""

import io
from functools import cache
from typing import Final

import numpy as np
from PIL import Image

from indexer.encoders.spec import Resize
from indexer.pixels.colour import Pixels

THUMBNAIL_PX: Final = 256
NEAR_DUPLICATE_BITS: Final = 16
"""Two images whose 256-bit perceptual hashes differ in no more bits count as the same picture.

Chosen on 3,022 radiology images against 14,298 others: the 36 pairs at 16 bits or fewer are nearly
all neighbouring slices, turned copies or reprints of one picture; from about 24 bits on, images of
one body part and different patients begin to mix in.
"""
_THUMBNAIL_QUALITY: Final = 80
_COSINE_PX: Final = 64
_COSINE_KEPT: Final = 16
_COSINE_SCALE: Final = 1 << 14


def resize_square(pixels: Pixels, px: int, resize: Resize) -> Pixels:
    """Return uint8 (px, px, 3) of uint8 (H, W) or (H, W, 3); see `make_square`."""
    return make_square(Image.fromarray(pixels), px, resize)


def encode_thumbnail(pixels: Pixels, px: int = THUMBNAIL_PX) -> bytes:
    """Return the thumbnail of uint8 (H, W) or (H, W, 3); see `make_thumbnail`."""
    return make_thumbnail(Image.fromarray(pixels), px)


def compute_fingerprint(pixels: Pixels) -> bytes:
    """Return the fingerprint of uint8 (H, W) or (H, W, 3); see `make_fingerprint`."""
    return make_fingerprint(Image.fromarray(pixels))


def as_rgb(pixels: Pixels) -> Pixels:
    """Return (H, W, 3): colour as it is, grey with its one channel three times."""
    if pixels.ndim == 3:
        return pixels
    return np.repeat(pixels[:, :, np.newaxis], 3, axis=2)


def make_square(image: Image.Image, px: int, resize: Resize) -> Pixels:
    """Return uint8 (px, px, 3) of an L or RGB image; bicubic, with antialiasing.

    "letterbox" fits the whole image in and pads with black, "squash" ignores the aspect ratio,
    "shortest_crop" fits the shorter side and cuts the middle out of the longer one.
    """
    width, height = image.size
    if resize == "squash":
        square = image.resize((px, px), Image.Resampling.BICUBIC)
    elif resize == "letterbox":
        inner = _fit(image.size, px / max(width, height))
        square = Image.new(image.mode, (px, px))
        offset = ((px - inner[0]) // 2, (px - inner[1]) // 2)
        square.paste(image.resize(inner, Image.Resampling.BICUBIC), offset)
    else:
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side)
        square = image.resize((px, px), Image.Resampling.BICUBIC, box=box)
    return as_rgb(np.asarray(square))


def make_thumbnail(image: Image.Image, px: int) -> bytes:
    """Return a JPEG whose longer side is at most `px`, without any metadata; never enlarged.

    The same pixels give the same bytes (on one build of Pillow).
    """
    scale = px / max(image.size)
    if scale < 1:
        image = image.resize(_fit(image.size, scale), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_THUMBNAIL_QUALITY, exif=b"", icc_profile=None, comment=b"")
    return buffer.getvalue()


def make_fingerprint(image: Image.Image) -> bytes:
    """Return 256 bits (32 bytes) that differ little between near-identical images.

    A DCT hash (Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions",
    2010): the lowest 16 x 16 cosine coefficients of the image at 64 x 64, each compared with
    their median. Computed in integers, so that no machine rounds it otherwise.
    """
    small = image.resize((_COSINE_PX, _COSINE_PX), Image.Resampling.BOX).convert("L")
    cosines = _make_cosines()
    coefficients = cosines @ np.asarray(small, np.int64) @ cosines.T
    return np.packbits(coefficients > np.median(coefficients)).tobytes()


def fingerprint_distance(first: bytes, second: bytes) -> int:
    """Return in how many of their bits two fingerprints differ: 0 to 256."""
    return (int.from_bytes(first) ^ int.from_bytes(second)).bit_count()


def _fit(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Scale a size, leaving at least one pixel each way."""
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


@cache
def _make_cosines() -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return the first rows of the DCT-II matrix in fixed point (the scale does not matter)."""
    frequency, position = np.ogrid[:_COSINE_KEPT, :_COSINE_PX]
    angles = np.pi / _COSINE_PX * (position + 0.5) * frequency
    cosines: np.ndarray[tuple[int, int], np.dtype[np.int64]]
    cosines = np.rint(np.cos(angles) * _COSINE_SCALE).astype(np.int64)
    return cosines

"""How an instance's pixel data is laid out: the Image Pixel module (PS3.3 C.7.6.3)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.attributes import Attributes
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.tags import PixelTag

PHOTOMETRIC: Final = frozenset(
    {
        "MONOCHROME1",
        "MONOCHROME2",
        "PALETTE COLOR",
        "RGB",
        "YBR_FULL",
        "YBR_FULL_422",
        "YBR_PARTIAL_420",
        "YBR_PARTIAL_422",
        "YBR_ICT",
        "YBR_RCT",
    }
)

PIXEL_TAGS: Final = frozenset(PixelTag)


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelLayout:
    """Rows, columns, samples a pixel and the bits of a sample, checked against one another.

    `pixels_tag` is the element that the pixels lie in; float pixels have `bits_stored` equal to
    `bits_allocated`.
    """

    pixels_tag: int
    rows: int
    columns: int
    samples: int
    frames: int
    photometric: str
    planar: bool
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool

    @property
    def pixels(self) -> int:
        """Pixels of one frame."""
        return self.rows * self.columns

    @property
    def is_float(self) -> bool:
        """Whether samples are floating-point numbers."""
        return self.pixels_tag != PixelTag.PIXELS

    @property
    def shape(self) -> tuple[int, ...]:
        """(H, W), or (H, W, samples) for colour."""
        shape = (self.rows, self.columns)
        return shape if self.samples == 1 else (*shape, self.samples)

    @property
    def dtype(self) -> npt.DTypeLike:
        """The native-endian type of a stored sample."""
        if self.is_float:
            return np.dtype(f"f{self.bits_allocated // 8}")
        return np.dtype(f"{'i' if self.signed else 'u'}{max(1, self.bits_allocated // 8)}")


def read_layout(attributes: Attributes, limits: DecodeLimits) -> PixelLayout:
    """Read the layout of the pixel data and check it before anything is allocated.

    Raises
    ------
    DecodeError
        There is no pixel data, or its description contradicts itself.
    LimitExceededError
        More pixels or frames than `limits` allow.
    """
    pixels_tag = _find_pixels(attributes)
    allocated = _require(attributes, PixelTag.BITS_ALLOCATED)
    stored = allocated
    if pixels_tag == PixelTag.PIXELS:
        stored = attributes.short(PixelTag.BITS_STORED) or allocated
    high_bit = attributes.short(PixelTag.HIGH_BIT)
    layout = PixelLayout(
        pixels_tag=pixels_tag,
        rows=_require(attributes, PixelTag.ROWS),
        columns=_require(attributes, PixelTag.COLUMNS),
        samples=attributes.short(PixelTag.SAMPLES) or 1,
        frames=attributes.integer(PixelTag.FRAMES) or 1,
        photometric=attributes.text(PixelTag.PHOTOMETRIC).upper() or "MONOCHROME2",
        planar=attributes.short(PixelTag.PLANAR) == 1,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=stored - 1 if high_bit is None else high_bit,
        signed=attributes.short(PixelTag.PIXEL_REPRESENTATION) == 1,
    )
    _check_consistent(layout)
    _check_limits(layout, limits)
    return layout


def _find_pixels(attributes: Attributes) -> int:
    """Return the tag of the element that holds the pixels."""
    for tag in (PixelTag.PIXELS, PixelTag.FLOAT_PIXELS, PixelTag.DOUBLE_PIXELS):
        if tag in attributes:
            return tag
    raise DecodeError("The DICOM file holds no pixel data.")


def _require(attributes: Attributes, tag: PixelTag) -> int:
    """Return a positive number that no pixel data can do without."""
    value = attributes.short(tag)
    if not value:
        raise DecodeError(f"The DICOM file does not state {tag.name.lower().replace('_', ' ')}.")
    return value


def _check_consistent(layout: PixelLayout) -> None:
    """Refuse descriptions that no pixel data can fit."""
    float_bits = {PixelTag.FLOAT_PIXELS: (32,), PixelTag.DOUBLE_PIXELS: (64,)}
    allowed_bits = float_bits.get(PixelTag(layout.pixels_tag), (1, 8, 16, 32, 64))
    grey = layout.photometric in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
    problem = ""
    if layout.photometric not in PHOTOMETRIC:
        problem = "an unknown photometric interpretation"
    elif layout.samples != (1 if grey else 3):
        problem = f"{layout.samples} samples a pixel for {layout.photometric}"
    elif layout.bits_allocated not in allowed_bits:
        problem = f"{layout.bits_allocated} bits allocated"
    elif not layout.bits_stored <= layout.high_bit + 1 <= layout.bits_allocated:
        problem = f"{layout.bits_stored} bits stored up to bit {layout.high_bit}"
    elif layout.frames < 1:
        problem = f"{layout.frames} frames"
    if problem:
        raise DecodeError(f"The DICOM file states {problem}.")


def _check_limits(layout: PixelLayout, limits: DecodeLimits) -> None:
    """Refuse what would take too much memory or time."""
    if layout.pixels > limits.max_pixels:
        raise LimitExceededError(
            f"{layout.rows} x {layout.columns} pixels are more than {limits.max_pixels}."
        )
    if layout.frames > limits.max_frames:
        raise LimitExceededError(f"{layout.frames} frames are more than {limits.max_frames}.")

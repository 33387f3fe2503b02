"""Repeatable noise: white, cloudy, and the speckle of ultrasound; and the step to grey levels."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from indexer.sample.curves import FloatMap

Pixels: TypeAlias = NDArray[np.uint8]

# Four uniform 16-bit draws: mean 4 x 32767.5, deviation sqrt(4 x (65536^2 - 1) / 12).
_DRAWS_MEAN = 131070.0
_DRAWS_DEVIATION = 37837.2
# Bicubic interpolation between independent points averages them; this restores the deviation.
_CLOUD_GAIN = 1.3


def white_noise(rng: np.random.Generator, shape: tuple[int, int]) -> FloatMap:
    """Return noise of mean 0 and deviation 1: sums of four uniform draws (Irwin-Hall)."""
    words = rng.integers(0, 2**64, size=shape, dtype=np.uint64, endpoint=False)
    draws = words.view(np.uint16).reshape(*shape, 4)
    total = draws[..., 0].astype(np.float32)
    for i in (1, 2, 3):
        total += draws[..., i]
    return (total - np.float32(_DRAWS_MEAN)) / np.float32(_DRAWS_DEVIATION)


def cloud_noise(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> FloatMap:
    """Return cloudy noise of deviation about 1, with `cells` patches along the height."""
    from PIL import Image

    height, width = shape
    columns = max(2, round(cells * width / height))
    coarse = Image.fromarray(white_noise(rng, (cells + 1, columns + 1)))
    cloud = coarse.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(cloud, dtype=np.float32) * np.float32(_CLOUD_GAIN)


def speckle(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> FloatMap:
    """Return Rayleigh-like speckle of mean about 1: the length of a random phasor."""
    real, imaginary = cloud_noise(rng, shape, cells), cloud_noise(rng, shape, cells)
    return np.sqrt(real * real + imaginary * imaginary) * np.float32(0.8)


def to_pixels(intensity: FloatMap) -> Pixels:
    """Return an intensity map (0 black, 1 white) as uint8, rounded and clipped."""
    rounded: Pixels = np.clip(np.rint(intensity * np.float32(255)), 0, 255).astype(np.uint8)
    return rounded

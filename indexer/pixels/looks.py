"""How a picture looks, apart from what it shows: colour, darkness, grain, symmetry.

An image tower maps every picture somewhere near those that it was trained on, photographs too.
Eighteen plain measures of a picture tell more of these apart than its embedding does.
"""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

Look = npt.NDArray[np.float64]

_SIDE_PX: Final = 64
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_DARK, _BRIGHT = 16, 240
_GREY_STEPS: Final = 8
_BANDS: Final = ((1, 2), (2, 4), (4, 8), (8, 16), (16, 32))  # cycles a picture
_BORDER_PX: Final = 4

# The picture in question is compared with the third nearest: a single odd one counts for little.
_NEIGHBOUR: Final = 3
# Keeps measures that hardly vary in an index (colour, among grey pictures) from deciding alone.
_RIDGE: Final = 0.2
_LEAST_SPREAD: Final = 0.05


def look_at(pixels: npt.NDArray[np.uint8]) -> Look:
    """Return float64 (18,) of a picture uint8 (h, w, 3); what its size is does not matter."""
    small = Image.fromarray(pixels).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    rgb = np.asarray(small, np.float64)
    grey = rgb @ _LUMA
    spread = grey.std() + 1
    centred = grey - grey.mean()
    across, down = np.diff(grey, axis=1), np.diff(grey, axis=0)
    edges = np.sqrt((across[:-1] ** 2 + down[:, :-1] ** 2).mean())
    bends = _bends(grey)
    return np.array(
        [
            np.log1p(_saturation(rgb).mean()),
            grey.mean(),
            np.log(spread),
            np.log(edges / spread + 1e-3),
            np.log((np.sqrt((bends**2).mean()) + 0.1) / (edges + 0.1)),
            np.log1p(np.median(abs(bends))),
            (grey < _DARK).mean(),
            (grey > _BRIGHT).mean(),
            *_border(grey),
            (centred * centred[:, ::-1]).mean() / spread**2,
            (centred * centred[::-1]).mean() / spread**2,
            _entropy(grey),
            np.log1p((across**2).mean()) - np.log1p((down**2).mean()),
            *_spectrum(centred),
        ]
    )


class Looks:
    """The looks of a sample of pictures, for comparing others with them."""

    def __init__(self, sample: Look) -> None:
        """Take looks (n, 18) of at least one picture."""
        self._centre = sample.mean(axis=0)
        self._spread = sample.std(axis=0) + _LEAST_SPREAD * (1 + abs(sample).mean(axis=0))
        scaled = (sample - self._centre) / self._spread
        covariance = scaled.T @ scaled / len(scaled) + _RIDGE * np.eye(scaled.shape[1])
        # Distances after this turn are Mahalanobis distances.
        self._turn = np.linalg.cholesky(np.linalg.inv(covariance))
        self._sample = scaled @ self._turn

    def distances(
        self, looks: Look, excluded: npt.NDArray[np.bool_] | None = None
    ) -> npt.NDArray[np.float64]:
        """Return how far looks (q, 18) lie from the third nearest of the sample: float64 (q,).

        Where `excluded` (q, n) is true, that one of the sample does not count; with fewer than
        three left it is the farthest of them, infinite where none is.
        """
        turned = (looks - self._centre) / self._spread @ self._turn
        squares = (turned**2).sum(1)[:, np.newaxis] + (self._sample**2).sum(1)
        apart = np.sqrt(np.maximum(squares - 2 * turned @ self._sample.T, 0))
        if excluded is not None:
            apart = np.where(excluded, np.inf, apart)
        apart.sort(axis=1)
        there = np.isfinite(apart).sum(axis=1)
        place = np.clip(there, 1, min(_NEIGHBOUR, apart.shape[1])) - 1
        return np.asarray(apart[np.arange(len(apart)), place])


def _saturation(rgb: Look) -> Look:
    """Return how far apart the channels lie, (h, w); channel by channel, five times as quick."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    return np.asarray(most - least)


def _bends(grey: Look) -> Look:
    """Return the discrete Laplacian (h - 2, w - 2)."""
    around = grey[1:-1, 2:] + grey[1:-1, :-2] + grey[2:, 1:-1] + grey[:-2, 1:-1]
    return np.asarray(around - 4 * grey[1:-1, 1:-1])


def _border(grey: Look) -> tuple[float, float]:
    """Return the mean grey level along the edges, and how much it varies there."""
    inner = np.s_[_BORDER_PX:-_BORDER_PX]
    outside = np.ones(grey.shape, np.bool_)
    outside[inner, inner] = False
    return float(grey[outside].mean()), float(np.log1p(grey[outside].std()))


def _entropy(grey: Look) -> float:
    """Return the entropy of the grey levels, in eight steps."""
    counts, _ = np.histogram(grey, _GREY_STEPS, (0, 256))
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def _spectrum(centred: Look) -> list[float]:
    """Return how the power in each band of frequencies compares with that in the lowest."""
    power = abs(np.fft.fft2(centred)) ** 2
    bands = [np.log1p(power[band].mean()) for band in _bands()]
    return [float(band - bands[0]) for band in bands[1:]]


@cache
def _bands() -> tuple[npt.NDArray[np.bool_], ...]:
    """Return where the frequencies of each band lie in a spectrum."""
    steps = np.fft.fftfreq(_SIDE_PX, 1 / _SIDE_PX)
    radius = np.hypot(*np.meshgrid(steps, steps))
    return tuple((radius >= low) & (radius < high) for low, high in _BANDS)

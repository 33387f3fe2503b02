"""Pictures that show nothing medical, drawn by formula: a stand-in for what people upload by error.

Even areas, noise, gradients and patterns, clouds, drawings, pages of text, and heaps of overlapping
shapes. The last are dead leaves images: their edges and spectra are those of photographs
(Lee, Mumford and Huang, "Occlusion models for natural images", IJCV 41, 2001).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float64]

_SEED = 7
_GREY_SHARE = 0.5
_WHITE = 255


def draw_unrelated(px: int, count: int) -> Pixels:
    """Return uint8 (count, px, px, 3), half of them grey; the same numbers give the same pictures.

    The kinds take turns, dead leaves three times a round.
    """
    kinds = (_even, _noise, _gradient, _pattern, _clouds, _leaves, _leaves, _leaves, _lines, _page)
    pictures = np.empty((count, px, px, 3), np.uint8)
    for number in range(count):
        canvas = _Canvas(px, np.random.default_rng([_SEED, number]))
        pictures[number] = np.clip(kinds[number % len(kinds)](canvas), 0, _WHITE)
    return pictures


class _Canvas:
    """A square with its coordinates (in shares of its side) and its own random numbers."""

    def __init__(self, px: int, draws: np.random.Generator) -> None:
        self.px = px
        self.draws = draws
        self.grey = bool(draws.random() < _GREY_SHARE)
        self.y, self.x = (np.mgrid[:px, :px] + 0.5) / px

    def colour(self) -> Plane:
        """Return a random colour (3,), grey on a grey canvas."""
        colour = self.draws.integers(0, _WHITE + 1, 3).astype(np.float64)
        return np.full(3, colour[0]) if self.grey else colour

    def fill(self) -> Plane:
        """Return an area (px, px, 3) of one colour."""
        return np.broadcast_to(self.colour(), (self.px, self.px, 3)).copy()

    def blend(self, shares: Plane) -> Plane:
        """Return (px, px, 3): one colour where `shares` (px, px) are 0, another where 1."""
        first, second = self.colour(), self.colour()
        return first + (second - first) * shares[..., np.newaxis]

    def channels(self, plane: Callable[[], Plane]) -> Plane:
        """Return a plane three times, or three planes if there is colour."""
        planes = [plane()] * 3 if self.grey else [plane() for _ in range(3)]
        return np.stack(planes, axis=-1)


def _even(canvas: _Canvas) -> Plane:
    return canvas.fill()


def _noise(canvas: _Canvas) -> Plane:
    mean, spread = canvas.draws.uniform(60, 200), canvas.draws.uniform(10, 120)
    return canvas.channels(lambda: canvas.draws.normal(mean, spread, (canvas.px, canvas.px)))


def _gradient(canvas: _Canvas) -> Plane:
    angle = canvas.draws.uniform(0, 2 * np.pi)
    slope = canvas.x * np.cos(angle) + canvas.y * np.sin(angle)
    return canvas.blend((slope - slope.min()) / np.ptp(slope))


def _pattern(canvas: _Canvas) -> Plane:
    """Draw a chessboard or stripes."""
    fields = canvas.draws.integers(3, 30)
    columns, rows = (canvas.x * fields).astype(np.int64), (canvas.y * fields).astype(np.int64)
    chessboard = canvas.draws.random() < _GREY_SHARE
    return canvas.blend(((columns + rows if chessboard else columns) % 2).astype(np.float64))


def _clouds(canvas: _Canvas) -> Plane:
    """Draw noise whose spectrum falls as a power of the frequency."""
    frequencies = np.fft.fftfreq(canvas.px)
    radius = np.hypot(*np.meshgrid(frequencies, frequencies))
    radius[0, 0] = 1
    power = canvas.draws.uniform(0.8, 2)
    mean, spread = canvas.draws.uniform(80, 170), canvas.draws.uniform(30, 70)

    def plane() -> Plane:
        white = np.fft.fft2(canvas.draws.normal(size=radius.shape))
        cloud = np.fft.ifft2(white / radius**power).real
        return np.asarray(mean + spread * (cloud - cloud.mean()) / cloud.std())

    return canvas.channels(plane)


def _leaves(canvas: _Canvas) -> Plane:
    """Draw a heap of shaded, slightly rough ellipses and boxes; the many small ones lie on top."""
    draws, picture = canvas.draws, canvas.fill()
    for _ in range(int(draws.integers(20, 160))):
        size = 0.02 * draws.uniform(1, 2) / np.sqrt(draws.uniform(0.04, 0.94))
        turn, stretch = draws.uniform(0, np.pi), draws.uniform(0.4, 2.5)
        x, y = canvas.x - draws.uniform(-0.1, 1.1), canvas.y - draws.uniform(-0.1, 1.1)
        along = (x * np.cos(turn) + y * np.sin(turn)) / (size * stretch)
        across = (y * np.cos(turn) - x * np.sin(turn)) / (size / stretch)
        boxes = draws.random() < 0.4
        inside = np.maximum(abs(along), abs(across)) < 1 if boxes else along**2 + across**2 < 1
        shade = draws.uniform(-40, 40) * along[inside]
        rough = draws.normal(0, draws.uniform(0, 15), shade.shape)
        picture[inside] = canvas.colour() + (shade + rough)[:, np.newaxis]
    return picture


def _lines(canvas: _Canvas) -> Plane:
    """Draw lines and circles on an even ground."""
    draws, picture = canvas.draws, canvas.fill()
    for _ in range(int(draws.integers(3, 25))):
        turn, width = draws.uniform(0, np.pi), draws.uniform(0.005, 0.02)
        x, y = canvas.x - draws.uniform(), canvas.y - draws.uniform()
        if draws.random() < 0.4:
            inside = abs(np.hypot(x, y) - draws.uniform(0.03, 0.5)) < width
        else:
            length = abs(x * np.cos(turn) + y * np.sin(turn))
            inside = (abs(x * np.sin(turn) - y * np.cos(turn)) < width) & (
                length < draws.uniform(0.05, 1)
            )
        picture[inside] = canvas.colour()
    return picture


def _page(canvas: _Canvas) -> Plane:
    """Draw dark bars in rows on a light ground, as a page of words looks from afar."""
    draws = canvas.draws
    picture = np.full((canvas.px, canvas.px, 3), draws.uniform(200, _WHITE))
    height = draws.uniform(0.03, 0.07)
    rows = canvas.y / (height * draws.uniform(1.6, 2.5))
    for row in range(int(rows.max()) + 1):
        start = height
        while start < 1 - height:
            width = draws.uniform(0.2, 1.2) * height
            bar = (rows // 1 == row) & (rows % 1 < 0.5)
            picture[bar & (canvas.x >= start) & (canvas.x < start + width)] = draws.uniform(0, 110)
            start += width + draws.uniform(0.1, 0.4) * height
    return picture

"""The drawing surface of the phantoms: soft-edged shapes painted into a float32 map.

Every value is made by additions, multiplications, divisions and square roots, each of which IEEE
754 rounds in exactly one way; sines come as scalars rounded to nine digits. So the same seed gives
the same bytes whatever vector instructions a processor has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from indexer.sample.curves import (
    FloatMap,
    Frame,
    Point,
    ellipse_depth,
    rod_depth,
    smoothstep,
    spline,
)

Blend: TypeAlias = Literal["mix", "add", "max"]
Value: TypeAlias = float | FloatMap
Window: TypeAlias = tuple[slice, slice]
_OUTLINE_ZOOM = 3


@dataclass(frozen=True, slots=True)
class Canvas:
    """A map of values and the frame in which shapes are given.

    Units are half the map's height: y runs from -1 (top) to 1, x from -width/height to
    width/height. `warp` shifts every pixel before a shape is drawn (dx, dy, the largest shift), so
    that outlines become irregular. Canvases made by `placed` draw into the same values.
    """

    values: FloatMap
    frame: Frame = field(default_factory=Frame)
    warp: tuple[FloatMap, FloatMap, float] | None = None

    @classmethod
    def blank(cls, height_px: int, width_px: int, value: float = 0.0) -> "Canvas":
        """Return a canvas filled with one value."""
        return cls(np.full((height_px, width_px), value, dtype=np.float32))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = self.values.shape
        return height, width

    @property
    def pixel(self) -> float:
        """The size of a pixel, the natural width of a sharp edge."""
        return 2.0 / self.shape[0]

    def placed(self, centre: Point, *, angle_deg: float = 0.0, scale: float = 1.0) -> "Canvas":
        """Return a canvas on the same values whose shapes are moved, turned and enlarged."""
        return replace(self, frame=self.frame.placed(centre, angle_deg=angle_deg, scale=scale))

    def stretched(self, across: float) -> "Canvas":
        """Return a canvas on the same values that mirrors (-1) or narrows (< 1) its shapes."""
        return replace(self, frame=self.frame.stretched(across))

    def warped(self, dx: FloatMap, dy: FloatMap) -> "Canvas":
        """Return a canvas on the same values whose shapes are shifted pixel by pixel."""
        largest = float(max(np.abs(dx).max(), np.abs(dy).max()))
        return replace(self, warp=(dx, dy, largest))

    def onto(self, values: FloatMap) -> "Canvas":
        """Return a canvas with the same frame and warp that draws into other values."""
        return replace(self, values=values)

    def layer(self) -> "Canvas":
        """Return a canvas with the same frame, unwarped, on a map of zeros."""
        return replace(self, values=np.zeros(self.shape, dtype=np.float32), warp=None)

    def ellipse(
        self,
        centre: Point,
        radii: Point,
        value: Value,
        *,
        angle_deg: float = 0.0,
        edge: float = 0.0,
        clip: FloatMap | None = None,
        blend: Blend = "mix",
    ) -> None:
        """Draw an ellipse with a rim `edge` units soft, only where `clip` lets it."""
        soft = max(edge, self.pixel)

        def coverage(x: FloatMap, y: FloatMap) -> FloatMap:
            return inside(ellipse_depth(x, y, centre, radii, angle_deg), soft)

        # Depth is measured along the smaller radius; the rim is softer along the larger one.
        reach = max(radii) * (1 + soft / min(radii))
        self._draw(self._around([centre], reach), coverage, value, clip, blend)

    def rod(
        self,
        points: Sequence[Point],
        radii: Sequence[float],
        value: Value,
        *,
        edge: float = 0.0,
        clip: FloatMap | None = None,
        blend: Blend = "mix",
    ) -> None:
        """Draw a tapered rod with round ends through the points, with a radius at each."""
        soft = max(edge, self.pixel)

        def coverage(x: FloatMap, y: FloatMap) -> FloatMap:
            return inside(rod_depth(x, y, points, radii)[0], soft)

        self._draw(self._around(points, max(radii) + soft), coverage, value, clip, blend)

    def outline(
        self,
        points: Sequence[Point],
        value: Value,
        *,
        softness: int = 0,
        clip: FloatMap | None = None,
        blend: Blend = "mix",
    ) -> None:
        """Fill the smooth closed curve through the points; `softness` in pixels blurs its rim."""
        self.fill(self.covered_by(points, softness=softness), value, clip=clip, blend=blend)

    def covered_by(self, points: Sequence[Point], *, softness: int = 0) -> FloatMap:
        """Return the coverage (0 to 1) of the smooth closed curve through the points."""
        from PIL import Image, ImageDraw

        height, width = self.shape
        raster = Image.new("L", (width * _OUTLINE_ZOOM, height * _OUTLINE_ZOOM), 0)
        half = height * _OUTLINE_ZOOM / 2
        curve = [self.frame.to_image(point) for point in spline(points)]
        corners = [(width * _OUTLINE_ZOOM / 2 + x * half, half + y * half) for x, y in curve]
        ImageDraw.Draw(raster).polygon(corners, fill=255)
        coverage = np.asarray(raster.reduce(_OUTLINE_ZOOM), dtype=np.float32) / np.float32(255)
        return soften(coverage, softness)

    def fill(
        self,
        coverage: FloatMap,
        value: Value,
        *,
        clip: FloatMap | None = None,
        blend: Blend = "mix",
    ) -> None:
        """Lay a value over the map where a coverage of the whole map says so."""
        self._blend((slice(None), slice(None)), coverage, value, clip, blend)

    def draw(
        self,
        around: Sequence[Point],
        reach: float,
        coverage: Callable[[FloatMap, FloatMap], FloatMap],
        value: Value = 1.0,
        *,
        clip: FloatMap | None = None,
        blend: Blend = "mix",
    ) -> None:
        """Draw any function of x and y, evaluated within `reach` of the points only."""
        self._draw(self._around(around, reach), coverage, value, clip, blend)

    def coordinates(self, window: Window = (slice(None), slice(None))) -> tuple[FloatMap, FloatMap]:
        """Return x and y of the pixels of a window, in the canvas's frame."""
        height, width = self.shape
        row = (np.arange(height, dtype=np.float32) * 2 + 1 - height) / np.float32(height)
        column = (np.arange(width, dtype=np.float32) * 2 + 1 - width) / np.float32(height)
        y, x = row[window[0], None], column[None, window[1]]
        if self.warp is not None:
            x, y = x + self.warp[0][window], y + self.warp[1][window]
        return self.frame.to_local(x, y)

    def _around(self, points: Sequence[Point], reach: float) -> Window:
        """Return the window of pixels within `reach` of the bounding box of the points."""
        height, width = self.shape
        places = [self.frame.to_image(point) for point in points]
        margin = reach * self.frame.scale + (self.warp[2] if self.warp else 0.0) + self.pixel
        spans = []
        for axis, size in ((1, height), (0, width)):
            low = min(place[axis] for place in places) - margin
            high = max(place[axis] for place in places) + margin
            first = int((low * height + size) // 2)
            last = int((high * height + size) // 2) + 1
            spans.append(slice(min(max(first, 0), size), min(max(last, 0), size)))
        return spans[0], spans[1]

    def _draw(
        self,
        window: Window,
        coverage: Callable[[FloatMap, FloatMap], FloatMap],
        value: Value,
        clip: FloatMap | None,
        blend: Blend,
    ) -> None:
        if window[0].start < window[0].stop and window[1].start < window[1].stop:
            self._blend(window, coverage(*self.coordinates(window)), value, clip, blend)

    def _blend(
        self,
        window: Window,
        coverage: FloatMap,
        value: Value,
        clip: FloatMap | None,
        blend: Blend,
    ) -> None:
        target = self.values[window]
        amount = coverage if clip is None else coverage * clip[window]
        wanted = value[window] if isinstance(value, np.ndarray) else np.float32(value)
        if blend == "mix":
            target += amount * (wanted - target)
        elif blend == "add":
            target += amount * wanted
        else:
            np.maximum(target, amount * wanted, out=target)


def inside(depth: FloatMap, edge: float) -> FloatMap:
    """Return the coverage of a shape from its signed depth (positive inside), `edge` units soft."""
    return smoothstep(-edge / 2, edge / 2, depth)


def soften(values: FloatMap, radius_px: int) -> FloatMap:
    """Return the map blurred over about `radius_px`: reduced by averaging and enlarged again."""
    from PIL import Image

    if radius_px < 2:
        return values if radius_px < 1 else average(values)
    height, width = values.shape
    small = Image.fromarray(values).reduce(radius_px)
    large = small.resize((width, height), Image.Resampling.BICUBIC)
    return average(np.asarray(large, dtype=np.float32))


def average(values: FloatMap) -> FloatMap:
    """Return the map averaged over 3 x 3 pixels; the rim is continued outward."""
    padded = np.pad(values, 1, mode="edge")
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    total: FloatMap = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return total / np.float32(9)

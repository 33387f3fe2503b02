"""Frames, curves and depths: the geometry that the phantoms are made of."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatMap: TypeAlias = NDArray[np.float32]
Point: TypeAlias = tuple[float, float]


def cosine(angle_deg: float) -> float:
    """Return the cosine of an angle, rounded so that every C library agrees."""
    return round(math.cos(math.radians(angle_deg)), 9)


def sine(angle_deg: float) -> float:
    """Return the sine of an angle, rounded so that every C library agrees."""
    return round(math.sin(math.radians(angle_deg)), 9)


@dataclass(frozen=True, slots=True)
class Frame:
    """A local frame: where its origin lies in the image, how it is turned and scaled.

    `across` multiplies x only: -1 mirrors, less than 1 narrows.
    """

    origin: Point = (0.0, 0.0)
    cos: float = 1.0
    sin: float = 0.0
    scale: float = 1.0
    across: float = 1.0

    def placed(self, centre: Point, *, angle_deg: float = 0.0, scale: float = 1.0) -> "Frame":
        """Return the frame at `centre` of this one, turned clockwise by `angle_deg` in it."""
        turn = angle_deg if self.across > 0 else -angle_deg
        c, s = cosine(turn), sine(turn)
        return replace(
            self,
            origin=self.to_image(centre),
            cos=self.cos * c - self.sin * s,
            sin=self.sin * c + self.cos * s,
            scale=self.scale * scale,
        )

    def stretched(self, across: float) -> "Frame":
        """Return the frame with its x multiplied: -1 mirrors it, less than 1 narrows it."""
        return replace(self, across=self.across * across)

    def to_image(self, point: Point) -> Point:
        """Return where a local point lies in the image."""
        x, y = point[0] * self.across * self.scale, point[1] * self.scale
        return (
            self.origin[0] + x * self.cos - y * self.sin,
            self.origin[1] + x * self.sin + y * self.cos,
        )

    def to_local(self, x: FloatMap, y: FloatMap) -> tuple[FloatMap, FloatMap]:
        """Return the local coordinates of image points; an unturned frame keeps them separable."""
        dx: FloatMap = x - np.float32(self.origin[0])
        dy: FloatMap = y - np.float32(self.origin[1])
        if self.sin == 0 and self.cos == self.scale == self.across:
            return dx, dy
        c, s = np.float32(self.cos / self.scale), np.float32(self.sin / self.scale)
        across = np.float32(1 / self.across)
        if self.sin == 0:
            return _product(dx, c * across), _product(dy, c)
        return _product(dx * c + dy * s, across), dy * c - dx * s


def smoothstep(low: float, high: float, values: FloatMap) -> FloatMap:
    """Return 0 below `low`, 1 above `high` and 3t^2 - 2t^3 between."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), np.float32(0), np.float32(1))
    step: FloatMap = t * t * (np.float32(3) - np.float32(2) * t)
    return step


def ellipse_depth(
    x: FloatMap, y: FloatMap, centre: Point, radii: Point, angle_deg: float = 0.0
) -> FloatMap:
    """Return the depth inside an ellipse: 0 at its rim, the smaller radius at its centre."""
    frame = Frame(origin=centre, cos=cosine(angle_deg), sin=sine(angle_deg))
    local_x, local_y = frame.to_local(x, y)
    u, v = local_x / np.float32(radii[0]), local_y / np.float32(radii[1])
    return _product(np.float32(1) - np.sqrt(u * u + v * v), np.float32(min(radii)))


def squircle_depth(x: FloatMap, y: FloatMap, centre: Point, radii: Point) -> FloatMap:
    """Return the depth inside a superellipse of exponent 2.5: the outline of a trunk."""
    u = np.abs(x - np.float32(centre[0])) / np.float32(radii[0])
    v = np.abs(y - np.float32(centre[1])) / np.float32(radii[1])
    share = np.float32(1) - np.sqrt(u * u * np.sqrt(u) + v * v * np.sqrt(v))
    return _product(share, np.float32(min(radii) * 0.8))


def _product(values: FloatMap, factor: np.float32) -> FloatMap:
    """Return values times a factor, all float32."""
    product: FloatMap = values * factor
    return product


def rod_depth(
    x: FloatMap, y: FloatMap, points: Sequence[Point], radii: Sequence[float]
) -> tuple[FloatMap, FloatMap]:
    """Return the depth inside a tapered rod through the points, and its radius there.

    Of several segments the one counts in which a place lies deepest.
    """
    best: FloatMap | None = None
    radius_there = np.zeros(np.broadcast_shapes(x.shape, y.shape), dtype=np.float32)
    for i in range(len(points) - 1):
        distance, along = segment_distance(x, y, points[i], points[i + 1])
        radius = np.float32(radii[i]) + along * np.float32(radii[i + 1] - radii[i])
        depth = radius - distance
        if best is None:
            best, radius_there = depth, radius
            continue
        deeper = depth > best
        radius_there = np.where(deeper, radius, radius_there)
        best = np.maximum(best, depth)
    return (best if best is not None else radius_there), radius_there


def segment_distance(
    x: FloatMap, y: FloatMap, start: Point, end: Point
) -> tuple[FloatMap, FloatMap]:
    """Return the distance to a segment and the position along it (0 at `start`, 1 at `end`)."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    px: FloatMap = x - np.float32(start[0])
    py: FloatMap = y - np.float32(start[1])
    share = (px * np.float32(dx) + py * np.float32(dy)) / np.float32(max(dx * dx + dy * dy, 1e-9))
    along: FloatMap = np.clip(share, np.float32(0), np.float32(1))
    ox, oy = px - along * np.float32(dx), py - along * np.float32(dy)
    distance: FloatMap = np.sqrt(ox * ox + oy * oy)
    return distance, along


def spline(points: Sequence[Point], *, closed: bool = True, steps: int = 8) -> list[Point]:
    """Return a Catmull-Rom curve through the points (Catmull and Rom 1974, tension one half)."""
    count = len(points)
    curve: list[Point] = []
    for i in range(count if closed else count - 1):
        if closed:
            around = [points[(i + k) % count] for k in (-1, 0, 1, 2)]
        else:
            around = [points[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2)]
        curve.extend(_between(around, step / steps) for step in range(steps))
    return curve if closed else [*curve, points[-1]]


def _between(around: Sequence[Point], t: float) -> Point:
    """Return the point at `t` between the second and third of four control points."""
    weights = (
        -0.5 * t + t * t - 0.5 * t**3,
        1.0 - 2.5 * t * t + 1.5 * t**3,
        0.5 * t + 2.0 * t * t - 1.5 * t**3,
        -0.5 * t * t + 0.5 * t**3,
    )
    x = sum(w * p[0] for w, p in zip(weights, around, strict=True))
    y = sum(w * p[1] for w, p in zip(weights, around, strict=True))
    return x, y

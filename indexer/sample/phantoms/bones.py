"""Bones as X-rays show them: the length of the ray's path through cortex and marrow.

A long bone is a tube: rays at its rim pass through cortex only, rays at its axis through two layers
of it and the marrow between. That alone gives the white edges and the grey middle.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from indexer.sample.canvas import Canvas, inside
from indexer.sample.curves import FloatMap, Point, ellipse_depth, segment_distance
from indexer.sample.noise import cloud_noise, white_noise

# How much less spongy bone and marrow absorb than cortex of the same thickness.
_MARROW = 0.72


@dataclass(frozen=True, slots=True)
class Node:
    """A place on a bone's axis: where, how thick, and what share of the radius is marrow."""

    x: float
    y: float
    radius: float
    marrow: float = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A fracture: where, its line's tilt to the horizontal, and the shift beyond it (px)."""

    at: Point
    tilt_deg: float
    shift_px: int
    reach: float = 0.3


def draw_tube(canvas: Canvas, nodes: Sequence[Node]) -> None:
    """Draw a long bone through the nodes into a map of bone thickness."""
    points = [(node.x, node.y) for node in nodes]

    def thickness(x: FloatMap, y: FloatMap) -> FloatMap:
        best = np.zeros(np.broadcast_shapes(x.shape, y.shape), dtype=np.float32)
        for a, b in pairwise(nodes):
            distance, along = segment_distance(x, y, (a.x, a.y), (b.x, b.y))
            radius = np.float32(a.radius) + along * np.float32(b.radius - a.radius)
            share = np.float32(a.marrow) + along * np.float32(b.marrow - a.marrow)
            outer = _chord(radius, distance)
            inner = _chord(radius * share, distance)
            np.maximum(best, outer - np.float32(_MARROW) * inner, out=best)
        return best

    canvas.draw(points, max(node.radius for node in nodes), thickness, blend="max")


def draw_ball(
    canvas: Canvas, centre: Point, radii: Point, *, angle_deg: float = 0.0, rim: float = 0.012
) -> None:
    """Draw a short, rounded bone: a thin shell of cortex, `rim` units thick, filled with sponge."""
    scale = min(radii)

    def thickness(x: FloatMap, y: FloatMap) -> FloatMap:
        depth = ellipse_depth(x, y, centre, radii, angle_deg)
        outer = _chord(np.float32(scale), np.float32(scale) - depth)
        hollow = np.float32(scale - rim)
        return outer - np.float32(_MARROW) * _chord(hollow, np.float32(scale) - depth)

    canvas.draw([centre], max(radii), thickness, blend="max")


def draw_flat(canvas: Canvas, outline: Sequence[Point], thickness: float) -> None:
    """Draw a flat bone: even thickness, a denser border."""
    body = canvas.covered_by(outline)
    border = np.clip(body - canvas.covered_by(outline, softness=6) + np.float32(0.02), 0, 1) * body
    canvas.fill(body, thickness, blend="add")
    canvas.fill(border * np.float32(2), thickness * 1.8, blend="add")


def break_bone(bone: Canvas, fracture: Break, rng: np.random.Generator) -> None:
    """Break the bones on a map of their thickness: a dark ragged line and a step beyond it."""
    local = bone.placed(fracture.at, angle_deg=fracture.tilt_deg)
    x, y = local.coordinates()
    ragged = cloud_noise(rng, bone.shape, 40) * np.float32(0.008)
    beyond = y + ragged
    near = inside(np.float32(fracture.reach) - np.sqrt(x * x + y * y), fracture.reach * 0.6)
    across = (local.frame.sin * fracture.shift_px, local.frame.cos * fracture.shift_px)
    shifted = np.roll(bone.values, (round(across[0]), round(across[1])), axis=(0, 1))
    moved = np.where(beyond > 0, shifted, bone.values)
    bone.values[:] = bone.values + near * (moved - bone.values)
    line = inside(np.float32(0.011) - np.abs(beyond), 0.012) * near
    bone.fill(line * np.float32(0.8), 0.0)


def add_texture(bone: Canvas, rng: np.random.Generator, strength: float = 0.1) -> None:
    """Add the fine network of trabeculae to a map of bone thickness."""
    height, width = bone.shape
    fine = cloud_noise(rng, (height, width), height // 4)
    streaks = cloud_noise(rng, (height, width), height // 7)
    network = (fine + streaks) * np.float32(strength * 0.7)
    bone.values[:] *= np.clip(np.float32(1) + network, np.float32(0.4), np.float32(1.7))


def tissue_rod(
    tissue: Canvas, points: Sequence[Point], radii: Sequence[float], weight: float = 1.0
) -> None:
    """Draw soft tissue around bones as a tapered rod, in the thickness that rays cross."""
    from indexer.sample.curves import rod_depth

    def thickness(x: FloatMap, y: FloatMap) -> FloatMap:
        depth, radius = rod_depth(x, y, points, radii)
        return _chord(radius, radius - depth) * np.float32(weight)

    tissue.draw(points, max(radii), thickness, blend="max")


def expose(
    tissue: FloatMap, bone: FloatMap, rng: np.random.Generator, *, metal: FloatMap | None = None
) -> FloatMap:
    """Return the radiograph (0 black, 1 white) of maps of thickness in grid units.

    The response a / (a + 1) to the attenuation a flattens towards white as film does.
    """
    attenuation = tissue * np.float32(1.2) + bone * np.float32(9.0)
    if metal is not None:
        attenuation = attenuation + metal * np.float32(12.0)
    image = attenuation / (attenuation + np.float32(0.7)) * np.float32(1.3) - np.float32(0.06)
    height, width = image.shape
    fog = cloud_noise(rng, (height, width), 3) * np.float32(0.015)
    grain = white_noise(rng, (height, width)) * np.float32(0.014)
    radiograph: FloatMap = image + fog + grain + np.float32(0.04)
    return radiograph


def _chord(radius: FloatMap | np.float32, distance: FloatMap) -> FloatMap:
    """Return half the length of the path through a circle at a distance from its centre."""
    squared: FloatMap = radius * radius - distance * distance
    return np.sqrt(np.maximum(squared, np.float32(0)))

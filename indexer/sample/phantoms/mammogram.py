"""Mammograms: fat, glandular tissue, pectoral muscle; a spiculated mass or clustered calcium."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from indexer.sample.canvas import Canvas, soften
from indexer.sample.curves import cosine, sine
from indexer.sample.noise import Pixels, cloud_noise, to_pixels, white_noise
from indexer.sample.phantoms.ct_body import Side

BreastFinding: TypeAlias = Literal["none", "mass", "calcifications"]
_HEIGHT_PX, _WIDTH_PX = 272, 216


@dataclass(frozen=True, slots=True, kw_only=True)
class Mammogram:
    """A mediolateral oblique mammogram to be drawn, fatty or dense."""

    seed: int
    side: Side
    finding: BreastFinding = "none"
    dense: bool = False


def draw_mammogram(film: Mammogram) -> Pixels:
    """Return the image, uint8 (272, 216); the right breast points to the left, as it is hung."""
    rng = np.random.default_rng([film.seed, 19])
    canvas = Canvas.blank(_HEIGHT_PX, _WIDTH_PX)
    breast = canvas.placed((-0.8, 0.0))
    if film.side == "right":
        breast = canvas.stretched(-1.0).placed((-0.8, 0.0))
    outline = [
        (-0.3, -1.3), (0.4, -1.1), (0.68, -0.72), (0.96, -0.3), (1.1, 0.05), (1.17, 0.22),
        (1.09, 0.36), (0.96, 0.62), (0.6, 0.88), (0.1, 0.98), (-0.3, 1.2),
    ]  # fmt: skip
    shape = breast.covered_by(outline)
    thick = soften(shape, 10)
    canvas.fill(shape * (np.float32(0.3) + thick * np.float32(0.7)), 0.3, blend="add")
    _draw_gland(breast, film, rng)
    breast.outline([(-0.3, -1.3), (0.48, -1.3), (0.3, -0.7), (0.08, 0.1), (-0.3, 0.5)], 0.36,
                   softness=4, clip=shape, blend="add")  # fmt: skip
    if film.finding == "mass":
        _draw_mass(breast, rng)
    elif film.finding == "calcifications":
        _draw_calcifications(breast, rng)
    canvas.values[:] *= shape
    grain = white_noise(rng, canvas.shape) * np.float32(0.012)
    return to_pixels(canvas.values + grain * (shape + np.float32(0.2)))


def _draw_gland(breast: Canvas, film: Mammogram, rng: np.random.Generator) -> None:
    """Draw glandular tissue behind the nipple, with ducts that run towards it."""
    weight = 0.36 if film.dense else 0.17
    texture = cloud_noise(rng, breast.shape, 7) * np.float32(0.3)
    fine = cloud_noise(rng, breast.shape, 26) * np.float32(0.13)
    patchy = np.clip(np.float32(0.85) + texture + fine, 0, 2)
    reach = (0.46, 0.5) if film.dense else (0.4, 0.36)
    breast.ellipse((0.58, 0.15), reach, weight, edge=0.4, clip=patchy, blend="add")
    for _ in range(14):
        start = (0.2 + 0.3 * rng.random(), 0.15 + 0.9 * (rng.random() - 0.5))
        bend = (0.8, start[1] * 0.6 + 0.1)
        breast.rod([start, bend, (1.12, 0.23)], [0.012, 0.008, 0.005], 0.08, edge=0.02, blend="add")
    breast.ellipse((1.15, 0.23), (0.05, 0.06), 0.15, edge=0.03, blend="add")


def _draw_mass(breast: Canvas, rng: np.random.Generator) -> None:
    """Draw a dense mass with spicules."""
    at = (0.5 + 0.15 * rng.random(), -0.05 + 0.3 * rng.random())
    for i in range(14):
        ray = breast.placed(at, angle_deg=360 / 14 * i + 12 * rng.random())
        ray.rod([(0, 0), (0.17 + 0.07 * rng.random(), 0)], [0.02, 0.003], 0.12, edge=0.015,
                blend="add")  # fmt: skip
    breast.ellipse(at, (0.1, 0.09), 0.36, edge=0.05, blend="add")


def _draw_calcifications(breast: Canvas, rng: np.random.Generator) -> None:
    """Draw a cluster of fine, irregular flecks of calcium."""
    at = (0.55 + 0.15 * rng.random(), 0.05 + 0.2 * rng.random())
    for _ in range(22):
        angle, reach = 360 * rng.random(), 0.13 * rng.random()
        fleck = (at[0] + cosine(angle) * reach, at[1] + sine(angle) * reach)
        radii = (0.006 + 0.008 * rng.random(), 0.006 + 0.005 * rng.random())
        breast.ellipse(fleck, radii, 0.6, angle_deg=angle, blend="add")

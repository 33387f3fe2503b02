"""Panoramic dental radiographs: both rows of teeth in the arch of the jaws."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from indexer.sample.canvas import Canvas, soften
from indexer.sample.noise import Pixels, cloud_noise, to_pixels, white_noise
from indexer.sample.phantoms.ct_body import Side, image_x

DentalFinding: TypeAlias = Literal["none", "impacted molar", "missing tooth", "fillings"]
_HEIGHT_PX, _WIDTH_PX = 208, 400
_TEETH_A_SIDE = 7
# Widths of a tooth from the middle incisor to the second molar, in grid units.
_TOOTH_WIDTHS = (0.125, 0.105, 0.12, 0.12, 0.125, 0.185, 0.18)
_TOOTH_LENGTHS = (0.44, 0.41, 0.48, 0.42, 0.42, 0.4, 0.36)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panorama:
    """A panoramic radiograph to be drawn; side is where the finding lies, in the lower jaw."""

    seed: int
    finding: DentalFinding = "none"
    side: Side = "left"


def draw_panorama(film: Panorama) -> Pixels:
    """Return the image, uint8 (208, 400), the patient's right on the left."""
    rng = np.random.default_rng([film.seed, 23])
    canvas = Canvas.blank(_HEIGHT_PX, _WIDTH_PX, 0.3)
    canvas.ellipse((0, 0.1), (1.9, 1.0), 0.4, edge=0.3)
    _draw_upper_face(canvas)
    _draw_mandible(canvas)
    for side in ("right", "left"):
        _draw_row(canvas, film, "left" if side == "left" else "right")
    if film.finding == "impacted molar":
        molar = canvas.placed((image_x(film.side, 1.22), 0.16))
        molar = molar.stretched(1.0 if film.side == "left" else -1.0)
        _draw_tooth(molar.placed((0.0, 0.0), angle_deg=-72), 0.18, 0.36, molar=True)
    _draw_spine_ghost(canvas)
    texture = cloud_noise(rng, canvas.shape, 46) * np.float32(0.022)
    fog = cloud_noise(rng, canvas.shape, 4) * np.float32(0.035)
    grain = white_noise(rng, canvas.shape) * np.float32(0.015)
    return to_pixels(soften(canvas.values, 1) * np.float32(1.08) + texture + fog + grain - 0.04)


def _draw_upper_face(canvas: Canvas) -> None:
    """Draw nasal cavity, maxillary sinuses, hard palate and the edges of the orbits."""
    for sign in (-1, 1):
        canvas.ellipse((sign * 0.17, -0.72), (0.13, 0.3), 0.22, edge=0.08)
        canvas.ellipse((sign * 0.62, -0.62), (0.36, 0.25), 0.27, edge=0.06)
        canvas.rod([(sign * 0.35, -0.98), (sign * 1.05, -0.86)], [0.03, 0.03], 0.6, edge=0.05)
    canvas.rod([(-1.05, -0.4), (0, -0.46), (1.05, -0.4)], [0.022, 0.03, 0.022], 0.66, edge=0.03)
    canvas.rod([(0, -1), (0, -0.5)], [0.015, 0.015], 0.55, edge=0.03)
    canvas.rod([(-0.95, -0.2), (0.0, -0.26), (0.95, -0.2)], [0.16, 0.18, 0.16], 0.52, edge=0.1)


def _draw_mandible(canvas: Canvas) -> None:
    """Draw the lower jaw: body, ascending branches, condyles, the canals of its nerves."""
    body = [(-1.42, -0.6), (-1.36, 0.1), (-0.95, 0.52), (-0.4, 0.72), (0, 0.76),
            (0.4, 0.72), (0.95, 0.52), (1.36, 0.1), (1.42, -0.6)]  # fmt: skip
    canvas.rod(body, [0.09, 0.2, 0.22, 0.2, 0.2, 0.2, 0.22, 0.2, 0.09], 0.56, edge=0.06)
    rim = [(x * 1.04, y + (0.17 if abs(x) < 1.3 else 0.06)) for x, y in body[1:-1]]
    canvas.rod(rim, [0.02] * len(rim), 0.78, edge=0.03)
    for sign in (-1, 1):
        canvas.ellipse((sign * 1.46, -0.72), (0.1, 0.085), 0.66, edge=0.04)
        canvas.rod([(sign * 1.18, -0.5), (sign * 1.26, -0.15)], [0.035, 0.09], 0.52, edge=0.05)
        nerve = [(sign * 1.28, -0.1), (sign * 1.1, 0.35), (sign * 0.6, 0.6)]
        canvas.rod(nerve, [0.018, 0.018, 0.018], 0.42, edge=0.025)
    canvas.ellipse((0, 0.98), (0.5, 0.07), 0.15, edge=0.08)


def _draw_row(canvas: Canvas, film: Panorama, side: Side) -> None:
    """Draw the upper and the lower teeth of one side from the midline outward."""
    x = 0.0
    for i in range(_TEETH_A_SIDE):
        width = _TOOTH_WIDTHS[i]
        x += width / 2
        curve = 0.1 - 0.15 * (x / 0.95) ** 2
        lean = 4 + 9 * x
        length = _TOOTH_LENGTHS[i]
        here = image_x(side, x * 1.08)
        sign = 1 if side == "left" else -1
        upper = canvas.placed((here, curve - 0.075)).stretched(sign)
        _draw_tooth(upper.placed((0, 0), angle_deg=lean * 0.5), width, length, molar=i > 4)
        gone = film.finding == "missing tooth" and side == film.side and i == 5
        if not gone:
            lower = canvas.placed((here, curve + 0.075), angle_deg=180).stretched(-sign)
            tooth = lower.placed((0, 0), angle_deg=-lean)
            _draw_tooth(tooth, width, length, molar=i > 4)
            if film.finding == "fillings" and i in {4, 5}:
                tooth.ellipse((0.0, 0.015), (width * 0.26, 0.035), 1.1, edge=0.01)
        x += width / 2


def _draw_tooth(tooth: Canvas, width: float, length: float, *, molar: bool) -> None:
    """Draw a tooth whose crown faces y = 0 and whose roots point up (negative y)."""
    half = width * 0.46
    roots = (-0.42, 0.42) if molar else (0.0,)
    for root in roots:
        x = root * half
        spread = 1.5 if molar else 1.0
        thick = half * (0.48 if molar else 0.74)
        points = [(x, -0.09), (x * spread, -length)]
        tooth.rod(points, [thick + 0.014, 0.03], 0.42, edge=0.012)
        tooth.rod(points, [thick, 0.014], 0.74, edge=0.02)
        tooth.rod(points, [thick * 0.26, 0.003], 0.52, edge=0.012)
    tooth.rod([(-half * 0.35, -0.05), (half * 0.35, -0.05)], [half * 0.62] * 2, 0.84, edge=0.02)
    tooth.rod([(-half * 0.5, -0.02), (half * 0.5, -0.02)], [half * 0.44] * 2, 0.98, edge=0.02)
    tooth.ellipse((0, -0.065), (half * 0.3, 0.02), 0.56, edge=0.02)


def _draw_spine_ghost(canvas: Canvas) -> None:
    """Draw the pale shadow of the spine over the middle of the image."""
    for sign in (-1, 1):
        canvas.rod([(sign * 1.85, -1), (sign * 1.85, 1)], [0.12, 0.14], 0.55, edge=0.15)
    canvas.rod([(0, -1), (0, 1)], [0.2, 0.2], 0.05, edge=0.2, blend="add")

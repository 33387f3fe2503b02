"""Ultrasound images: speckle in a fan or a rectangle, cysts, masses, stones with shadows."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from indexer.sample.canvas import Canvas, inside, soften
from indexer.sample.curves import FloatMap, Point, smoothstep
from indexer.sample.noise import Pixels, cloud_noise, speckle, to_pixels
from indexer.sample.phantoms.ct_body import Side

Organ: TypeAlias = Literal["gallbladder", "kidney", "breast", "thyroid"]
EchoFinding: TypeAlias = Literal[
    "none", "gallstone", "hydronephrosis", "cyst", "solid mass", "nodule"
]

FINDINGS_OF: dict[Organ, tuple[EchoFinding, ...]] = {
    "gallbladder": ("none", "gallstone"),
    "kidney": ("none", "hydronephrosis", "cyst"),
    "breast": ("none", "cyst", "solid mass"),
    "thyroid": ("none", "nodule"),
}
_HEIGHT_PX, _WIDTH_PX = 240, 272
_FAN_TOP: Point = (0.0, -1.35)
_LINEAR: tuple[Organ, ...] = ("breast", "thyroid")


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoScan:
    """An ultrasound image to be drawn; the gall bladder has no side."""

    seed: int
    organ: Organ
    finding: EchoFinding = "none"
    side: Side = "right"


def draw_echo(scan: EchoScan) -> Pixels:
    """Return the image, uint8 (240, 272)."""
    rng = np.random.default_rng([scan.seed, 17])
    canvas = Canvas.blank(_HEIGHT_PX, _WIDTH_PX, 0.36)
    layers = cloud_noise(rng, (_HEIGHT_PX, _WIDTH_PX), 6) * np.float32(0.05)
    canvas.values[:] += layers
    ragged = cloud_noise(rng, canvas.shape, 9) * np.float32(0.018)
    uneven = canvas.warped(ragged, -ragged)
    behind = canvas.layer()
    draw = {
        "gallbladder": _draw_gallbladder,
        "kidney": _draw_kidney,
        "breast": _draw_breast,
        "thyroid": _draw_thyroid,
    }[scan.organ]
    draw(uneven, behind, scan, rng)
    grains = np.float32(0.42) + speckle(rng, canvas.shape, _HEIGHT_PX // 3) * np.float32(0.58)
    echo = (soften(canvas.values, 2) + behind.values) * grains
    x, y = canvas.coordinates()
    depth_loss = np.float32(1.12) - smoothstep(-0.2, 1.2, y) * np.float32(0.5)
    field = _linear_field(x, y) if scan.organ in _LINEAR else _fan_field(x, y)
    return to_pixels(soften(np.maximum(echo, 0) * depth_loss, 1) * field)


def _fan_field(x: FloatMap, y: FloatMap) -> FloatMap:
    """Return the sector that a curved probe sees."""
    dy = y - np.float32(_FAN_TOP[1])
    distance = np.sqrt(x * x + dy * dy)
    ring = inside(distance - np.float32(0.45), 0.02) * inside(np.float32(2.26) - distance, 0.02)
    return ring * inside(np.float32(0.66) * dy - np.abs(x), 0.02)


def _linear_field(x: FloatMap, y: FloatMap) -> FloatMap:
    """Return the rectangle that a straight probe sees."""
    return inside(np.float32(0.94) - np.abs(y), 0.02) * inside(np.float32(1.02) - np.abs(x), 0.02)


def _cast(behind: Canvas, start: Point, radius: float, strength: float, *, fan: bool) -> None:
    """Brighten or darken what lies behind a place, along the beam, to the end of the image."""
    if fan:
        dx, dy = start[0] - _FAN_TOP[0], start[1] - _FAN_TOP[1]
        end = (_FAN_TOP[0] + dx * 4, _FAN_TOP[1] + dy * 4)
        radii = [radius, radius * 4]
    else:
        end, radii = (start[0], start[1] + 2.5), [radius, radius]
    place = (start[0] + 0.02 * (end[0] - start[0]), start[1] + radius * 0.8)
    behind.rod([place, end], radii, strength, edge=radius * 1.1, blend="add")


def _draw_gallbladder(
    canvas: Canvas, behind: Canvas, scan: EchoScan, rng: np.random.Generator
) -> None:
    """Draw the liver with a pear-shaped, echo-free gall bladder, perhaps with a stone."""
    canvas.fill(np.ones(canvas.shape, dtype=np.float32), 0.42)
    for _ in range(5):
        at = (1.4 * rng.random() - 0.7, 0.9 * rng.random() - 0.5)
        canvas.ellipse(at, (0.09, 0.03), 0.08, angle_deg=180 * rng.random(), edge=0.03)
    bladder = canvas.placed((0.1, 0.0), angle_deg=24 + 10 * rng.random())
    bladder.rod([(-0.34, 0), (0.2, 0.0)], [0.1, 0.21], 0.75, edge=0.02)
    bladder.rod([(-0.34, 0), (0.2, 0.0)], [0.075, 0.185], 0.015, edge=0.015)
    _cast(behind, (0.22, 0.12), 0.14, 0.16, fan=True)
    if scan.finding == "gallstone":
        stone = (0.22, 0.17)
        canvas.ellipse(stone, (0.085, 0.055), 1.2, edge=0.02)
        _cast(behind, stone, 0.075, -0.75, fan=True)


def _draw_kidney(canvas: Canvas, behind: Canvas, scan: EchoScan, rng: np.random.Generator) -> None:
    """Draw a kidney lengthwise: dark cortex, bright sinus, perhaps widened calyces or a cyst."""
    tilt = -12 if scan.side == "right" else 12
    kidney = canvas.placed((0.0, 0.0), angle_deg=tilt + 6 * (rng.random() - 0.5))
    kidney.ellipse((0, 0), (0.66, 0.33), 0.85, edge=0.03)
    kidney.ellipse((0, 0), (0.63, 0.3), 0.22, edge=0.03)
    kidney.ellipse((0, 0), (0.43, 0.14), 0.85, edge=0.09)
    for i in range(6):
        pyramid = (-0.42 + 0.17 * i, 0.18 if i % 2 else -0.18)
        kidney.ellipse(pyramid, (0.06, 0.05), 0.12, edge=0.03)
    if scan.finding == "hydronephrosis":
        kidney.ellipse((0, 0.02), (0.27, 0.12), 0.02, edge=0.02)
        for x, y in ((-0.33, -0.07), (-0.3, 0.1), (0.3, -0.08), (0.33, 0.08)):
            kidney.ellipse((x, y), (0.1, 0.075), 0.02, edge=0.02)
            kidney.rod([(x, y), (x * 0.4, 0.02)], [0.04, 0.05], 0.02, edge=0.02)
        _cast(behind, (0.0, 0.15), 0.2, 0.14, fan=True)
    elif scan.finding == "cyst":
        kidney.ellipse((0.52, -0.1), (0.2, 0.19), 0.6, edge=0.02)
        kidney.ellipse((0.52, -0.1), (0.18, 0.17), 0.01, edge=0.015)
        _cast(behind, (0.5, 0.05), 0.13, 0.22, fan=True)


def _draw_breast(canvas: Canvas, behind: Canvas, scan: EchoScan, rng: np.random.Generator) -> None:
    """Draw skin, fat lobules, glandular tissue and muscle; perhaps a cyst or a solid mass."""
    canvas.rod([(-1.2, -0.92), (1.2, -0.92)], [0.05, 0.05], 0.95, edge=0.04)
    for _ in range(26):
        at = (2.2 * rng.random() - 1.1, 1.15 * rng.random() - 0.8)
        radii = (0.22 + 0.18 * rng.random(), 0.05 + 0.06 * rng.random())
        canvas.ellipse(at, radii, 0.18 + 0.5 * rng.random(), angle_deg=20 * rng.random() - 10,
                       edge=0.06)  # fmt: skip
    canvas.rod([(-1.2, 0.6), (1.2, 0.56)], [0.03, 0.03], 0.85, edge=0.04)
    canvas.rod([(-1.2, 0.72), (1.2, 0.68)], [0.08, 0.08], 0.2, edge=0.05)
    at = (0.3 * rng.random() - 0.15, -0.12)
    if scan.finding == "cyst":
        canvas.ellipse(at, (0.27, 0.2), 0.75, edge=0.02)
        canvas.ellipse(at, (0.25, 0.18), 0.01, edge=0.015)
        _cast(behind, (at[0], at[1] + 0.12), 0.2, 0.35, fan=False)
    elif scan.finding == "solid mass":
        bumps = cloud_noise(rng, canvas.shape, 14) * np.float32(0.05)
        canvas.warped(bumps, -bumps).ellipse(at, (0.22, 0.26), 0.12, edge=0.05)
        _cast(behind, (at[0], at[1] + 0.15), 0.15, -0.3, fan=False)


def _draw_thyroid(canvas: Canvas, behind: Canvas, scan: EchoScan, rng: np.random.Generator) -> None:
    """Draw both thyroid lobes beside the windpipe, the carotids, muscle; perhaps a nodule."""
    canvas.rod([(-1.2, -0.9), (1.2, -0.9)], [0.05, 0.05], 0.9, edge=0.04)
    canvas.rod([(-1.2, -0.58), (1.2, -0.58)], [0.15, 0.15], 0.2, edge=0.05)
    canvas.rod([(-0.6, -0.1), (0.0, -0.3), (0.6, -0.1)], [0.27, 0.08, 0.27], 0.62, edge=0.04)
    canvas.ellipse((0, 0.02), (0.24, 0.26), 0.95, edge=0.03)
    canvas.ellipse((0, 0.06), (0.21, 0.25), 0.1, edge=0.04)
    _cast(behind, (0.0, 0.1), 0.2, -0.25, fan=False)
    for sign in (-1, 1):
        canvas.ellipse((sign * 0.92, -0.02), (0.14, 0.14), 0.7, edge=0.02)
        canvas.ellipse((sign * 0.92, -0.02), (0.115, 0.115), 0.02, edge=0.015)
    if scan.finding == "nodule":
        x = 0.55 if scan.side == "left" else -0.55
        radius = 0.13 + 0.05 * rng.random()
        canvas.ellipse((x, -0.1), (radius, radius * 0.85), 0.2, edge=0.03)

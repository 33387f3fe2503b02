"""Axial MR images of the brain at the level of the lateral ventricles, in three weightings."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from indexer.sample.canvas import Canvas, inside, soften
from indexer.sample.curves import FloatMap, ellipse_depth, smoothstep
from indexer.sample.noise import Pixels, cloud_noise, to_pixels, white_noise
from indexer.sample.phantoms.ct_body import Side, image_x

BrainFinding: TypeAlias = Literal["none", "tumour", "infarct", "hydrocephalus"]
Weighting: TypeAlias = Literal["T1 with contrast", "T2", "FLAIR"]
Lobe: TypeAlias = Literal["frontal", "parietal", "occipital"]

_HEIGHT_PX, _WIDTH_PX = 256, 224
_LOBE_PLACE: dict[Lobe, tuple[float, float]] = {
    "frontal": (0.3, -0.46),
    "parietal": (0.42, 0.06),
    "occipital": (0.27, 0.5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BrainScan:
    """A brain to be drawn; side and lobe say where the finding lies in the patient."""

    seed: int
    weighting: Weighting
    finding: BrainFinding = "none"
    side: Side = "right"
    lobe: Lobe = "frontal"


@dataclass(frozen=True, slots=True)
class _Signal:
    """Grey values (0 to 1) of tissues in one weighting."""

    scalp: float
    fluid: float
    grey: float
    white: float
    oedema: float
    lesion: float
    rim: float


_SIGNALS: dict[Weighting, _Signal] = {
    "T1 with contrast": _Signal(0.88, 0.1, 0.4, 0.55, 0.36, 0.2, 0.95),
    "T2": _Signal(0.6, 0.95, 0.6, 0.38, 0.88, 0.75, 0.55),
    "FLAIR": _Signal(0.55, 0.06, 0.56, 0.44, 0.92, 0.7, 0.75),
}


def draw_brain(scan: BrainScan) -> Pixels:
    """Return the image, uint8 (256, 224), the patient's right on the left."""
    rng = np.random.default_rng([scan.seed, 13])
    signal = _SIGNALS[scan.weighting]
    canvas = Canvas.blank(_HEIGHT_PX, _WIDTH_PX, 0.015)
    clouds = cloud_noise(rng, canvas.shape, 7) * np.float32(0.012)
    head = canvas.placed((0.0, 0.02), angle_deg=6 * (rng.random() - 0.5)).warped(clouds, -clouds)
    head.ellipse((0, 0), (0.74, 0.93), signal.scalp, edge=0.015)
    head.ellipse((0, 0), (0.7, 0.89), 0.05, edge=0.015)
    head.ellipse((0, 0), (0.655, 0.845), signal.fluid, edge=0.012)
    _draw_hemispheres(head, signal, rng)
    _draw_deep_nuclei(head, signal)
    _draw_ventricles(head, signal, 1.75 if scan.finding == "hydrocephalus" else 1.0)
    if scan.finding in {"tumour", "infarct"}:
        _draw_lesion(head, scan, signal, rng)
    shade = np.float32(1) + cloud_noise(rng, canvas.shape, 2) * np.float32(0.03)
    grain = white_noise(rng, canvas.shape) * np.float32(0.02)
    return to_pixels(soften(canvas.values * shade, 1) + np.abs(grain))


def _draw_hemispheres(head: Canvas, signal: _Signal, rng: np.random.Generator) -> None:
    """Draw cortex with folds over white matter, and the cleft between the hemispheres."""
    x, y = head.coordinates()
    folds = cloud_noise(rng, head.shape, 21)
    depth = ellipse_depth(x, y, (0.0, 0.0), (0.64, 0.83)) + folds * np.float32(0.008)
    brain = inside(depth, 0.015)
    head.fill(brain, signal.grey)
    ribbon = np.float32(0.055) + np.abs(folds) * np.float32(0.035)
    head.fill(smoothstep(-0.012, 0.012, depth - ribbon), signal.white)
    furrow = inside(np.float32(0.16) - np.abs(folds), 0.14) * inside(np.float32(0.1) - depth, 0.03)
    head.fill(furrow * brain * np.float32(0.85), signal.fluid)
    for start, end in (((0, -0.86), (0, -0.36)), ((0, 0.42), (0, 0.86))):
        head.rod([start, end], [0.018, 0.012], signal.fluid, edge=0.014)
        head.rod([start, end], [0.004, 0.004], signal.grey * 0.8)


def _draw_deep_nuclei(head: Canvas, signal: _Signal) -> None:
    """Draw caudate, lentiform nucleus and thalamus on both sides, and the insular clefts."""
    for sign in (-1, 1):
        head.ellipse((sign * 0.13, -0.2), (0.045, 0.1), signal.grey, angle_deg=sign * 18, edge=0.03)
        head.ellipse((sign * 0.27, -0.06), (0.07, 0.15), signal.grey, angle_deg=sign * -14,
                     edge=0.04)  # fmt: skip
        head.ellipse((sign * 0.11, 0.1), (0.085, 0.12), signal.grey, angle_deg=sign * -20,
                     edge=0.04)  # fmt: skip
        cleft = [(sign * 0.62, -0.14), (sign * 0.47, -0.08), (sign * 0.43, 0.1)]
        head.rod(cleft, [0.02, 0.013, 0.008], signal.fluid, edge=0.014)


def _draw_ventricles(head: Canvas, signal: _Signal, size: float) -> None:
    """Draw the lateral ventricles, a butterfly, and the third ventricle between the thalami."""
    for sign in (-1, 1):
        front = [(sign * 0.05, -0.34), (sign * 0.035, -0.16), (sign * 0.03, -0.04)]
        head.rod([(sign * 0.13 * size, -0.36), *front[1:]],
                 [0.02 * size, 0.035 * size, 0.012], signal.fluid, edge=0.015)  # fmt: skip
        back = [(sign * 0.06, 0.2), (sign * 0.17 * size, 0.3), (sign * 0.22, 0.5)]
        head.rod(back, [0.015, 0.038 * size, 0.02 * size], signal.fluid, edge=0.015)
    head.rod([(0, 0.0), (0, 0.16)], [0.012 * size, 0.012 * size], signal.fluid, edge=0.012)


def _draw_lesion(head: Canvas, scan: BrainScan, signal: _Signal, rng: np.random.Generator) -> None:
    """Draw a ring-enhancing tumour in its oedema, or the wedge of an infarct."""
    offset, y = _LOBE_PLACE[scan.lobe]
    at = (image_x(scan.side, offset), y)
    px, py = head.coordinates()
    brain: FloatMap = inside(ellipse_depth(px, py, (0.0, 0.0), (0.63, 0.82)), 0.02)
    ragged = cloud_noise(rng, head.shape, 12) * np.float32(0.03)
    rough = head.warped(ragged, -ragged)
    if scan.finding == "infarct":
        deep = (at[0] * 0.45, at[1] * 0.6)
        rim = (at[0] * 1.45, at[1] * 1.2)
        rough.rod([deep, rim], [0.04, 0.22], signal.oedema, edge=0.07, clip=brain)
        return
    radius = 0.13 + 0.05 * rng.random()
    rough.ellipse(at, (radius * 1.9, radius * 2.0), signal.oedema, edge=0.12, clip=brain)
    rough.ellipse(at, (radius, radius * 1.05), signal.rim, edge=0.02, clip=brain)
    rough.ellipse(at, (radius * 0.66, radius * 0.7), signal.lesion, edge=0.03, clip=brain)

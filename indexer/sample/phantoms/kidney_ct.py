"""Kidneys on CT: cortex, pyramids, sinus, vein; masses, cysts and stones."""

from dataclasses import dataclass

import numpy as np

from indexer.sample.canvas import Canvas
from indexer.sample.curves import cosine, sine
from indexer.sample.noise import cloud_noise
from indexer.sample.phantoms.ct_body import BLOOD_HU, FAT_HU, Side
from indexer.sample.phantoms.ct_patients import AbdomenPatient


@dataclass(frozen=True, slots=True)
class Enhancement:
    """CT numbers in HU of what takes up contrast agent, in the late arterial phase or before it."""

    blood: float
    liver: float
    spleen: float
    cortex: float
    medulla: float
    wall: float

    @classmethod
    def of(cls, *, contrast: bool) -> "Enhancement":
        """Return the numbers with or without contrast agent."""
        if contrast:
            return cls(240.0, 112.0, 125.0, 215.0, 140.0, 90.0)
        return cls(BLOOD_HU, 60.0, 50.0, 36.0, 32.0, 40.0)


def draw_kidney(
    canvas: Canvas,
    patient: AbdomenPatient,
    level: float,
    side: Side,
    sign: int,
    tissue: Enhancement,
) -> None:
    """Draw a kidney: cortex, pyramids, fat in the sinus, its vein; and what was found in it."""
    build = patient.build
    height = 1 - abs(level - 0.64) / 0.36 * 0.55
    centre = (sign * 0.46 * build.width, build.centre_y + 0.3 * build.depth)
    kidney = canvas.placed(centre, angle_deg=sign * 28)
    radii = (0.135 * height, 0.185 * height)
    kidney.ellipse((0, 0), (radii[0] + 0.05, radii[1] + 0.05), FAT_HU, edge=0.05)
    kidney.ellipse((0, 0), radii, tissue.cortex, edge=0.012)
    for i in range(8):
        at = (radii[0] * 0.62 * cosine(45 * i + 20), radii[1] * 0.66 * sine(45 * i + 20))
        kidney.ellipse(at, (0.032 * height, 0.028 * height), tissue.medulla, edge=0.02)
    hilum = (-sign * radii[0] * 0.55, -0.02)
    kidney.ellipse(hilum, (radii[0] * 0.55, radii[1] * 0.42), FAT_HU + 30, edge=0.03)
    vein = [(hilum[0] + sign * 0.03, 0.0), (-sign * 0.24, -0.08)]
    kidney.rod(vein, [0.017, 0.02], tissue.blood * 0.8, edge=0.015)
    if side == patient.side and patient.shows_finding(level):
        _draw_renal_finding(kidney, patient, level, sign, tissue)


def _draw_renal_finding(
    kidney: Canvas,
    patient: AbdomenPatient,
    level: float,
    sign: int,
    tissue: Enhancement,
) -> None:
    """Draw what was found in a kidney, as large as the slice at this level cuts it."""
    share = max(0.0, 1 - ((level - patient.level) / 0.28) ** 2) ** 0.5
    radius = patient.size * share
    if patient.finding == "kidney stone":
        kidney.ellipse((-sign * 0.05, 0.03), (0.026, 0.02), 950.0)
    elif patient.finding == "renal cyst":
        kidney.ellipse((sign * 0.12, 0.1), (radius, radius * 0.95), 4.0)
    elif patient.finding == "renal mass":
        centre = (sign * 0.08, 0.1)
        rng = np.random.default_rng([patient.seed, round(level * 1000), 3])
        mottled = cloud_noise(rng, kidney.shape, 20) * np.float32(14)
        solid = 95.0 if tissue.cortex > 100 else 34.0
        mass = mottled + np.float32(solid)
        kidney.ellipse(centre, (radius, radius * 0.93), mass, edge=0.015)
        kidney.ellipse(centre, (radius * 0.25, radius * 0.3), solid * 0.55, edge=0.05)

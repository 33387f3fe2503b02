"""What may be found on a CT slice of the chest, drawn over the healthy one."""

import numpy as np

from indexer.sample.canvas import Canvas, inside
from indexer.sample.curves import FloatMap
from indexer.sample.noise import cloud_noise
from indexer.sample.phantoms.ct_body import WATER_HU, image_x, spine_y
from indexer.sample.phantoms.ct_patients import ChestPatient


def draw_finding(
    canvas: Canvas,
    lung: FloatMap,
    patient: ChestPatient,
    level: float,
    rng: np.random.Generator,
) -> None:
    """Draw the patient's finding as the slice at `level` cuts it, within the lung where it lies."""
    if patient.finding == "nodule":
        _draw_nodule(canvas, lung, patient, level, rng)
    elif patient.finding == "effusion":
        _draw_effusion(canvas, lung, patient, level)
    elif patient.finding == "consolidation":
        _draw_consolidation(canvas, lung, patient, rng)
    elif patient.finding == "oesophageal tumour":
        y = spine_y(patient.build, lumbar=False) - 0.14
        canvas.ellipse((0.03, y), (0.105, 0.08), 66.0, edge=0.02)
        canvas.ellipse((0.05, y - 0.01), (0.017, 0.009), -450.0)


def _draw_nodule(
    canvas: Canvas,
    lung: FloatMap,
    patient: ChestPatient,
    level: float,
    rng: np.random.Generator,
) -> None:
    """Draw a rounded nodule with an uneven rim and short spicules."""
    build = patient.build
    share = max(0.0, 1 - ((level - patient.level) / 0.16) ** 2) ** 0.5
    radius = patient.size * share
    centre = (image_x(patient.side, build.width * 0.56), build.centre_y + 0.06 - patient.size)
    ragged = cloud_noise(rng, canvas.shape, 26) * np.float32(0.008)
    rough = canvas.warped(ragged, -ragged)
    for i in range(7):
        direction = canvas.placed(centre, angle_deg=51 * i + 30 * rng.random())
        tip = [(0.0, 0.0), (radius * 1.5, 0.0)]
        direction.rod(tip, [0.012, 0.002], -250.0, clip=lung, edge=0.012)
    rough.ellipse(centre, (radius, radius * 0.92), 48.0, edge=0.018, clip=lung)


def _draw_effusion(canvas: Canvas, lung: FloatMap, patient: ChestPatient, level: float) -> None:
    """Draw fluid that has sunk to the back of the chest, higher up the lower the slice."""
    build = patient.build
    x, y = canvas.coordinates()
    surface = build.centre_y + build.depth * (0.72 - 0.6 * (level - 0.45)) - patient.size
    height: FloatMap = y - np.float32(surface)
    slope: FloatMap = np.abs(x) * np.float32(0.16)
    canvas.fill(inside(height + slope, 0.02), WATER_HU, clip=lung)


def _draw_consolidation(
    canvas: Canvas, lung: FloatMap, patient: ChestPatient, rng: np.random.Generator
) -> None:
    """Draw a cloudy patch of airless lung in which the larger airways stay dark."""
    build = patient.build
    centre = (image_x(patient.side, build.width * 0.5), build.centre_y + build.depth * 0.28)
    cloud = np.clip(cloud_noise(rng, canvas.shape, 16) * np.float32(0.2) + np.float32(0.85), 0, 1)
    canvas.ellipse(centre, (0.25, 0.22), 30.0, edge=0.16, clip=lung * cloud)
    for i in range(3):
        start = (centre[0] * 0.72, centre[1] - 0.09 + 0.07 * i)
        end = (centre[0] * 1.05, centre[1] - 0.07 + 0.08 * i + 0.03 * rng.random())
        canvas.rod([start, end], [0.011, 0.004], -500.0, edge=0.015, clip=lung)

"""CT of the upper abdomen: liver, spleen, stomach, kidneys, great vessels, bowel; renal masses."""

import numpy as np

from indexer.sample.canvas import Canvas, inside
from indexer.sample.curves import FloatMap, Point, cosine, sine, smoothstep
from indexer.sample.noise import cloud_noise
from indexer.sample.phantoms.ct_body import (
    CORTEX_HU,
    FAT_HU,
    LUNG_HU,
    MUSCLE_HU,
    WATER_HU,
    Build,
    Side,
    draw_spine,
    draw_vessel,
    finish_slice,
    spine_y,
    start_slice,
    wall_depth,
)
from indexer.sample.phantoms.ct_patients import AbdomenPatient
from indexer.sample.phantoms.kidney_ct import Enhancement, draw_kidney

_KIDNEY_LEVELS = (0.28, 1.0)
_SIDES: tuple[tuple[Side, int], ...] = (("right", -1), ("left", 1))


def draw_abdomen_ct(patient: AbdomenPatient, level: float, *, contrast: bool) -> FloatMap:
    """Return the slice at `level` in HU, float32 (256, 256)."""
    rng = np.random.default_rng([patient.seed, 7, round(level * 1000)])
    tissue = Enhancement.of(contrast=contrast)
    canvas = start_slice(patient.build, rng)
    cavity = inside(wall_depth(canvas, patient.build, 0.105), 0.02)
    canvas.fill(cavity, cloud_noise(rng, canvas.shape, 30) * np.float32(8) + np.float32(FAT_HU))
    _draw_ribs(canvas, patient.build, level)
    _draw_bowel(canvas, patient.build, level, tissue, cavity, rng)
    _draw_stomach(canvas, patient.build, level, tissue, cavity)
    _draw_spleen(canvas, patient.build, level, tissue, cavity)
    _draw_liver(canvas, patient, level, tissue, cavity, rng)
    draw_spine(canvas, patient.build, lumbar=True)
    _draw_great_vessels(canvas, patient, level, tissue)
    if _KIDNEY_LEVELS[0] <= level <= _KIDNEY_LEVELS[1]:
        for side, sign in _SIDES:
            draw_kidney(canvas, patient, level, side, sign, tissue)
    if level < 0.14:
        _draw_lung_bases(canvas, patient.build, level, cavity)
    return finish_slice(canvas, rng, 11.0 if contrast else 13.0)


def _draw_ribs(canvas: Canvas, build: Build, level: float) -> None:
    """Draw the lower ribs in the flanks; they thin out on the way down."""
    count = 8 if level < 0.5 else 4
    for i in range(count):
        for sign in (-1, 1):
            angle = 75 - (150 / count) * i - 20 * level
            x = sign * (build.width - build.fat - 0.06) * cosine(angle * 0.9)
            y = build.centre_y + 0.02 + (build.depth - build.fat - 0.06) * sine(angle * 0.9)
            canvas.ellipse((x, y), (0.05, 0.017), CORTEX_HU * 0.8, angle_deg=sign * (90 - angle))


def _draw_liver(
    canvas: Canvas,
    patient: AbdomenPatient,
    level: float,
    tissue: Enhancement,
    cavity: FloatMap,
    rng: np.random.Generator,
) -> None:
    """Draw the liver with its veins, gall bladder and perhaps a cyst: the image's left."""
    build = patient.build
    width, depth, shrink = build.width, build.depth, 1 - 0.75 * max(0.0, level - 0.25)
    reach = (0.3 if level < 0.3 else -0.08 - 0.3 * (level - 0.3)) * width
    outline = [
        (-0.93 * width, -0.15 * depth),
        (-0.72 * width, -0.72 * depth),
        (-0.3 * width, -0.85 * depth * shrink),
        (reach, -0.72 * depth * shrink),
        (reach * 0.6, -0.4 * depth),
        (-0.22 * width, -0.16 * depth),
        (-0.36 * width, 0.14 * depth * shrink),
        (-0.56 * width, 0.58 * depth * shrink),
        (-0.82 * width, 0.52 * depth * shrink),
    ]
    shape = canvas.placed((0.0, build.centre_y)).covered_by(outline)
    grain = cloud_noise(rng, canvas.shape, 24) * np.float32(4)
    canvas.fill(shape, grain + np.float32(tissue.liver), clip=cavity)
    inner = shape * cavity
    for i in range(7):
        at = (-width * (0.3 + 0.5 * rng.random()), build.centre_y + depth * (rng.random() - 0.62))
        canvas.ellipse(
            at, (0.05, 0.012), tissue.blood * 0.55 + 32, angle_deg=51 * i, edge=0.012, clip=inner
        )
    if 0.3 < level < 0.6:
        at = (-0.38 * width, build.centre_y - 0.42 * depth)
        canvas.ellipse(at, (0.075, 0.1), WATER_HU, angle_deg=-20, edge=0.015)
    if patient.finding == "liver cyst" and patient.shows_finding(level):
        at = (-0.62 * width, build.centre_y - 0.1 * depth)
        canvas.ellipse(at, (patient.size, patient.size * 0.93), WATER_HU - 3, clip=inner)


def _draw_spleen(
    canvas: Canvas, build: Build, level: float, tissue: Enhancement, cavity: FloatMap
) -> None:
    """Draw the spleen, a crescent in the left back."""
    if level > 0.6:
        return
    size = 1 - 0.5 * level
    at = (0.68 * build.width, build.centre_y + 0.28 * build.depth)
    canvas.ellipse(at, (0.17 * size, 0.3 * size), tissue.spleen, angle_deg=18, clip=cavity)


def _draw_stomach(
    canvas: Canvas, build: Build, level: float, tissue: Enhancement, cavity: FloatMap
) -> None:
    """Draw the stomach with fluid below and gas above, as it lies in a patient on the back."""
    if level > 0.55:
        return
    at = (0.36 * build.width, build.centre_y - 0.38 * build.depth)
    radii = (0.27 - 0.12 * level, 0.19)
    canvas.ellipse(at, radii, tissue.wall, angle_deg=12, clip=cavity)
    lumen = canvas.layer()
    lumen.ellipse(at, (radii[0] - 0.024, radii[1] - 0.024), 1.0, angle_deg=12)
    canvas.fill(lumen.values, 18.0, clip=cavity)
    _, y = lumen.coordinates()
    gas = smoothstep(at[1] - 0.005, at[1] - 0.02, -y + np.float32(2 * at[1]) - np.float32(0.06))
    canvas.fill((1 - gas) * lumen.values, -960.0, clip=cavity)


def _draw_bowel(
    canvas: Canvas,
    build: Build,
    level: float,
    tissue: Enhancement,
    cavity: FloatMap,
    rng: np.random.Generator,
) -> None:
    """Draw loops of bowel with fluid, gas or stool in front of the kidneys."""
    if level < 0.3:
        return
    for _ in range(round(9 + 12 * level)):
        at = (
            build.width * (1.3 * rng.random() - 0.5),
            build.centre_y - build.depth * (0.05 + 0.62 * rng.random()),
        )
        radius = 0.06 + 0.05 * rng.random()
        radii: Point = (radius * (1 + 0.5 * rng.random()), radius)
        angle, content = 180 * rng.random(), rng.random()
        canvas.ellipse(at, radii, tissue.wall, angle_deg=angle, clip=cavity)
        inner = (radii[0] - 0.018, radii[1] - 0.018)
        canvas.ellipse(at, inner, 15.0 if content < 0.6 else -20.0, angle_deg=angle, clip=cavity)
        if content > 0.72:
            bubble = (at[0], at[1] - radius * 0.3)
            canvas.ellipse(bubble, (inner[0] * 0.8, inner[1] * 0.45), -930.0, clip=cavity)


def _draw_great_vessels(
    canvas: Canvas, patient: AbdomenPatient, level: float, tissue: Enhancement
) -> None:
    """Draw aorta, inferior vena cava, pancreas and the crura beside the spine."""
    front = spine_y(patient.build, lumbar=True) - 0.115
    for sign in (-1, 1):
        canvas.ellipse((sign * 0.1, front + 0.02), (0.028, 0.07), MUSCLE_HU, angle_deg=sign * 25)
    if 0.25 < level < 0.65:
        body = [(-0.2, front - 0.13), (-0.03, front - 0.18), (0.18, front - 0.14), (0.4, front)]
        canvas.rod(body, [0.06, 0.045, 0.042, 0.035], tissue.wall + 8, edge=0.02)
        canvas.rod(body[1:], [0.014, 0.014, 0.012], tissue.blood * 0.7 + 15, edge=0.015)
    draw_vessel(canvas, (0.03, front - 0.06), 0.062, tissue.blood, calcium=patient.seed % 2 == 0)
    cava = (-0.12, front - 0.05)
    canvas.ellipse(cava, (0.075, 0.055), tissue.blood * 0.6 + 17, edge=0.018)


def _draw_lung_bases(canvas: Canvas, build: Build, level: float, cavity: FloatMap) -> None:
    """Draw the tips of the lungs behind liver and spleen on the uppermost slices."""
    for sign in (-1, 1):
        at = (sign * 0.5 * build.width, build.centre_y + build.depth * (0.6 + level))
        canvas.ellipse(at, (0.26, 0.13 - 0.4 * level), LUNG_HU, angle_deg=-sign * 14, clip=cavity)

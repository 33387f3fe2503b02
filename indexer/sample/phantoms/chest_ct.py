"""CT of the chest: lungs with vessels, mediastinum, heart, spine, ribs; nodules and effusions."""

import numpy as np

from indexer.sample.canvas import Canvas, inside, soften
from indexer.sample.curves import FloatMap, cosine, ellipse_depth, sine, smoothstep
from indexer.sample.noise import cloud_noise
from indexer.sample.phantoms.chest_ct_findings import draw_finding
from indexer.sample.phantoms.ct_body import (
    BLOOD_HU,
    CORTEX_HU,
    FAT_HU,
    LUNG_HU,
    MUSCLE_HU,
    SPONGY_BONE_HU,
    Side,
    draw_spine,
    draw_vessel,
    finish_slice,
    spine_y,
    start_slice,
    wall_depth,
)
from indexer.sample.phantoms.ct_patients import ChestPatient

_CONTRAST_HU = 270.0
_HEART_FROM = 0.6
# Each part has random numbers of its own, so that a finding changes nothing but itself.
_SIDE_SEED: dict[Side, int] = {"right": 1, "left": 2}
_FINDING_SEED = 3
_SIDES: tuple[tuple[Side, int], ...] = (("right", -1), ("left", 1))


def draw_chest_ct(patient: ChestPatient, level: float, *, contrast: bool) -> FloatMap:
    """Return the slice at `level` in HU, float32 (256, 256); vessels are bright with `contrast`."""
    rng = np.random.default_rng([patient.seed, round(level * 1000)])
    canvas = start_slice(patient.build, rng)
    blood = _CONTRAST_HU if contrast else BLOOD_HU
    _draw_cage(canvas, patient, level)
    lungs = {side: _lung(canvas, patient, level, sign) for side, sign in _SIDES}
    for side in lungs:
        own = np.random.default_rng([patient.seed, round(level * 1000), _SIDE_SEED[side]])
        _draw_lung(canvas, lungs[side], patient, level, side, blood, own)
    draw_spine(canvas, patient.build, lumbar=False)
    _draw_mediastinum(canvas, patient, level, blood)
    if level > 0.86:
        reach = 0.2 + (level - 0.86) * 1.3
        centre = (-0.42, patient.build.centre_y + 0.02)
        liver = 112.0 if contrast else 60.0
        dome = canvas.layer()
        dome.ellipse(centre, (reach, reach * 1.15), 1.0, edge=0.03)
        canvas.fill(dome.values, liver, clip=lungs["right"])
        lungs["right"] = lungs["right"] * (1 - dome.values)
    if patient.shows_finding(level):
        own = np.random.default_rng([patient.seed, round(level * 1000), _FINDING_SEED])
        draw_finding(canvas, lungs[patient.side], patient, level, own)
    return finish_slice(canvas, rng, 14.0 if contrast else 18.0)


def _draw_cage(canvas: Canvas, patient: ChestPatient, level: float) -> None:
    """Draw ribs in cross section around the inner wall, sternum and shoulder blades."""
    build = patient.build
    ring = inside(np.float32(0.02) - np.abs(wall_depth(canvas, build, 0.08)), canvas.pixel * 2)
    cuts = canvas.layer()
    shift = 11.0 * (patient.seed % 3) + 90 * level
    for i in range(10):
        angle = shift + 36 * i
        at = (build.width * 0.8 * cosine(angle), build.centre_y + build.depth * 0.85 * sine(angle))
        cuts.ellipse(at, (0.12, 0.1), 1.0, edge=0.03, blend="max")
    canvas.fill(ring * cuts.values, CORTEX_HU * 0.85)
    front = build.centre_y - build.depth + build.fat + 0.07
    canvas.ellipse((0, front), (0.12, 0.035), CORTEX_HU * 0.7)
    canvas.ellipse((0, front), (0.09, 0.02), SPONGY_BONE_HU * 0.7)
    if level < 0.6:
        for sign in (-1, 1):
            at = (sign * build.width * 0.66, build.centre_y + build.depth * 0.68)
            canvas.ellipse(at, (0.19, 0.018), CORTEX_HU * 0.75, angle_deg=-sign * 38)


def _lung(canvas: Canvas, patient: ChestPatient, level: float, sign: int) -> FloatMap:
    """Return the coverage of one lung: what the wall encloses less mediastinum and heart."""
    x, y = canvas.coordinates()
    apex = max(0.0, 0.35 - level)
    wall = wall_depth(canvas, patient.build, 0.11 + 0.45 * apex)
    front = smoothstep(-0.5, -0.22, y) if level > 0.3 else smoothstep(-0.7, -0.3, y)
    middle = np.float32(0.045) + front * np.float32(0.1)
    depth = np.minimum(wall, x * np.float32(sign) - middle)
    if level > _HEART_FROM:
        heart = ellipse_depth(x, y, *_heart(patient, level, grown=0.02))
        depth = np.minimum(depth, -heart)
    return inside(depth, 0.014)


def _heart(
    patient: ChestPatient, level: float, *, grown: float
) -> tuple[tuple[float, float], tuple[float, float], float]:
    """Return centre, radii and tilt of the heart with its fat, `grown` units larger."""
    swell = 1.0 - abs(level - 0.82) * 0.9
    centre = (0.11, patient.build.centre_y - 0.14)
    return centre, (0.3 * swell + grown, 0.235 * swell + grown), 28.0


def _draw_lung(
    canvas: Canvas,
    lung: FloatMap,
    patient: ChestPatient,
    level: float,
    side: Side,
    blood: float,
    rng: np.random.Generator,
) -> None:
    """Fill a lung with air and with vessels that branch off the hilum and thin out."""
    sick = side == patient.side and patient.shows_finding(level)
    emphysema = patient.finding == "emphysema" and sick
    sign = 1 if side == "left" else -1
    texture = cloud_noise(rng, canvas.shape, 40) * np.float32(20)
    canvas.fill(lung, texture + np.float32(LUNG_HU - (60 if emphysema else 0)))
    vessels = canvas.layer()
    hilum = (sign * 0.16, patient.build.centre_y + 0.05)
    for _ in range(9):
        angle = 180 * rng.random() - 90
        length = 0.16 + 0.28 * rng.random()
        start = 0.05 + 0.2 * rng.random()
        ends = [
            (hilum[0] + sign * cosine(angle) * r, hilum[1] + sine(angle) * r * 1.1)
            for r in (start, start + length * 0.5, start + length)
        ]
        width = 0.016 * (1.1 - start * 2) * (0.5 + rng.random())
        bent = [ends[0], (ends[1][0], ends[1][1] + 0.05 * (rng.random() - 0.5)), ends[2]]
        vessels.rod(bent, [width, width * 0.7, 0.003], 1.0, edge=0.012, blend="max")
    for _ in range(30):
        reach, turn = 0.15 + 0.5 * rng.random(), 240 * rng.random() - 120
        at = (hilum[0] + sign * cosine(turn) * reach, hilum[1] + sine(turn) * reach)
        radius = 0.014 * (0.9 - reach) * (0.4 + rng.random()) + 0.003
        vessels.ellipse(at, (radius, radius), 1.0, edge=0.01, blend="max")
    rim = smoothstep(0.25, 0.95, soften(lung, 5)) * lung
    canvas.fill(vessels.values, min(blood, 160.0) - 30, clip=rim)
    if emphysema:
        canvas.fill(smoothstep(0.3, 0.9, cloud_noise(rng, canvas.shape, 15)) * lung, -985.0)


def _draw_mediastinum(canvas: Canvas, patient: ChestPatient, level: float, blood: float) -> None:
    """Draw the great vessels, airways, oesophagus and, lower down, the heart."""
    build = patient.build
    chest = canvas.placed((0.0, build.centre_y))
    spine = spine_y(build, lumbar=False)
    chest.ellipse((0, -0.16), (0.11, 0.26), FAT_HU + 25, edge=0.06)
    canvas.ellipse((0.03, spine - 0.13), (0.042, 0.032), MUSCLE_HU - 8)
    canvas.ellipse((0.03, spine - 0.13), (0.013, 0.009), -300.0)
    if level < 0.28:
        for x, y, radius in ((-0.09, -0.06, 0.05), (0.02, -0.1, 0.036), (0.1, -0.03, 0.04)):
            draw_vessel(chest, (x, y), radius, blood)
        draw_vessel(chest, (-0.1, -0.19), 0.055, blood * 0.85)
    elif level < 0.42:
        chest.ellipse((0.05, -0.06), (0.085, 0.22), blood, angle_deg=-32, edge=0.02)
        draw_vessel(chest, (-0.12, -0.13), 0.055, blood * 0.85)
    else:
        calcium = patient.seed % 2 == 0
        draw_vessel(canvas, (0.13, spine - 0.07), 0.068, blood, calcium=calcium)
        if level < _HEART_FROM:
            draw_vessel(chest, (-0.04, -0.17), 0.085, blood)
            chest.ellipse((0.1, -0.14), (0.11, 0.06), blood * 1.05, angle_deg=35, edge=0.02)
            draw_vessel(chest, (-0.15, -0.12), 0.05, blood * 0.85)
        else:
            _draw_heart(canvas, patient, level, blood)
    _draw_airways(chest, level)


def _draw_airways(chest: Canvas, level: float) -> None:
    """Draw the windpipe, or below its fork the two main bronchi."""
    places = ((-0.005, 0.04, 0.058),) if level < 0.45 else ((-0.1, 0.06, 0.04), (0.1, 0.06, 0.038))
    if level < _HEART_FROM:
        for x, y, radius in places:
            chest.ellipse((x, y), (radius, radius * 0.88), MUSCLE_HU)
            chest.ellipse((x, y), (radius - 0.009, radius * 0.88 - 0.009), -990.0)


def _draw_heart(canvas: Canvas, patient: ChestPatient, level: float, blood: float) -> None:
    """Draw the heart, its tip to the left and front: fat, muscle, four chambers."""
    centre, (long_radius, short_radius), tilt = _heart(patient, level, grown=0.0)
    heart = canvas.placed(centre, angle_deg=tilt)
    muscle = MUSCLE_HU + (65 if blood > 100 else 8)
    heart.ellipse((0, 0), (long_radius, short_radius), FAT_HU + 15, edge=0.02)
    inner = (long_radius - 0.018, short_radius - 0.016)
    heart.ellipse((0.0, 0.0), inner, muscle, edge=0.02)
    s = long_radius / 0.3
    heart.ellipse((0.1 * s, 0.065 * s), (0.125 * s, 0.06 * s), blood, edge=0.03)
    heart.ellipse((0.04 * s, -0.11 * s), (0.15 * s, 0.055 * s), blood * 0.9, edge=0.03)
    heart.ellipse((-0.19 * s, -0.04 * s), (0.07 * s, 0.095 * s), blood * 0.85, edge=0.03)
    heart.ellipse((-0.11 * s, 0.13 * s), (0.085 * s, 0.05 * s), blood, edge=0.03)

"""Frontal radiographs of the chest: lungs, heart, ribs; effusions, pneumothorax, nodules ..."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from indexer.sample.canvas import Canvas, inside, soften
from indexer.sample.curves import FloatMap, Point, smoothstep, squircle_depth
from indexer.sample.noise import Pixels, cloud_noise, to_pixels, white_noise
from indexer.sample.phantoms.bones import Node, draw_tube
from indexer.sample.phantoms.ct_body import Side

FilmFinding: TypeAlias = Literal[
    "none", "effusion", "pneumothorax", "nodule", "consolidation", "cardiomegaly", "pacemaker"
]
Zone: TypeAlias = Literal["upper", "middle", "lower"]

_HEIGHT_PX, _WIDTH_PX = 288, 272
_ZONE_Y: dict[Zone, float] = {"upper": -0.46, "middle": -0.12, "lower": 0.12}
_EFFUSION_Y: dict[Zone, float] = {"upper": 0.0, "middle": 0.06, "lower": 0.14}
_LUNG: tuple[Point, ...] = (
    (-0.27, -0.77), (-0.46, -0.66), (-0.59, -0.36), (-0.67, 0.0), (-0.7, 0.4),
    (-0.56, 0.28), (-0.38, 0.2), (-0.2, 0.24), (-0.1, 0.31), (-0.11, 0.0), (-0.1, -0.35),
    (-0.13, -0.68),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ChestFilm:
    """A chest radiograph to be drawn; side and zone say where the finding lies in the patient."""

    seed: int
    finding: FilmFinding = "none"
    side: Side = "right"
    zone: Zone = "lower"
    view: Literal["PA", "AP"] = "PA"

    @property
    def heart_share(self) -> float:
        """The heart's width as a share of the chest's: the cardiothoracic ratio."""
        return 0.63 if self.finding == "cardiomegaly" else 0.45


def draw_chest_film(film: ChestFilm) -> Pixels:
    """Return the radiograph, uint8 (288, 272); air is black, bone and heart are white."""
    rng = np.random.default_rng([film.seed, 11])
    canvas = Canvas.blank(_HEIGHT_PX, _WIDTH_PX)
    posed = canvas.placed(
        (0.03 * (rng.random() - 0.5), 0.04 * rng.random()),
        angle_deg=3 * (rng.random() - 0.5),
        scale=(0.98 if film.view == "PA" else 1.06) + 0.08 * rng.random(),
    )
    lungs: dict[Side, FloatMap] = {
        "right": posed.covered_by(_LUNG),
        "left": posed.covered_by([(-x, y + (0.06 if y > 0.1 else 0.0)) for x, y in _LUNG]),
    }
    shape = lungs["right"] + lungs["left"]
    _draw_trunk(posed, rng)
    posed.fill(soften(shape, 2), -0.76, blend="add")
    _draw_lung_markings(posed, lungs, rng)
    _draw_middle(posed, film, shape)
    if film.finding not in {"none", "cardiomegaly"}:
        # Random numbers of its own: a finding changes nothing but itself.
        own = np.random.default_rng([film.seed, 12])
        _draw_finding(posed, film, lungs[film.side], own)
    _draw_bones(posed)
    if film.finding == "pacemaker":
        _draw_pacemaker(posed, _sign(film.side))
    return to_pixels(_expose(posed.values, rng))


def _sign(side: Side) -> int:
    return 1 if side == "left" else -1


def _draw_trunk(canvas: Canvas, rng: np.random.Generator) -> None:
    """Draw the soft tissue of trunk, neck and shoulders; breasts in every other patient."""
    x, y = canvas.coordinates()
    trunk = inside(squircle_depth(x, y, (0.0, 0.35), (0.86, 1.15)), 0.08)
    thicker_in_the_middle = np.float32(1.22) - x * x * np.float32(0.75)
    canvas.fill(trunk, np.broadcast_to(thicker_in_the_middle, canvas.shape))
    shoulders = canvas.layer()
    shoulders.rod([(-0.95, -0.5), (-0.3, -0.78), (0.3, -0.78), (0.95, -0.5)],
                  [0.3, 0.2, 0.2, 0.3], 1.0, edge=0.12)  # fmt: skip
    shoulders.rod([(0, -1.3), (0, -0.7)], [0.22, 0.26], 1.0, edge=0.1)
    np.maximum(canvas.values, shoulders.values * np.float32(0.95), out=canvas.values)
    canvas.fill(smoothstep(0.25, 0.75, y) * trunk, 0.25, blend="add")
    if rng.random() < 0.5:
        for sign in (-1, 1):
            canvas.ellipse((sign * 0.42, 0.22), (0.3, 0.27), 0.13, edge=0.12, blend="add")


def _draw_lung_markings(
    canvas: Canvas, lungs: dict[Side, FloatMap], rng: np.random.Generator
) -> None:
    """Draw vessels that spread from each hilum, more and wider ones towards the base."""
    for side, lung in lungs.items():
        sign = _sign(side)
        hilum = (sign * 0.15, -0.16 if side == "right" else -0.2)
        marks = canvas.layer()
        for _ in range(18):
            dx, dy = sign * (0.1 + 0.45 * rng.random()), 1.0 * rng.random() - 0.5
            middle = (hilum[0] + dx * 0.5, hilum[1] + dy * 0.55 + 0.04 * (rng.random() - 0.5))
            width = 0.012 + 0.012 * rng.random()
            ends = [hilum, middle, (hilum[0] + dx, hilum[1] + dy)]
            marks.rod(ends, [width, width * 0.55, 0.003], 0.11, edge=0.03, blend="max")
        marks.ellipse(hilum, (0.055, 0.12), 0.22, edge=0.06, blend="max")
        canvas.fill(marks.values, 1.0, clip=lung, blend="add")
        grain = np.abs(cloud_noise(rng, canvas.shape, 36)) * np.float32(0.03)
        canvas.fill(grain, 1.0, clip=lung, blend="add")


def _draw_middle(canvas: Canvas, film: ChestFilm, lungs: FloatMap) -> None:
    """Draw heart, aortic arch, spine, windpipe and the gas in the stomach."""
    reach = film.heart_share * 1.55
    left, right = reach * 0.68, reach * 0.32
    heart = [
        (-0.07, -0.36), (0.1, -0.38), (0.14, -0.24), (0.2, -0.1), (left * 0.88, 0.1),
        (left * 1.06, 0.28), (left * 0.75, 0.39), (0.05, 0.4), (-right * 0.8, 0.33), (-right, 0.14),
        (-right * 0.75, -0.08),
    ]  # fmt: skip
    body = canvas.covered_by(heart, softness=3)
    canvas.fill(body * soften(lungs, 3), 0.58, blend="add")
    canvas.ellipse((0.075, -0.4), (0.085, 0.085), 0.2, edge=0.06, blend="add")
    canvas.rod([(0.13, -0.38), (0.1, 0.3)], [0.03, 0.03], 0.1, edge=0.03, blend="add")
    canvas.rod([(0, -1.2), (0, 1.2)], [0.085, 0.1], 0.16, edge=0.03, blend="add")
    for i in range(14):
        y = -0.95 + 0.15 * i
        canvas.rod([(-0.06, y), (0.06, y)], [0.018, 0.018], -0.06, edge=0.03, blend="add")
    airway = [(0.0, -1.2), (0.005, -0.4)]
    canvas.rod(airway, [0.045, 0.042], -0.24, edge=0.03, blend="add")
    for sign in (-1, 1):
        bronchus = [(0.0, -0.4), (sign * 0.12, -0.24)]
        canvas.rod(bronchus, [0.032, 0.024], -0.12, edge=0.03, blend="add")
    canvas.ellipse((0.4, 0.5), (0.15, 0.07), -0.35, edge=0.06, blend="add")


def _draw_bones(canvas: Canvas) -> None:
    """Draw the ribs behind and in front, collar bones and the rims of the shoulder blades."""
    bones = canvas.layer()
    for sign in (-1, 1):
        for i in range(10):
            y, wide = -0.78 + 0.125 * i, min(0.42 + 0.06 * i, 0.7)
            back = [(0.09, y), (wide * 0.5, y - 0.045), (wide * 0.88, y + 0.06), (wide, y + 0.2)]
            _draw_rib(bones, [(sign * px, py) for px, py in back], 0.026)
        for i in range(6):
            y, wide = -0.36 + 0.14 * i, min(0.56 + 0.04 * i, 0.7)
            front = [(wide, y - 0.06), (wide * 0.8, y + 0.08), (wide * 0.5, y + 0.13)]
            _draw_rib(bones, [(sign * px, py) for px, py in front], 0.018)
        collar = [(0.07, -0.62), (0.25, -0.66), (0.45, -0.75), (0.68, -0.76)]
        _draw_rib(bones, [(sign * px, py) for px, py in collar], 0.034)
        blade = [(0.62, -0.62), (0.6, -0.3), (0.66, 0.02)]
        _draw_rib(bones, [(sign * px, py) for px, py in blade], 0.014)
    canvas.fill(soften(bones.values, 1), 12.0, blend="add")


def _draw_rib(bones: Canvas, points: list[Point], radius: float) -> None:
    draw_tube(bones, [Node(x, y, radius, 0.86) for x, y in points])


def _draw_finding(
    canvas: Canvas, film: ChestFilm, lung: FloatMap, rng: np.random.Generator
) -> None:
    """Draw what changes within a lung; the pacemaker lies over it and is drawn later."""
    sign = _sign(film.side)
    at = (sign * 0.4, _ZONE_Y[film.zone])
    if film.finding == "effusion":
        _draw_effusion(canvas, lung, sign, _EFFUSION_Y[film.zone])
    elif film.finding == "pneumothorax":
        _draw_pneumothorax(canvas, lung, sign)
    elif film.finding == "nodule":
        radius = 0.045 + 0.03 * rng.random()
        canvas.ellipse(at, (radius, radius * 0.95), 0.34, edge=0.025, clip=lung, blend="add")
    elif film.finding == "consolidation":
        cloud = cloud_noise(rng, canvas.shape, 14) * np.float32(0.16) + np.float32(0.85)
        weight = np.clip(cloud, 0, 1) * lung
        canvas.ellipse(at, (0.25, 0.2), 0.5, edge=0.24, clip=weight, blend="add")


def _draw_effusion(canvas: Canvas, lung: FloatMap, sign: int, level: float) -> None:
    """Draw fluid over the diaphragm, its surface rising towards the side: the meniscus."""
    x, y = canvas.coordinates()
    outward = np.maximum(x * np.float32(sign) - np.float32(0.25), np.float32(0))
    below: FloatMap = y + outward * outward * np.float32(2) - np.float32(level)
    dense = inside(below, 0.1) * np.float32(0.85)
    canvas.fill(dense, 1.12, clip=np.minimum(soften(lung, 2) * np.float32(1.6), np.float32(1)))


def _draw_pneumothorax(canvas: Canvas, lung: FloatMap, sign: int) -> None:
    """Draw air outside a collapsed lung: a black rim without vessels behind a thin white line."""
    x, y = canvas.coordinates()
    collapsed = squircle_depth(x, y, (sign * 0.14, -0.02), (0.36, 0.46))
    outside = 1 - inside(collapsed, 0.03)
    plain = canvas.layer()
    plain.fill(np.broadcast_to(outside, canvas.shape) * lung, 1.0)
    canvas.fill(plain.values * np.float32(0.6), 0.2)
    line = inside(np.float32(0.009) - np.abs(collapsed), 0.012)
    canvas.fill(np.broadcast_to(line, canvas.shape) * lung, 0.16, blend="add")
    canvas.fill(inside(collapsed, 0.03) * lung, 0.1, blend="add")


def _draw_pacemaker(canvas: Canvas, sign: int) -> None:
    """Draw a pacemaker under the collar bone with a lead that ends in the right ventricle."""
    canvas.rod([(sign * 0.5, -0.5), (sign * 0.57, -0.42)], [0.085, 0.085], 2.4, blend="max")
    canvas.ellipse((sign * 0.5, -0.57), (0.05, 0.03), 1.5, blend="max")
    lead = [(sign * 0.47, -0.57), (sign * 0.24, -0.62), (-0.06, -0.5), (-0.1, -0.15), (-0.08, 0.12)]
    canvas.rod([*lead, (0.08, 0.27)], [0.008] * 6, 2.0, blend="max")
    canvas.ellipse((0.09, 0.275), (0.018, 0.014), 2.6, blend="max")


def _expose(thickness: FloatMap, rng: np.random.Generator) -> FloatMap:
    """Return the film: response a / (a + 1) to the attenuation, fog towards the corners, grain."""
    attenuation = np.maximum(soften(thickness, 1), np.float32(0))
    image = attenuation / (attenuation + np.float32(0.9)) * np.float32(1.62) - np.float32(0.2)
    height, width = image.shape
    grain = white_noise(rng, (height, width)) * np.float32(0.012)
    fog = cloud_noise(rng, (height, width), 2) * np.float32(0.02)
    film: FloatMap = image + grain + fog
    return film

"""Radiographs of the upper limb: seven regions, healthy, broken or plated."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from indexer.sample.canvas import Canvas
from indexer.sample.curves import FloatMap, Point, smoothstep
from indexer.sample.noise import Pixels, to_pixels
from indexer.sample.phantoms.arm import (
    draw_elbow_lateral,
    draw_forearm,
    draw_humerus,
    draw_shoulder,
)
from indexer.sample.phantoms.bones import Break, add_texture, break_bone, expose
from indexer.sample.phantoms.ct_body import Side
from indexer.sample.phantoms.hand import draw_hand

LimbRegion: TypeAlias = Literal[
    "elbow", "finger", "forearm", "hand", "humerus", "shoulder", "wrist"
]
LimbFinding: TypeAlias = Literal["none", "fracture", "plate"]
LimbView: TypeAlias = Literal["frontal", "lateral", "oblique"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimbStudy:
    """One examined limb; each of its views is drawn from it. `bone` names what is broken."""

    region: LimbRegion
    side: Side
    seed: int
    finding: LimbFinding = "none"

    @property
    def bone(self) -> str:
        """The bone that carries the finding."""
        return SITES[self.region].bone


@dataclass(frozen=True, slots=True)
class Site:
    """Where a region's finding lies in the drawing's frame, the bone's direction and radius."""

    bone: str
    at: Point
    axis_deg: float
    radius: float
    half_length: float


@dataclass(frozen=True, slots=True)
class _Scene:
    """How a region is framed: its centre, enlargement, image width and exposure."""

    centre: Point
    scale: float
    width_px: int
    exposure: float = 1.0


@dataclass(frozen=True, slots=True)
class _Body:
    """What makes a patient's views alike: size, flesh, exposure, the way the limb was laid."""

    size: float
    flesh: float
    exposure: float
    turn_deg: float

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "_Body":
        return cls(
            size=0.9 + 0.22 * rng.random(),
            flesh=0.6 + 0.8 * rng.random(),
            exposure=0.75 + 0.55 * rng.random(),
            turn_deg=16 * (rng.random() - 0.5),
        )


SITES: dict[LimbRegion, Site] = {
    "elbow": Site("ulna", (-0.12, 0.485), 88, 0.076, 0.3),
    "finger": Site("proximal phalanx of the middle finger", (-0.057, -0.21), -2, 0.024, 0.085),
    "forearm": Site("radius", (-0.148, 0.05), 2, 0.052, 0.24),
    "hand": Site("fifth metacarpal", (0.17, 0.19), 18, 0.022, 0.1),
    "humerus": Site("humeral shaft", (0.0, 0.1), 0, 0.064, 0.27),
    "shoulder": Site("clavicle", (0.32, -0.62), 98, 0.057, 0.22),
    "wrist": Site("distal radius", (-0.08, 0.74), 2, 0.09, 0.17),
}

_SCENES: dict[LimbRegion, _Scene] = {
    "elbow": _Scene((0.0, -0.05), 0.95, 256),
    "finger": _Scene((-0.06, -0.32), 2.1, 176, 2.0),
    "forearm": _Scene((0.0, 0.0), 0.98, 192),
    "hand": _Scene((-0.03, 0.08), 1.12, 240, 1.9),
    "humerus": _Scene((0.12, -0.02), 0.98, 208),
    "shoulder": _Scene((0.1, 0.02), 0.95, 288),
    "wrist": _Scene((-0.03, 0.5), 1.85, 208, 1.25),
}
_HEIGHT_PX = 288
_VIEWS: tuple[LimbView, ...] = ("frontal", "lateral", "oblique")
_VIEW_TURN: dict[LimbView, float] = {"frontal": 0.0, "lateral": 9.0, "oblique": -14.0}
# A view from another direction shows the same bones narrower across.
_VIEW_SQUEEZE: dict[LimbView, float] = {"frontal": 1.0, "lateral": 0.62, "oblique": 0.84}


def draw_limb(study: LimbStudy, view: LimbView) -> Pixels:
    """Return a radiograph of the study, uint8 (288, width); white is dense."""
    rng = np.random.default_rng([study.seed, _VIEWS.index(view)])
    body = _Body.drawn(np.random.default_rng([study.seed, 29]))
    scene = _SCENES[study.region]
    bone, tissue = _place(scene, study, body, view, rng)
    _draw_region(study.region, bone, tissue)
    site = SITES[study.region]
    metal = bone.layer()
    if study.finding == "fracture":
        tilt = site.axis_deg + 20 - 40 * (study.seed % 2)
        shift = 3 + study.seed % 3
        fracture = Break(at=site.at, tilt_deg=tilt, shift_px=shift, reach=site.radius * 2.4)
        break_bone(bone, fracture, np.random.default_rng([study.seed, 31]))
    elif study.finding == "plate":
        _draw_plate(metal, site)
    add_texture(bone, rng)
    gain = scene.exposure * body.exposure
    flesh = tissue.values * np.float32(gain * body.flesh)
    image = expose(flesh, bone.values * np.float32(gain), rng, metal=metal.values)
    return to_pixels(_collimate(image, rng))


def _place(
    scene: _Scene, study: LimbStudy, body: "_Body", view: LimbView, rng: np.random.Generator
) -> tuple[Canvas, Canvas]:
    """Return the canvases of bone and soft tissue, turned, scaled and mirrored for this view."""
    blank = Canvas.blank(_HEIGHT_PX, scene.width_px)
    turn = _VIEW_TURN[view] + body.turn_deg + 5 * (rng.random() - 0.5)
    scale = scene.scale * body.size * (0.98 + 0.04 * rng.random())
    mirrored = blank.stretched(-1.0 if study.side == "left" else 1.0)
    posed = mirrored.placed((0.0, 0.0), angle_deg=turn, scale=scale)
    if view != "frontal" and study.region in {"hand", "wrist", "finger", "forearm"}:
        posed = posed.stretched(_VIEW_SQUEEZE[view])
    posed = posed.placed((-scene.centre[0], -scene.centre[1]))
    return posed, posed.layer()


def _draw_region(region: LimbRegion, bone: Canvas, tissue: Canvas) -> None:
    if region in {"hand", "wrist", "finger"}:
        draw_hand(bone, tissue)
    elif region == "forearm":
        draw_forearm(bone, tissue)
    elif region == "elbow":
        draw_elbow_lateral(bone, tissue)
    elif region == "humerus":
        draw_humerus(bone, tissue)
    else:
        draw_shoulder(bone, tissue)


def _draw_plate(metal: Canvas, site: Site) -> None:
    """Draw a metal plate along the bone with a screw in each of its holes."""
    plate = metal.placed(site.at, angle_deg=site.axis_deg)
    length, width, offset = site.half_length, min(site.radius * 0.32, 0.02), site.radius * 0.75
    plate.rod([(offset, -length), (offset, length)], [width, width], 0.4, blend="max")
    holes = 6 if length > 0.15 else 4
    for i in range(holes):
        y = length * 0.86 * (2 * i / (holes - 1) - 1)
        ends = [(offset, y), (-site.radius * 0.95, y + width * 0.4)]
        plate.rod(ends, [width * 0.5, width * 0.4], 0.6, blend="max")
        plate.ellipse((offset, y), (width * 0.75, width * 0.75), 0.75, blend="max")


def _collimate(image: FloatMap, rng: np.random.Generator) -> FloatMap:
    """Darken the borders that the collimator's blades shut out, as most radiographs show."""
    height, width = image.shape
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.arange(width, dtype=np.float32)[None, :]
    top, left = (4 + 10 * rng.random(2)).tolist()
    blades = (
        smoothstep(top, top + 4, rows)
        * smoothstep(top, top + 4, height - 1 - rows)
        * smoothstep(left, left + 4, columns)
        * smoothstep(left, left + 4, width - 1 - columns)
    )
    collimated: FloatMap = image * blades + np.float32(0.012)
    return collimated

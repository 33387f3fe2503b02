"""Bones of hand, wrist and fingers, seen from the back of a right hand: the thumb on the left."""

from dataclasses import dataclass

from indexer.sample.canvas import Canvas
from indexer.sample.curves import Point, cosine, sine
from indexer.sample.phantoms.bones import Node, draw_ball, draw_tube, tissue_rod


@dataclass(frozen=True, slots=True)
class Ray:
    """A digit: base of its metacarpal, direction (clockwise from up), bone lengths, thickness."""

    name: str
    base: Point
    bend_deg: float
    spread_deg: float
    lengths: tuple[float, ...]
    radius: float


@dataclass(frozen=True, slots=True)
class Carpal:
    """A bone of the wrist."""

    name: str
    centre: Point
    radii: Point
    angle_deg: float


RAYS = (
    Ray("thumb", (-0.17, 0.36), -38, -30, (0.27, 0.21, 0.15), 0.034),
    Ray("index", (-0.12, 0.31), -11, -9, (0.37, 0.25, 0.15, 0.11), 0.031),
    Ray("middle", (-0.035, 0.29), -2, -2, (0.36, 0.28, 0.18, 0.12), 0.032),
    Ray("ring", (0.05, 0.3), 8, 6, (0.32, 0.26, 0.17, 0.115), 0.03),
    Ray("little", (0.125, 0.33), 18, 15, (0.29, 0.2, 0.12, 0.1), 0.027),
)

CARPALS = (
    Carpal("scaphoid", (-0.12, 0.455), (0.048, 0.068), 40),
    Carpal("lunate", (-0.025, 0.485), (0.052, 0.046), 0),
    Carpal("triquetrum", (0.075, 0.465), (0.05, 0.04), -35),
    Carpal("pisiform", (0.095, 0.45), (0.026, 0.026), 0),
    Carpal("trapezium", (-0.185, 0.385), (0.05, 0.043), 25),
    Carpal("trapezoid", (-0.108, 0.36), (0.038, 0.036), 0),
    Carpal("capitate", (-0.025, 0.375), (0.043, 0.072), 4),
    Carpal("hamate", (0.068, 0.375), (0.048, 0.062), -18),
)

_JOINT_GAP = 0.022


def finger_points(ray: Ray) -> list[Point]:
    """Return the ends of a digit's bones from the base of the metacarpal to the tip."""
    points = [ray.base]
    for i, length in enumerate(ray.lengths):
        angle = ray.bend_deg if i == 0 else ray.spread_deg
        x, y = points[-1]
        points.append((x + sine(angle) * length, y - cosine(angle) * length))
    return points


def draw_hand(bone: Canvas, tissue: Canvas) -> None:
    """Draw the bones of hand, wrist and lower forearm and the soft tissue around them."""
    for ray in RAYS:
        points = finger_points(ray)
        for i in range(len(points) - 1):
            taper = 1.0 - 0.13 * i
            tip = i == len(points) - 2
            draw_short_bone(bone, points[i], points[i + 1], ray.radius * taper, tip=tip)
        wide = [ray.radius * factor for factor in (2.3, 2.3, 2.1, 1.9, 1.6)][: len(points)]
        tissue_rod(tissue, points, wide)
    for carpal in CARPALS:
        draw_ball(bone, carpal.centre, carpal.radii, angle_deg=carpal.angle_deg)
    _draw_forearm_ends(bone)
    palm = [(-0.03, 0.02), (-0.03, 0.4), (0.0, 0.62), (0.0, 1.2)]
    tissue_rod(tissue, palm, [0.24, 0.23, 0.2, 0.22], 0.7)


def draw_short_bone(bone: Canvas, start: Point, end: Point, radius: float, *, tip: bool) -> None:
    """Draw a metacarpal or a phalanx: waisted, with a broad base and a rounded head."""
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    gap = _JOINT_GAP / length

    def at(share: float, factor: float, marrow: float) -> Node:
        place = gap + radius / length + share * (1 - gap - 2 * radius / length)
        x = start[0] + (end[0] - start[0]) * place
        y = start[1] + (end[1] - start[1]) * place
        return Node(x, y, radius * factor, marrow)

    head = (0.75, 0.7) if tip else (1.12, 0.86)
    draw_tube(
        bone,
        [
            at(0.0, 1.25, 0.88),
            at(0.2, 0.88, 0.72),
            at(0.5, 0.74, 0.55),
            at(0.8, 0.78 if not tip else 0.5, 0.68),
            at(1.0, *head),
        ],
    )


def _draw_forearm_ends(bone: Canvas) -> None:
    """Draw the lower ends of radius and ulna."""
    draw_tube(
        bone,
        [
            Node(-0.06, 1.25, 0.062, 0.5),
            Node(-0.07, 0.9, 0.066, 0.62),
            Node(-0.085, 0.7, 0.1, 0.88),
            Node(-0.09, 0.625, 0.108, 0.92),
        ],
    )
    draw_ball(bone, (-0.178, 0.585), (0.026, 0.045), angle_deg=15)
    draw_tube(
        bone,
        [
            Node(0.15, 1.25, 0.046, 0.5),
            Node(0.125, 0.8, 0.046, 0.62),
            Node(0.108, 0.62, 0.052, 0.85),
            Node(0.106, 0.585, 0.05, 0.88),
        ],
    )
    draw_ball(bone, (0.135, 0.545), (0.015, 0.028))

"""Bones of forearm, elbow, upper arm and shoulder, of a right side, seen from the front."""

from indexer.sample.canvas import Canvas
from indexer.sample.curves import cosine, sine
from indexer.sample.phantoms.bones import Node, draw_ball, draw_flat, draw_tube, tissue_rod


def draw_forearm(bone: Canvas, tissue: Canvas) -> None:
    """Draw radius and ulna from the elbow (top) to the wrist (bottom)."""
    draw_tube(
        bone,
        [
            Node(-0.1, -0.68, 0.062, 0.86),
            Node(-0.1, -0.62, 0.042, 0.7),
            Node(-0.08, -0.5, 0.05, 0.6),
            Node(-0.15, 0.05, 0.052, 0.46),
            Node(-0.12, 0.5, 0.058, 0.6),
            Node(-0.1, 0.66, 0.092, 0.88),
            Node(-0.1, 0.7, 0.094, 0.92),
        ],
    )
    draw_tube(
        bone,
        [
            Node(0.06, -0.84, 0.075, 0.86),
            Node(0.05, -0.68, 0.082, 0.8),
            Node(0.06, -0.45, 0.055, 0.56),
            Node(0.08, 0.0, 0.046, 0.44),
            Node(0.07, 0.5, 0.038, 0.58),
            Node(0.065, 0.68, 0.045, 0.86),
        ],
    )
    draw_ball(bone, (0.095, 0.73), (0.013, 0.03))
    draw_lower_humerus(bone, top=-1.25)
    for x, y, rx, ry in ((-0.13, 0.84, 0.05, 0.055), (-0.03, 0.86, 0.05, 0.045),
                         (0.06, 0.84, 0.048, 0.04), (-0.09, 0.95, 0.06, 0.05),
                         (0.02, 0.96, 0.055, 0.05)):  # fmt: skip
        draw_ball(bone, (x, y), (rx, ry))
    tissue_rod(
        tissue,
        [(-0.02, -1.2), (-0.02, -0.7), (-0.03, -0.2), (-0.02, 0.6), (-0.02, 1.2)],
        [0.3, 0.31, 0.29, 0.18, 0.2],
        0.85,
    )


def draw_lower_humerus(bone: Canvas, top: float) -> None:
    """Draw the lower end of the humerus with both condyles over a joint at y = -0.78."""
    draw_tube(
        bone,
        [
            Node(0.0, top, 0.07, 0.52),
            Node(0.0, -1.08, 0.075, 0.62),
            Node(0.0, -0.95, 0.13, 0.9),
            Node(0.0, -0.9, 0.15, 0.94),
        ],
    )
    draw_ball(bone, (-0.105, -0.81), (0.075, 0.06))
    draw_ball(bone, (0.045, -0.82), (0.085, 0.058))
    draw_ball(bone, (0.165, -0.9), (0.042, 0.055), angle_deg=-25)
    draw_ball(bone, (-0.155, -0.89), (0.032, 0.045), angle_deg=20)


def draw_elbow_lateral(bone: Canvas, tissue: Canvas) -> None:
    """Draw an elbow from the side, bent at a right angle: humerus up, forearm to the left."""
    draw_tube(
        bone,
        [
            Node(0.36, -1.3, 0.1, 0.5),
            Node(0.34, -0.4, 0.098, 0.52),
            Node(0.31, 0.0, 0.11, 0.8),
            Node(0.28, 0.14, 0.1, 0.9),
        ],
    )
    draw_ball(bone, (0.25, 0.27), (0.14, 0.14), rim=0.02)
    draw_tube(
        bone,
        [
            Node(0.44, 0.2, 0.085, 0.84),
            Node(0.36, 0.42, 0.11, 0.88),
            Node(0.12, 0.47, 0.08, 0.7),
            Node(-0.3, 0.5, 0.072, 0.48),
            Node(-1.3, 0.55, 0.06, 0.5),
        ],
    )
    draw_ball(bone, (0.13, 0.37), (0.045, 0.055), angle_deg=20)
    draw_tube(
        bone,
        [
            Node(0.03, 0.27, 0.088, 0.9),
            Node(-0.06, 0.28, 0.062, 0.72),
            Node(-0.2, 0.31, 0.07, 0.6),
            Node(-1.3, 0.3, 0.066, 0.5),
        ],
    )
    tissue_rod(tissue, [(0.34, -1.3), (0.33, -0.2), (0.26, 0.25)], [0.42, 0.36, 0.34], 0.8)
    tissue_rod(tissue, [(0.3, 0.3), (-0.3, 0.36), (-1.3, 0.4)], [0.35, 0.36, 0.26], 0.8)


def draw_humerus(bone: Canvas, tissue: Canvas) -> None:
    """Draw the whole humerus with a part of the shoulder blade above and the elbow below."""
    draw_tube(
        bone,
        [
            Node(0.08, -0.66, 0.1, 0.94),
            Node(0.03, -0.55, 0.11, 0.92),
            Node(0.0, -0.38, 0.068, 0.62),
            Node(0.0, 0.1, 0.062, 0.48),
            Node(0.0, 0.5, 0.066, 0.56),
            Node(0.0, 0.66, 0.115, 0.9),
            Node(0.0, 0.7, 0.13, 0.94),
        ],
    )
    draw_ball(bone, (0.09, -0.7), (0.135, 0.13), rim=0.014)
    draw_ball(bone, (-0.045, -0.66), (0.06, 0.09), angle_deg=20)
    for x, y, rx, ry in ((-0.09, 0.77, 0.065, 0.052), (0.05, 0.76, 0.075, 0.05),
                         (0.14, 0.69, 0.038, 0.05)):  # fmt: skip
        draw_ball(bone, (x, y), (rx, ry))
    draw_tube(bone, [Node(0.05, 0.86, 0.07, 0.85), Node(0.06, 1.3, 0.055, 0.55)])
    draw_tube(bone, [Node(-0.09, 0.87, 0.055, 0.86), Node(-0.09, 1.3, 0.045, 0.55)])
    draw_flat(bone, [(0.26, -0.85), (0.33, -0.6), (0.4, -0.3), (0.75, -0.2), (0.8, -0.9)], 0.016)
    _draw_ribs(bone, 0.5, -0.9, count=7)
    tissue_rod(
        tissue,
        [(0.06, -0.8), (0.0, -0.3), (0.0, 0.4), (0.0, 0.75), (0.0, 1.3)],
        [0.34, 0.3, 0.25, 0.24, 0.24],
        0.85,
    )
    tissue.rod([(1.0, -1.2), (1.0, 1.2)], [0.5, 0.48], 0.32, edge=0.1, blend="max")


def draw_shoulder(bone: Canvas, tissue: Canvas) -> None:
    """Draw a shoulder from the front: humeral head, socket, acromion, collar bone, ribs."""
    draw_tube(
        bone,
        [
            Node(-0.34, -0.12, 0.19, 0.95),
            Node(-0.38, 0.12, 0.17, 0.92),
            Node(-0.4, 0.45, 0.11, 0.62),
            Node(-0.42, 1.3, 0.1, 0.5),
        ],
    )
    draw_ball(bone, (-0.25, -0.16), (0.225, 0.22), rim=0.018)
    draw_ball(bone, (-0.47, -0.12), (0.09, 0.14), angle_deg=18)
    draw_flat(
        bone,
        [(0.0, -0.32), (0.03, -0.1), (0.05, 0.1), (0.22, 0.75), (0.42, 0.9), (0.52, 0.3),
         (0.48, -0.4), (0.25, -0.5)],
        0.016,
    )  # fmt: skip
    draw_ball(bone, (0.02, -0.14), (0.05, 0.2), angle_deg=-6)
    draw_tube(
        bone,
        [
            Node(-0.42, -0.5, 0.06, 0.8),
            Node(-0.2, -0.55, 0.07, 0.75),
            Node(0.3, -0.42, 0.04, 0.7),
        ],
    )
    draw_ball(bone, (-0.02, -0.36), (0.06, 0.09), angle_deg=40)
    draw_tube(
        bone,
        [
            Node(-0.18, -0.62, 0.06, 0.72),
            Node(0.1, -0.66, 0.055, 0.6),
            Node(0.5, -0.58, 0.058, 0.56),
            Node(1.1, -0.45, 0.075, 0.7),
        ],
    )
    _draw_ribs(bone, 0.55, -0.5, count=6)
    tissue_rod(tissue, [(-0.3, -0.2), (-0.42, 1.3)], [0.46, 0.34], 0.9)
    tissue.rod([(0.4, -0.35), (0.7, 1.2)], [0.5, 0.6], 0.3, edge=0.2, blend="max")
    tissue.rod([(0.2, -0.55), (1.2, -0.85)], [0.3, 0.5], 0.26, edge=0.2, blend="max")
    tissue.ellipse((0.95, 0.45), (0.42, 0.85), 0.1, edge=0.1)


def _draw_ribs(bone: Canvas, x: float, y: float, *, count: int) -> None:
    """Draw the side of the rib cage from (x, y) downward, open to the right."""
    for i in range(count):
        nodes = [
            Node(
                x + 0.55 - (0.5 - 0.02 * i) * cosine(angle),
                y + 0.26 * i + 0.3 * sine(angle),
                0.032,
                0.75,
            )
            for angle in (-70, -35, 0, 30)
        ]
        draw_tube(bone, nodes)

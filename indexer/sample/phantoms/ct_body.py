"""What every CT slice of the trunk shows: skin, fat, muscle, spine, scanner table, noise.

CT numbers in Hounsfield units (HU): air -1000, fat about -100, water 0, soft tissue 30 to 60, bone
200 to 1000 (Kalender, Computed Tomography, 3rd ed. 2011, chapter 1).
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from indexer.sample.canvas import Canvas, average, inside
from indexer.sample.curves import FloatMap, Point, squircle_depth
from indexer.sample.noise import cloud_noise, white_noise

Side: TypeAlias = Literal["left", "right"]

AIR_HU = -1000.0
LUNG_HU = -850.0
FAT_HU = -105.0
WATER_HU = 8.0
MUSCLE_HU = 55.0
BLOOD_HU = 42.0
SPONGY_BONE_HU = 190.0
CORTEX_HU = 620.0
SLICE_PX = 256
_SKIN = 0.014
# A 3 x 3 average divides the deviation of white noise by 3.
_GRAIN_GAIN = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A patient's build in grid units: half width and depth of the trunk, its layer of fat."""

    width: float = 0.85
    depth: float = 0.64
    fat: float = 0.045
    centre_y: float = -0.04

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Build":
        """Return a build drawn at random."""
        return cls(
            width=0.8 + 0.11 * rng.random(),
            depth=0.58 + 0.1 * rng.random(),
            fat=0.03 + 0.05 * rng.random(),
        )

    @property
    def back(self) -> float:
        """The y of the skin of the back."""
        return self.centre_y + self.depth


def image_x(side: Side, offset: float) -> float:
    """Return the x of what lies `offset` off the midline; the patient's left is on the right."""
    return offset if side == "left" else -offset


def start_slice(build: Build, rng: np.random.Generator) -> Canvas:
    """Return a slice of air, table, skin, fat and muscle, in HU, on a slightly uneven canvas."""
    canvas = Canvas.blank(SLICE_PX, SLICE_PX, AIR_HU)
    _draw_table(canvas, build)
    clouds = cloud_noise(rng, canvas.shape, 5)
    uneven = canvas.warped(clouds * np.float32(0.008), clouds * np.float32(0.006))
    x, y = uneven.coordinates()
    depth = squircle_depth(x, y, (0.0, build.centre_y), (build.width, build.depth))
    canvas.fill(inside(depth, 0.012), MUSCLE_HU - 15)
    canvas.fill(inside(depth - np.float32(_SKIN), 0.012), FAT_HU)
    canvas.fill(inside(depth - np.float32(build.fat + _SKIN), 0.015), MUSCLE_HU)
    return uneven


def wall_depth(canvas: Canvas, build: Build, thickness: float) -> FloatMap:
    """Return the depth inside a wall that lies `thickness` units under the fat."""
    x, y = canvas.coordinates()
    radii = (build.width - thickness - build.fat, build.depth - thickness * 0.9 - build.fat)
    return squircle_depth(x, y, (0.0, build.centre_y - 0.01), radii)


def draw_spine(canvas: Canvas, build: Build, *, lumbar: bool) -> None:
    """Draw a vertebra with its canal, arch, processes and the muscles of the back."""
    size = 0.14 if lumbar else 0.115
    spine = canvas.placed((0.0, spine_y(build, lumbar=lumbar)))
    for sign in (-1, 1):
        spine.ellipse((sign * 0.17, 0.2), (0.15, 0.09), MUSCLE_HU - 8, edge=0.03)
        if lumbar:
            spine.ellipse((sign * 0.2, 0.02), (0.08, 0.1), MUSCLE_HU, edge=0.02)
    spine.ellipse((0, 0), (size, size * 0.82), CORTEX_HU, edge=0.02)
    spine.ellipse((0, 0), (size - 0.02, size * 0.82 - 0.02), SPONGY_BONE_HU, edge=0.02)
    canal = spine.placed((0.0, size * 0.82 + 0.045))
    canal.ellipse((0, 0), (0.085, 0.075), CORTEX_HU)
    for sign in (-1, 1):
        tip = (sign * 0.22, -0.02) if lumbar else (sign * 0.19, 0.05)
        canal.rod([(sign * 0.06, 0), tip], [0.03, 0.018], CORTEX_HU * 0.8)
    canal.rod([(0, 0.06), (0, 0.17)], [0.03, 0.017], CORTEX_HU)
    canal.ellipse((0, 0), (0.058, 0.05), 25.0, edge=0.015)


def spine_y(build: Build, *, lumbar: bool) -> float:
    """Return the y of the centre of the vertebral body."""
    return build.back - (0.4 if lumbar else 0.36)


def draw_vessel(
    canvas: Canvas, centre: Point, radius: float, blood_hu: float, *, calcium: bool = False
) -> None:
    """Draw a large vessel in cross section, with a fleck of calcium in its wall if asked."""
    canvas.ellipse(centre, (radius, radius), blood_hu, edge=0.018)
    if calcium:
        fleck = (centre[0] - radius * 0.75, centre[1] + radius * 0.5)
        canvas.ellipse(fleck, (0.014, 0.028), 700.0, angle_deg=-30)


def finish_slice(canvas: Canvas, rng: np.random.Generator, noise_hu: float) -> FloatMap:
    """Return the slice as a scanner would give it: a little blurred, with correlated noise."""
    hu = canvas.values
    grain = average(white_noise(rng, canvas.shape)) * np.float32(_GRAIN_GAIN * noise_hu)
    blurred = average(hu) * np.float32(0.5) + hu * np.float32(0.5)
    outside = blurred < AIR_HU + 40
    damped = np.where(outside, np.float32(0.35), np.float32(1))
    noisy: FloatMap = blurred + grain * damped
    return np.clip(noisy, np.float32(-1024), np.float32(3071))


def _draw_table(canvas: Canvas, build: Build) -> None:
    """Draw the curved table top under the patient: two thin shells."""
    x, y = canvas.coordinates()
    bend = y - np.float32(build.back + 0.03) + x * x * np.float32(0.14)
    across = inside(np.float32(0.82) - np.abs(x), canvas.pixel)
    for offset, value in ((0.0, -300.0), (0.1, -420.0)):
        shell = inside(np.float32(0.012) - np.abs(bend - np.float32(offset)), canvas.pixel)
        canvas.fill(shell * across, value)

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.sample.canvas import Canvas, average, inside, soften
from indexer.sample.curves import ellipse_depth, rod_depth
from indexer.sample.noise import cloud_noise

COORDINATE = st.floats(-1.6, 1.6)
POINT = st.tuples(COORDINATE, COORDINATE)


@settings(max_examples=60, deadline=None)
@given(
    centre=POINT,
    radii=st.tuples(st.floats(0.03, 0.8), st.floats(0.03, 0.8)),
    angle=st.floats(-90, 90),
    turn=st.floats(-90, 90),
    scale=st.floats(0.5, 2),
    across=st.sampled_from([1.0, -1.0, 0.7]),
    warp_seed=st.none() | st.integers(0, 5),
)
def test_drawing_within_a_window_equals_drawing_everywhere(
    centre, radii, angle, turn, scale, across, warp_seed
):
    canvas = Canvas.blank(40, 56)
    canvas = canvas.stretched(across).placed((0.1, -0.2), angle_deg=turn, scale=scale)
    if warp_seed is not None:
        clouds = cloud_noise(np.random.default_rng(warp_seed), (40, 56), 4) * np.float32(0.05)
        canvas = canvas.warped(clouds, -clouds)
    x, y = canvas.coordinates()
    whole = inside(ellipse_depth(x, y, centre, radii, angle), canvas.pixel)
    canvas.ellipse(centre, radii, 1.0, angle_deg=angle)
    np.testing.assert_array_equal(canvas.values, np.broadcast_to(whole, (40, 56)))


@settings(max_examples=40, deadline=None)
@given(points=st.lists(POINT, min_size=2, max_size=4), radius=st.floats(0.02, 0.4))
def test_a_rod_within_a_window_equals_a_rod_everywhere(points, radius):
    canvas = Canvas.blank(40, 40)
    x, y = canvas.coordinates()
    whole = inside(rod_depth(x, y, points, [radius] * len(points))[0], canvas.pixel)
    canvas.rod(points, [radius] * len(points), 1.0)
    np.testing.assert_array_equal(canvas.values, whole)


def test_coordinates_are_those_of_pixel_centres():
    x, y = Canvas.blank(2, 4).coordinates()
    np.testing.assert_allclose(x, [[-1.5, -0.5, 0.5, 1.5]])
    np.testing.assert_allclose(y, [[-0.5], [0.5]])


def test_blends_mix_add_and_keep_the_larger():
    for blend, expected in (("mix", 3.0), ("add", 5.0), ("max", 3.0)):
        canvas = Canvas.blank(9, 9, 2.0)
        canvas.ellipse((0, 0), (3, 3), 3.0, blend=blend)
        assert canvas.values[4, 4] == expected
    canvas = Canvas.blank(9, 9, 4.0)
    canvas.ellipse((0, 0), (3, 3), 3.0, blend="max")
    assert canvas.values[4, 4] == 4.0


def test_a_clip_keeps_a_shape_out():
    canvas = Canvas.blank(20, 20)
    clip = np.zeros((20, 20), dtype=np.float32)
    clip[:, :10] = 1
    canvas.ellipse((0, 0), (0.8, 0.8), 1.0, clip=clip)
    assert canvas.values[10, 5] == 1
    assert (canvas.values[:, 10:] == 0).all()


def test_a_placed_canvas_draws_into_the_same_values():
    canvas = Canvas.blank(21, 21)
    canvas.placed((0.5, 0.0)).ellipse((0, 0), (0.1, 0.1), 1.0)
    canvas.stretched(-1).ellipse((0.5, 0.0), (0.1, 0.1), 1.0)
    assert canvas.values[10, 15] == 1
    assert canvas.values[10, 5] == 1
    assert canvas.layer().values.sum() == 0


def test_an_outline_covers_its_inside():
    canvas = Canvas.blank(40, 40)
    canvas.outline([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)], 1.0)
    assert canvas.values[20, 20] == 1
    assert canvas.values[1, 1] == 0


def test_a_shape_outside_the_map_changes_nothing():
    canvas = Canvas.blank(10, 10)
    canvas.ellipse((5, 5), (0.5, 0.5), 1.0)
    assert (canvas.values == 0).all()


@pytest.mark.parametrize("blur", [average, lambda values: soften(values, 4)])
def test_blurring_keeps_even_maps_and_flattens_peaks(blur):
    even = np.full((24, 24), 0.7, dtype=np.float32)
    np.testing.assert_allclose(blur(even), even, rtol=1e-5)
    peak = np.zeros((24, 24), dtype=np.float32)
    peak[12, 12] = 1
    assert blur(peak).max() < 0.5

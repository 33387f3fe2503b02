import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.sample.curves import (
    Frame,
    cosine,
    ellipse_depth,
    rod_depth,
    segment_distance,
    sine,
    smoothstep,
    spline,
)

COORDINATE = st.floats(-1.5, 1.5, allow_nan=False, width=32)
POINT = st.tuples(COORDINATE, COORDINATE)


@given(
    point=POINT,
    centre=POINT,
    angle=st.floats(-180, 180),
    scale=st.floats(0.3, 3),
    across=st.sampled_from([1.0, -1.0, 0.6]),
)
def test_what_a_frame_places_in_the_image_comes_back(point, centre, angle, scale, across):
    frame = Frame().stretched(across).placed(centre, angle_deg=angle, scale=scale)
    x, y = frame.to_image(point)
    back = frame.to_local(np.float32([[x]]), np.float32([[y]]))
    assert back[0].item() == pytest.approx(point[0], abs=1e-4)
    assert back[1].item() == pytest.approx(point[1], abs=1e-4)


def test_a_frame_turns_clockwise_as_the_image_is_seen():
    x, y = Frame().placed((0.0, 0.0), angle_deg=90).to_image((1.0, 0.0))
    assert (x, y) == pytest.approx((0.0, 1.0))


def test_a_mirrored_frame_turns_the_other_way_round():
    x, y = Frame().stretched(-1).placed((0.0, 0.0), angle_deg=90).to_image((1.0, 0.0))
    assert (x, y) == pytest.approx((0.0, 1.0))
    x, _ = Frame().stretched(-1).to_image((1.0, 0.0))
    assert x == -1.0


@given(st.floats(-720, 720))
def test_rounded_sines_lie_on_the_circle(angle):
    assert cosine(angle) ** 2 + sine(angle) ** 2 == pytest.approx(1, abs=1e-8)


def test_an_ellipse_is_deepest_at_its_centre_and_zero_at_its_rim():
    x = np.float32([[0.5, 0.7, 0.5, 0.9]])
    y = np.float32([[0.2, 0.2, 0.6, 0.9]])
    depth = ellipse_depth(x, y, (0.5, 0.2), (0.2, 0.4))[0]
    assert depth[0] == pytest.approx(0.2)
    assert depth[1] == pytest.approx(0.0, abs=1e-6)
    assert depth[2] == pytest.approx(0.0, abs=1e-6)
    assert depth[3] < 0


def test_distance_to_a_segment_by_hand():
    x, y = np.float32([[0.0, 5.0, 2.0]]), np.float32([[3.0, 0.0, 1.0]])
    distance, along = segment_distance(x, y, (0.0, 0.0), (4.0, 0.0))
    np.testing.assert_allclose(distance, [[3, 1, 1]])
    np.testing.assert_allclose(along, [[0, 1, 0.5]])


def test_a_rod_is_as_wide_as_its_radii_say():
    x = np.float32([[0.0, 1.0, 0.5]])
    depth, radius = rod_depth(x, np.zeros_like(x), [(0, 0), (1, 0)], [0.1, 0.3])
    np.testing.assert_allclose(depth, [[0.1, 0.3, 0.2]], atol=1e-6)
    np.testing.assert_allclose(radius, depth, atol=1e-6)


@given(st.lists(POINT, min_size=3, max_size=9))
def test_a_spline_goes_through_its_points(points):
    curve = spline(points, steps=4)
    for point, on_curve in zip(points, curve[::4], strict=True):
        assert on_curve == pytest.approx(point)


@given(st.lists(st.floats(-3, 3, width=32), min_size=2, max_size=20))
def test_smoothstep_rises_from_nought_to_one(values):
    ordered = np.sort(np.float32([values]))
    steps = smoothstep(-1.0, 2.0, ordered)[0]
    assert (np.diff(steps) >= 0).all()
    assert steps.min() >= 0
    assert steps.max() <= 1

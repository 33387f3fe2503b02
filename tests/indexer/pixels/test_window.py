import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.pixels.window import PRESETS, Window, apply_window, window_of_range

VALUES = st.floats(-5000, 5000, width=32)
WINDOWS = st.builds(Window, st.floats(-1000, 1000), st.floats(1, 4000))
FUNCTIONS = st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"])


def _grey_of_standard(value: float, centre: float, width: float, function: str) -> float:
    """The pseudo-code of PS3.3 C.11.2.1, one value at a time, for 0..255."""
    if function == "LINEAR":
        if value <= centre - 0.5 - (width - 1) / 2:
            return 0.0
        if value > centre - 0.5 + (width - 1) / 2:
            return 255.0
        return ((value - (centre - 0.5)) / (width - 1) + 0.5) * 255
    if function == "LINEAR_EXACT":
        if value <= centre - width / 2:
            return 0.0
        if value > centre + width / 2:
            return 255.0
        return ((value - centre) / width + 0.5) * 255
    return 255 / (1 + math.exp(min(700.0, -4 * (value - centre) / width)))


@given(VALUES, WINDOWS, FUNCTIONS)
def test_follows_the_standard_s_pseudo_code(value: float, window: Window, function: str) -> None:
    expected = _grey_of_standard(value, window.centre_hu, window.width_hu, function)
    got = apply_window(np.array([[value]], np.float32), window, function)  # type: ignore[arg-type]
    assert got.dtype == np.uint8
    # float32 arithmetic: steep windows may round to the neighbour
    tolerance = 0.51 + 0.02 * 255 / max(window.width_hu - 1, 0.5)
    assert abs(float(got[0, 0]) - expected) <= tolerance


@given(st.lists(VALUES, min_size=2, max_size=20), WINDOWS, FUNCTIONS)
def test_brighter_values_are_never_darker(
    values: list[float], window: Window, function: str
) -> None:
    ordered = np.sort(np.array(values, np.float32))
    grey = apply_window(ordered, window, function)  # type: ignore[arg-type]
    assert (np.diff(grey.astype(int)) >= 0).all()


def test_soft_tissue_by_hand() -> None:
    hu = np.array([-1000, -150, 50, 250, 3000], np.float32)
    assert apply_window(hu, PRESETS["soft_tissue"]).tolist() == [0, 0, 128, 255, 255]


def test_nan_is_black_in_every_function() -> None:
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        assert apply_window(np.array([np.nan], np.float32), Window(40, 80), function).tolist() == [
            0
        ]


def test_width_one_is_a_step() -> None:
    values = np.array([39, 39.5, 40], np.float32)
    assert apply_window(values, Window(40, 1)).tolist() == [0, 0, 255]


def test_linear_refuses_what_the_standard_forbids() -> None:
    with pytest.raises(ValueError, match="LINEAR"):
        apply_window(np.zeros(1, np.float32), Window(0, 0.5))
    assert apply_window(np.zeros(1, np.float32), Window(0, 0.5), "LINEAR_EXACT").tolist() == [128]


def test_unknown_functions_and_impossible_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="CUBIC"):
        apply_window(np.zeros(1, np.float32), Window(0, 2), "CUBIC")  # type: ignore[arg-type]
    for centre, width in ((0, 0), (0, -5), (float("nan"), 5), (0, float("inf"))):
        with pytest.raises(ValueError, match="window"):
            Window(centre, width)


def test_the_input_is_left_alone() -> None:
    values = np.array([1.0, np.nan], np.float32)
    apply_window(values, Window(0, 10), "SIGMOID")
    assert values[0] == 1.0
    assert np.isnan(values[1])


def test_presets_differ_and_cannot_be_changed() -> None:
    assert len(set(PRESETS.values())) == len(PRESETS)
    with pytest.raises(TypeError):
        PRESETS["lung"] = Window(0, 1)  # type: ignore[index]


def test_range_window_spans_the_bulk_and_survives_flat_images() -> None:
    values = np.concatenate([np.arange(1000.0), [1e6, np.nan]]).astype(np.float32)
    window = window_of_range(values)
    assert 990 <= window.width_hu <= 1000
    flat = window_of_range(np.full(10, 7, np.float32))
    assert flat == Window(7.0, 1.0)
    assert window_of_range(np.full(3, np.nan, np.float32)) == Window(0.0, 1.0)

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.numeric import decode_npy, show_numbers
from indexer.pixels.window import PRESETS

LIMITS = DecodeLimits()


def _npy(values: np.ndarray[Any, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, **options)
    return buffer.getvalue()


@given(hnp.arrays(hnp.integer_dtypes() | hnp.unsigned_integer_dtypes(), (3, 4)))
def test_any_integers_become_greys_in_the_same_order(values: np.ndarray[Any, Any]) -> None:
    grey = show_numbers(values)
    assert grey.dtype == np.uint8
    assert grey.shape == values.shape
    order = np.argsort(values, axis=None)
    assert (np.diff(grey.reshape(-1)[order].astype(int)) >= 0).all()


@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(width=32)))
def test_any_floats_become_greys_or_an_error(values: np.ndarray[Any, Any]) -> None:
    if not np.isfinite(values).any():
        with pytest.raises(DecodeError, match="finite"):
            show_numbers(values)
    else:
        assert show_numbers(values).dtype == np.uint8


def test_infinities_are_the_ends_of_the_range() -> None:
    values = np.array([[-np.inf, 0.0, 1.0, np.inf, np.nan]])
    assert show_numbers(values).tolist() == [[0, 0, 255, 255, 0]]


def test_numbers_only() -> None:
    for values in (np.array(["a"]), np.array([1j]), np.zeros((0, 4))):
        with pytest.raises(DecodeError, match="no numbers"):
            show_numbers(values)


def test_bytes_stay_as_they_are() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(show_numbers(every), every)


def test_npy_files_of_grey_and_colour() -> None:
    hu = np.array([[-1024, 50, 1000]], np.int16)
    assert decode_npy(_npy(hu), LIMITS, None).tolist() == [[0, 128, 255]]
    assert decode_npy(_npy(hu), LIMITS, PRESETS["lung"])[0, 1] > 100
    colour = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    np.testing.assert_array_equal(decode_npy(_npy(colour), LIMITS, None), colour)


def test_npy_files_that_are_no_image_are_refused() -> None:
    pickled = _npy(np.array([[{}]], object), allow_pickle=True)
    good = _npy(np.zeros((4, 4), np.int16))
    for raw in (pickled, _npy(np.zeros(5)), _npy(np.zeros((2, 2, 2))), good[:-1], good[:30]):
        with pytest.raises(DecodeError):
            decode_npy(raw, LIMITS, None)


def test_npy_sizes_are_limited() -> None:
    stated = _npy(np.zeros((4, 4), np.int16)).replace(b"(4, 4)", b"(99999, 99999)")
    with pytest.raises(LimitExceededError, match="pixels"):
        decode_npy(stated, LIMITS, None)

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.encoders.chinese.nibbles import BLOCK, pack


@given(seed=st.integers(0, 1000), rows=st.integers(0, 5), blocks=st.integers(1, 3))
def test_a_packed_matrix_is_its_codes_times_its_scales(seed: int, rows: int, blocks: int) -> None:
    draws = np.random.default_rng(seed)
    codes = draws.integers(0, 16, (rows, blocks * BLOCK), dtype=np.uint8)
    scales = draws.normal(size=(rows, blocks)).astype(np.float16)
    expected = (codes.astype(np.float32) - 8) * np.repeat(scales.astype(np.float32), BLOCK, axis=1)
    packed = pack(codes, scales)
    np.testing.assert_array_equal(packed.widen(), expected)
    chosen = draws.integers(0, rows, 4) if rows else np.array([], np.int64)
    np.testing.assert_array_equal(packed.take(chosen).widen(), expected[chosen])


@pytest.mark.parametrize(
    ("shape", "scales", "code"), [((2, 32), (2, 2), 1), ((2, 31), (2, 0), 1), ((1, 32), (1, 1), 16)]
)
def test_what_is_no_matrix_in_four_bits_is_refused(
    shape: tuple[int, int], scales: tuple[int, int], code: int
) -> None:
    with pytest.raises(ValueError, match="four bits"):
        pack(np.full(shape, code, np.uint8), np.ones(scales, np.float16))

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.store.arrays import read_array, write_array


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lengths=st.lists(st.integers(0, 5), max_size=5), dim=st.integers(1, 3))
def test_parts_come_back_as_one_array_that_numpy_reads(
    tmp_path: Path, lengths: list[int], dim: int
) -> None:
    whole = np.arange(sum(lengths) * dim, dtype=np.float32).reshape(-1, dim)
    parts = np.split(whole, np.cumsum(lengths)[:-1]) if lengths else []
    path = tmp_path / "a.npy"
    write_array(path, parts, whole.shape, np.float32)
    assert np.load(path).tobytes() == whole.tobytes()
    found = read_array(path)
    assert found.shape == whole.shape
    assert found.dtype == np.float32
    assert (found == whole).all()


def test_parts_that_do_not_fill_the_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 rows came, 3 were announced"):
        write_array(tmp_path / "a.npy", [np.zeros(2)], (3,), np.float32)


def test_pickles_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        read_array(path)

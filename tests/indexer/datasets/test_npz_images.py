from pathlib import Path

import numpy as np
import pytest

from indexer.datasets.npz_images import open_archive


def test_numbers_lead_to_rows(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=np.zeros((3, 2, 2)), idx=np.array([7, 5, 7]))
    archive = open_archive(tmp_path / "a.npz")
    assert archive is not None
    assert archive.rows == {7: 0, 5: 1}


@pytest.mark.parametrize(
    "arrays",
    [
        {"idx": np.arange(3)},
        {"image": np.zeros((2, 2))},
        {"image": np.zeros((0, 2, 2))},
        {"image": np.zeros((3, 2, 2)), "idx": np.arange(4)},
        {"image": np.zeros((3, 2, 2)), "idx": np.array([0.5, 1.0, 2.0])},
        {"image": np.array([None], dtype=object)},
        {"image": np.zeros((1, 2, 2)), "idx": np.array([None], dtype=object)},
    ],
)
def test_what_is_no_numbered_stack_is_left_alone(
    tmp_path: Path, arrays: dict[str, np.ndarray]
) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    assert open_archive(tmp_path / "a.npz") is None


def test_a_file_that_is_no_archive_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 cut off")
    assert open_archive(tmp_path / "a.npz") is None

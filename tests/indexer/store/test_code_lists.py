from pathlib import Path

import numpy as np
import pytest

from indexer.errors import CorruptBuildError
from indexer.store.arrays import read_array, write_array
from indexer.store.code_lists import CodeLists
from indexer.store.field_manifest import SearchStructure
from indexer.store.structures import build_structure
from indexer.store.subset import Part

COUNT, DIM = 5000, 40


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(COUNT, DIM)) * np.arange(1, DIM + 1) ** -1.0
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def structure(tmp_path: Path, vectors: np.ndarray) -> SearchStructure:
    return build_structure(vectors, tmp_path, "f", flat_limit=10)


def test_some_rows_are_told_what_all_are_told(
    tmp_path: Path, structure: SearchStructure, vectors: np.ndarray
) -> None:
    lists = CodeLists.open(tmp_path, "f", structure, vectors)
    rng = np.random.default_rng(5)
    # More than are brought together at a time, and in any order; later they lie side by side.
    some = rng.permutation(COUNT)[:4500]
    part = Part(some, lambda size: True)
    for query in vectors[:10]:
        rows, most = lists.propose(query, COUNT, None)
        assert (np.diff(most) <= 0).all()
        assert sorted(rows.tolist()) == list(range(COUNT))
        told = dict(zip(rows.tolist(), most.tolist(), strict=True))
        chosen, said = lists.propose(query, COUNT, part)
        assert sorted(chosen.tolist()) == sorted(some.tolist())
        assert [told[row] for row in chosen.tolist()] == said.tolist()
        best, _ = lists.propose(query, 7, part)
        part.searches += 1
        assert set(best.tolist()) <= {row for row in chosen.tolist() if told[row] >= said[6]}


def test_no_vector_scores_more_than_is_said_of_it(
    tmp_path: Path, structure: SearchStructure, vectors: np.ndarray
) -> None:
    lists = CodeLists.open(tmp_path, "f", structure, vectors)
    for query in (*vectors[:10], 3 * vectors[10], -vectors[11]):
        rows, most = lists.propose(query, COUNT, None)
        true = vectors[rows].astype(np.float64) @ query
        assert (true <= most + lists.margin(query)).all()


def test_all_lists_hold_all_rows(
    tmp_path: Path, structure: SearchStructure, vectors: np.ndarray
) -> None:
    lists = CodeLists.open(tmp_path, "f", structure, vectors)
    found = lists.propose_near(vectors[0], COUNT, structure.nlist)
    assert sorted(found.tolist()) == list(range(COUNT))
    assert len(lists.propose_near(vectors[0], COUNT, 1)) < COUNT / 10


@pytest.mark.parametrize("part", ["lists", "directions", "centres", "starts"])
def test_parts_that_do_not_fit_are_a_damaged_build(
    tmp_path: Path, structure: SearchStructure, vectors: np.ndarray, part: str
) -> None:
    path = tmp_path / f"f.{part}.npy"
    values = np.array(read_array(path))
    shorter = values[:, :-1] if part == "directions" else values[:-1]
    write_array(path, [shorter], shorter.shape, shorter.dtype)
    with pytest.raises(CorruptBuildError, match="do not fit"):
        CodeLists.open(tmp_path, "f", structure, vectors)

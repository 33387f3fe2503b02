from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest

from indexer.store.arrays import read_array
from indexer.store.code_lists import Layout
from indexer.store.faiss_files import codes_of, open_faiss
from indexer.store.structures import RECALL_TARGET, build_structure
from tests.indexer.store.conftest import no_file_larger_than

DIM = 24


def clustered(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(20, DIM))
    vectors = centres[rng.integers(0, 20, count)] + 0.4 * rng.normal(size=(count, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_a_small_field_is_a_faiss_file_that_any_program_can_search(tmp_path: Path) -> None:
    vectors = clustered(300)
    structure = build_structure(vectors, tmp_path, "f", flat_limit=300)
    assert (structure.kind, structure.recall_at_10, structure.code_error) == ("flat", 1, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["f.faiss"]
    index = faiss.read_index(str(tmp_path / "f.faiss"))
    assert index.search(vectors, 1)[1][:, 0].tolist() == list(range(300))


def test_a_large_field_gets_lists_that_reach_the_target(tmp_path: Path) -> None:
    vectors = clustered(3000)
    structure = build_structure(vectors, tmp_path, "f", flat_limit=2999)
    # 2 sqrt(3000) = 109.5; the nearest power of two is 128.
    assert (structure.kind, structure.nlist) == ("code_lists", 128)
    assert 0 < structure.nprobe < 128
    assert RECALL_TARGET <= structure.recall_at_10 <= 1
    assert structure.recall_queries == 1000
    layout, index, lists = read_parts(tmp_path)
    assert codes_of(index).shape == (3000, layout.shortening.width)
    assert sorted(lists.tolist()) == list(range(3000))
    assert (layout.starts[0], layout.starts[-1]) == (0, 3000)


def test_no_code_lies_further_from_its_vector_than_is_stated(tmp_path: Path) -> None:
    # An outlier that training hardly ever sees: its code must not be cut off.
    vectors = clustered(3000)
    vectors[1234] = np.eye(DIM, dtype=np.float32)[0]
    structure = build_structure(vectors, tmp_path, "f", flat_limit=10)
    layout, index, _ = read_parts(tmp_path)
    meant = index.sa_decode(codes_of(index))
    errors = np.linalg.norm(layout.shortening.apply(vectors) - meant, axis=1)
    assert errors.max() <= structure.code_error * 1.0001
    assert structure.code_error < 0.05


def test_the_same_vectors_give_the_same_bytes_on_any_number_of_threads(tmp_path: Path) -> None:
    vectors = clustered(3000)
    before = faiss.omp_get_max_threads()
    for threads in (1, 2):
        faiss.omp_set_num_threads(threads)
        (tmp_path / str(threads)).mkdir()
        build_structure(vectors, tmp_path / str(threads), "f", flat_limit=10)
        assert faiss.omp_get_max_threads() == threads
    faiss.omp_set_num_threads(before)
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / threads).iterdir()}
        for threads in ("1", "2")
    )
    assert one == two
    assert len(one) == 5


def test_real_queries_that_lie_elsewhere_raise_the_effort(tmp_path: Path) -> None:
    vectors = clustered(3000)
    own = build_structure(vectors, tmp_path, "a", flat_limit=10)
    queries = np.random.default_rng(5).normal(size=(100, DIM)).astype(np.float32)
    given = build_structure(vectors, tmp_path, "b", flat_limit=10, queries=queries)
    assert given.nprobe > own.nprobe
    assert given.recall_at_10 >= RECALL_TARGET
    assert given.recall_queries == own.recall_queries + 100


def test_copies_may_stand_for_one_another(tmp_path: Path) -> None:
    # Of 50 copies any ten are the right answer; which of them is found must not count.
    vectors = np.repeat(clustered(60), 50, axis=0)
    structure = build_structure(vectors, tmp_path, "f", flat_limit=10)
    assert structure.nprobe <= 4
    assert structure.recall_at_10 == 1


def test_where_no_number_of_lists_will_do_all_are_visited(tmp_path: Path) -> None:
    # Directions without any structure, and queries opposite to where their answers' lists lie.
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(400, 200)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    structure = build_structure(vectors, tmp_path, "f", flat_limit=10)
    assert structure.nprobe == structure.nlist
    assert structure.recall_at_10 == 1


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_no_room_for_the_codes_is_an_error_not_a_short_file(tmp_path: Path, share: float) -> None:
    build_structure(clustered(2000), tmp_path, "f", flat_limit=10)
    size_bytes = int(share * (tmp_path / "f.faiss").stat().st_size)
    with pytest.raises(OSError, match="File too large"), no_file_larger_than(size_bytes):
        build_structure(clustered(2000), tmp_path, "f", flat_limit=10)


def read_parts(folder: Path) -> tuple[Layout, Any, np.ndarray]:
    lists = read_array(folder / "f.lists.npy")
    return Layout.load(folder, "f"), open_faiss(folder / "f.faiss", len(lists)), lists

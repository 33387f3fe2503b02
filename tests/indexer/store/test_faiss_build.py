from pathlib import Path

import faiss
import numpy as np
import pytest

from indexer.store.faiss_build import RECALL_TARGET, build_structure
from tests.indexer.store.conftest import no_file_larger_than

DIM = 24


def clustered(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(20, DIM))
    vectors = centres[rng.integers(0, 20, count)] + 0.4 * rng.normal(size=(count, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_a_small_field_is_flat_and_any_faiss_reads_it(tmp_path: Path) -> None:
    vectors = clustered(300)
    structure = build_structure(vectors, tmp_path / "f.faiss", flat_limit=300)
    assert (structure.kind, structure.recall_at_10, structure.code_error) == ("flat", 1, 0)
    index = faiss.read_index(str(tmp_path / "f.faiss"))
    assert isinstance(index, faiss.IndexFlatIP)
    assert (index.reconstruct_n(0, 300) == vectors).all()


def test_a_large_field_gets_lists_that_reach_the_target(tmp_path: Path) -> None:
    vectors = clustered(3000)
    structure = build_structure(vectors, tmp_path / "f.faiss", flat_limit=2999)
    # 2 sqrt(3000) = 109.5; the nearest power of two is 128.
    assert (structure.kind, structure.nlist) == ("ivf_sq8", 128)
    assert 0 < structure.nprobe < 128
    assert RECALL_TARGET <= structure.recall_at_10 <= 1
    assert structure.recall_queries == 1000
    index = faiss.read_index(str(tmp_path / "f.faiss"))
    assert (index.ntotal, index.code_size) == (3000, DIM)


def test_no_code_lies_further_from_its_vector_than_is_stated(tmp_path: Path) -> None:
    # An outlier that training hardly ever sees: its code must not be cut off.
    vectors = clustered(3000)
    vectors[1234] = np.eye(DIM, dtype=np.float32)[0]
    structure = build_structure(vectors, tmp_path / "f.faiss", flat_limit=10)
    index = faiss.read_index(str(tmp_path / "f.faiss"))
    index.make_direct_map()
    errors = np.linalg.norm(vectors - index.reconstruct_n(0, 3000), axis=1)
    assert errors.max() <= structure.code_error * 1.0001
    assert structure.code_error < 0.05


def test_the_same_vectors_give_the_same_bytes_on_any_number_of_threads(tmp_path: Path) -> None:
    vectors = clustered(3000)
    before = faiss.omp_get_max_threads()
    for threads in (1, 2):
        faiss.omp_set_num_threads(threads)
        build_structure(vectors, tmp_path / f"{threads}.faiss", flat_limit=10)
        assert faiss.omp_get_max_threads() == threads
    faiss.omp_set_num_threads(before)
    assert (tmp_path / "1.faiss").read_bytes() == (tmp_path / "2.faiss").read_bytes()


def test_real_queries_that_lie_elsewhere_raise_the_effort(tmp_path: Path) -> None:
    vectors = clustered(3000)
    own = build_structure(vectors, tmp_path / "a.faiss", flat_limit=10)
    queries = np.random.default_rng(5).normal(size=(100, DIM)).astype(np.float32)
    given = build_structure(vectors, tmp_path / "b.faiss", flat_limit=10, queries=queries)
    assert given.nprobe > own.nprobe
    assert given.recall_at_10 >= RECALL_TARGET
    assert given.recall_queries == own.recall_queries + 100


def test_copies_may_stand_for_one_another(tmp_path: Path) -> None:
    # Of 50 copies any ten are the right answer; which of them is found must not count.
    vectors = np.repeat(clustered(60), 50, axis=0)
    structure = build_structure(vectors, tmp_path / "f.faiss", flat_limit=10)
    assert structure.nprobe <= 4
    assert structure.recall_at_10 == 1


def test_where_no_number_of_lists_will_do_all_are_visited(tmp_path: Path) -> None:
    # Directions without any structure, and queries opposite to where their answers' lists lie.
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(400, 200)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    structure = build_structure(vectors, tmp_path / "f.faiss", flat_limit=10)
    assert structure.nprobe == structure.nlist
    assert structure.recall_at_10 == 1


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_no_room_for_the_file_is_an_error_not_a_short_file(tmp_path: Path, share: float) -> None:
    path = tmp_path / "f.faiss"
    build_structure(clustered(2000), path)
    size_bytes = int(share * path.stat().st_size)
    with pytest.raises(OSError, match="File too large"), no_file_larger_than(size_bytes):
        build_structure(clustered(2000), path)

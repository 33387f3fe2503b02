from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.store import vectors as vectors_module
from indexer.store.arrays import read_array, write_array
from indexer.store.field_manifest import FieldManifest
from indexer.store.shortening import Shortening
from indexer.store.structures import build_structure
from indexer.store.subset import Subset
from indexer.store.vectors import FieldVectors
from tests.indexer.store.conftest import PRINT
from tests.indexer.store.faiss_file import write_faiss_file

DIM = 40
RECORDS = 3000


def clustered(count: int, seed: int = 3) -> np.ndarray:
    """Unit vectors in clusters, a tenth of them equal to another one."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(8, DIM))
    vectors = centres[rng.integers(0, 8, count)] + 0.3 * rng.normal(size=(count, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[rng.integers(0, count, count // 10)] = vectors[rng.integers(0, count, count // 10)]
    return vectors.astype(np.float32)


def open_field(
    folder: Path, vectors: np.ndarray, rows: np.ndarray, records: int, kind: str
) -> FieldVectors:
    write_array(folder / "f.vectors.npy", [vectors], vectors.shape, np.float32)
    write_array(folder / "f.rows.npy", [rows], rows.shape, np.int64)
    if kind == "ivf_sq8":
        structure = write_faiss_file(vectors, folder / "f.faiss")
    else:
        limit = len(vectors) if kind == "flat" else 10
        structure = build_structure(vectors, folder, "f", flat_limit=limit)
    if len(vectors):
        assert structure.kind == kind
    if kind == "code_lists" and len(vectors):
        assert len(read_array(folder / "f.directions.npy")) < DIM  # codes do lose something
    field = FieldManifest(
        encoder="fake", fingerprint=PRINT, dim=DIM, vectors=len(vectors), structure=structure
    )
    return FieldVectors(folder, "f", field, records)


def crowded(count: int) -> np.ndarray:
    """Unit vectors that differ by less than their codes can tell, and some far outliers."""
    rng = np.random.default_rng(6)
    vectors = np.eye(DIM)[0] + 1e-4 * rng.normal(size=(count, DIM))
    vectors[:30] = rng.normal(size=(30, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def _small_fields_take_the_way_of_large_ones() -> Iterator[None]:
    """Few candidates, and stand-ins that lose much: both have to be made up for."""
    fit = Shortening.fit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors_module, "_SPARE", 3)
        patch.setattr(vectors_module, "_FIRST_CANDIDATES", 50)
        patch.setattr(vectors_module, "_MOST_CANDIDATES", 2000)
        patch.setattr("indexer.store.shortening._LEAST_WIDTH", 16)
        patch.setattr(Shortening, "fit", lambda sample: fit(sample, least_share=0.6))
        yield


@pytest.fixture(
    scope="module",
    params=["flat", "code_lists", "crowded code_lists", "ivf_sq8", "crowded ivf_sq8"],
)
def field(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> FieldVectors:
    vectors = crowded(RECORDS) if request.param.startswith("crowded") else clustered(RECORDS)
    kind = request.param.split()[-1]
    return open_field(
        tmp_path_factory.mktemp("aligned"), vectors, np.arange(RECORDS), RECORDS, kind
    )


@pytest.fixture(scope="module", params=["flat", "code_lists", "ivf_sq8"])
def uneven(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> FieldVectors:
    """A field of which some records have nothing, some one vector, and some several."""
    rows = np.sort(np.random.default_rng(8).integers(0, RECORDS, 4000))
    folder = tmp_path_factory.mktemp("uneven")
    return open_field(folder, clustered(4000), rows, RECORDS, request.param)


def brute_force(
    field: FieldVectors, query: np.ndarray, k: int, allowed: np.ndarray | None
) -> list[tuple[int, np.float32]]:
    """Rank records one by one: best score of each, then the row."""
    best: dict[int, np.float32] = {}
    scores = (field.vectors.astype(np.float64) * query).sum(axis=1).astype(np.float32)
    for row, score in zip(field.rows.tolist(), scores, strict=True):
        if allowed is None or allowed[row]:
            best[row] = max(score, best.get(row, score))
    return sorted(best.items(), key=lambda one: (-one[1], one[0]))[:k]


def ask(
    field: FieldVectors,
    query: np.ndarray,
    k: int,
    allowed: np.ndarray | Subset | None,
    exact: bool,
) -> list[tuple[int, np.float32]]:
    subset = Subset(allowed) if isinstance(allowed, np.ndarray) else allowed
    [(rows, scores)] = field.search(query[None], k, subset, exact)
    return list(zip(rows.tolist(), scores, strict=True))


def some_query(rng: np.random.Generator, field: FieldVectors) -> np.ndarray:
    """Near the vectors, one of them, or nowhere near."""
    chosen = field.vectors[rng.integers(len(field.vectors))]
    query = chosen + rng.choice([0, 1e-4, 0.2, 5]) * rng.normal(size=DIM)
    return (query / np.linalg.norm(query)).astype(np.float32)


def some_mask(rng: np.random.Generator, field: FieldVectors, share: float) -> np.ndarray:
    """Scattered, or on one side of a plane as a filter that follows the clusters."""
    if rng.random() < 0.5:
        return rng.random(RECORDS) < share
    sides = np.full(RECORDS, 9.0)
    sides[field.rows] = field.vectors @ rng.normal(size=DIM)
    return sides <= np.quantile(sides, share)


SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.one_of(st.integers(0, 30), st.sampled_from([300, RECORDS, 5000]))


@settings(deadline=None, max_examples=60)
@given(seed=SEEDS, k=COUNTS, share=st.floats(0, 1))
def test_a_filtered_search_is_brute_force_over_the_allowed(
    field: FieldVectors, seed: int, k: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    allowed = some_mask(rng, field, share)
    subset = Subset(allowed, repeats=True)
    for _ in range(3):  # what the first search finds out about the subset, later ones use
        query = some_query(rng, field)
        assert ask(field, query, k, subset, exact=False) == brute_force(field, query, k, allowed)


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, k=COUNTS, share=st.none() | st.floats(0, 1))
def test_so_it_is_where_records_have_no_vector_or_several(
    uneven: FieldVectors, seed: int, k: int, share: float | None
) -> None:
    rng = np.random.default_rng(seed)
    allowed = None if share is None else some_mask(rng, uneven, share)
    subset = None if allowed is None else Subset(allowed, repeats=True)
    for _ in range(2):
        query = some_query(rng, uneven)
        assert ask(uneven, query, k, subset, exact=True) == brute_force(uneven, query, k, allowed)


@settings(deadline=None, max_examples=40)
@given(seed=SEEDS, k=COUNTS)
def test_an_exact_search_is_brute_force(field: FieldVectors, seed: int, k: int) -> None:
    query = some_query(np.random.default_rng(seed), field)
    assert ask(field, query, k, None, exact=True) == brute_force(field, query, k, None)


@settings(deadline=None, max_examples=30)
@given(seed=SEEDS)
def test_a_score_depends_on_nothing_but_query_and_vector(field: FieldVectors, seed: int) -> None:
    rng = np.random.default_rng(seed)
    queries = np.stack([some_query(rng, field) for _ in range(3)])
    together = field.search(queries, 20, None, exact=False)
    for query, (rows, scores) in zip(queries, together, strict=True):
        for row, score in zip(rows, scores, strict=True):
            alone = np.zeros(RECORDS, bool)
            alone[row] = True
            assert ask(field, query, 1, alone, exact=False) == [(row, score)]


def test_what_the_lists_find_is_nearly_all(field: FieldVectors) -> None:
    rng = np.random.default_rng(0)
    found = wanted = 0
    for _ in range(50):
        query = field.vectors[rng.integers(RECORDS)]
        edge = brute_force(field, query, 10, None)[-1][1] - 1e-6
        hits = ask(field, query, 10, None, exact=False)
        found, wanted = found + sum(score >= edge for _, score in hits), wanted + 10
    assert found / wanted >= 0.98


def test_more_equal_vectors_than_any_candidates_rank_by_row(tmp_path: Path) -> None:
    vectors = np.tile(clustered(1), (3000, 1))
    vectors[1000] = -vectors[1000]
    field = open_field(tmp_path, vectors, np.arange(3000), 3000, "code_lists")
    allowed = np.ones(3000, bool)
    allowed[:7] = False
    hits = ask(field, vectors[0], 1000, allowed, exact=False)
    assert [row for row, _ in hits] == [row for row in range(7, 1008) if row != 1000]


def test_a_field_without_any_vector_finds_nothing(tmp_path: Path) -> None:
    field = open_field(tmp_path, np.empty((0, DIM), np.float32), np.empty(0, np.int64), 5, "flat")
    for allowed in (None, np.ones(5, bool)):
        assert ask(field, np.ones(DIM, np.float32), 3, allowed, exact=False) == []
    assert field.of_row(2) is None


def test_no_queries_have_no_answers(field: FieldVectors) -> None:
    assert field.search(np.empty((0, DIM), np.float32), 5, None, exact=False) == []
    assert (
        field.search(np.empty((0, DIM), np.float32), 5, Subset(np.ones(RECORDS, bool)), True) == []
    )


def test_the_first_vector_of_a_record_is_its_own(uneven: FieldVectors) -> None:
    for row in range(50):
        positions = np.flatnonzero(uneven.rows == row)
        found = uneven.of_row(row)
        if len(positions) == 0:
            assert found is None
        else:
            assert found is not None
            assert (found == uneven.vectors[positions[0]]).all()


@settings(deadline=None, max_examples=20)
@given(seed=SEEDS)
def test_single_records_score_as_they_do_in_a_search(uneven: FieldVectors, seed: int) -> None:
    rng = np.random.default_rng(seed)
    query = some_query(rng, uneven)
    rows = rng.permutation(RECORDS)[:50]
    known = dict(brute_force(uneven, query, RECORDS, None))
    scores = uneven.scores_of(query, rows)
    assert scores.dtype == np.float32
    for row, score in zip(rows.tolist(), scores, strict=True):
        assert score == known[row] if row in known else np.isnan(score)

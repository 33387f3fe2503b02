"""Embeddings drawn in the plane."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.manifold import trustworthiness as reference_trustworthiness
from threadpoolctl import threadpool_info

from indexer.projection import Projector, leading_directions, trustworthiness
from indexer.store.index_map import Projection


def clusters(count: int, dim: int = 24, kinds: int = 4, seed: int = 3) -> np.ndarray:
    """Return unit rows around a few centres, row i around centre i modulo `kinds`."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(kinds, dim))
    rows = centres[np.arange(count) % kinds] + 0.3 * rng.normal(size=(count, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def drawn() -> Projection:
    return Projector().project(clusters(200))


def test_like_lies_by_like(drawn: Projection) -> None:
    apart = np.linalg.norm(drawn.places[:, np.newaxis] - drawn.places, axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (apart.argmin(axis=1) % 4 == np.arange(200) % 4).all()
    assert drawn.trustworthiness is not None
    assert drawn.trustworthiness > 0.95


def test_the_same_rows_give_the_same_map(drawn: Projection) -> None:
    again = Projector().project(clusters(200))
    assert again.places.tobytes() == drawn.places.tobytes()
    assert again.trustworthiness == drawn.trustworthiness


def test_other_libraries_get_their_threads_back() -> None:
    before = [one["num_threads"] for one in threadpool_info()]
    Projector().project(clusters(20))
    assert [one["num_threads"] for one in threadpool_info()][: len(before)] == before


@settings(max_examples=25)
@given(
    count=st.integers(1, 40),
    dim=st.integers(1, 8),
    copies=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_rows_fill_the_unit_square(count: int, dim: int, copies: bool, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(1 if copies else count, dim))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    projection = Projector().project(np.repeat(rows, count if copies else 1, 0).astype(np.float32))
    places = projection.places
    assert places.shape == (count, 2)
    assert places.dtype == np.float32
    assert np.isfinite(places).all()
    assert places.min() >= -1e-6
    assert places.max() <= 1 + 1e-6


@settings(max_examples=20)
@given(count=st.integers(25, 90), seed=st.integers(0, 99))
def test_trustworthiness_is_what_scikit_learn_computes(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 6)).astype(np.float32)
    places = rng.normal(size=(count, 2)).astype(np.float32)
    expected = reference_trustworthiness(vectors, places, n_neighbors=12)
    assert trustworthiness(vectors, places) == pytest.approx(expected, abs=1e-4)


def test_trustworthiness_of_many_is_that_of_all_blocks() -> None:
    vectors, places = clusters(1100), clusters(1100, dim=2, seed=4)
    expected = reference_trustworthiness(vectors, places, n_neighbors=12)
    assert trustworthiness(vectors, places) == pytest.approx(expected, abs=1e-4)


def test_too_few_points_have_no_trustworthiness() -> None:
    assert Projector().project(clusters(24)).trustworthiness is None


def test_leading_directions_are_those_of_greatest_variance() -> None:
    vectors = clusters(60, dim=7)
    found = leading_directions(vectors, 10)
    assert found.shape == (60, 10)
    assert not found[:, 7:].any()
    centred = vectors - vectors.mean(axis=0)
    strengths = np.linalg.svd(centred, compute_uv=False)
    assert np.linalg.norm(found[:, :7], axis=0) == pytest.approx(strengths, rel=1e-4)
    # The arbitrary signs are settled: a mirrored order of the same rows changes nothing.
    assert leading_directions(vectors[::-1], 10)[::-1] == pytest.approx(found, abs=1e-6)


def test_another_procedure_has_another_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Projector().digest
    monkeypatch.setattr("indexer.projection._ITERATIONS", 250)
    assert Projector().digest != before

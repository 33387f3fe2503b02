import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.store.shortening import Shortening


def unit_rows(rng: np.random.Generator, count: int, dim: int, fading: float) -> np.ndarray:
    """Unit vectors that vary less and less from direction to direction, turned at random."""
    turned = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    rows = (rng.normal(size=(count, dim)) * np.arange(1, dim + 1) ** -fading) @ turned
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    dim=st.integers(2, 200),
    fading=st.floats(0, 2),
    share=st.floats(0.01, 1),
)
def test_stand_ins_never_score_less_than_what_they_stand_for(
    seed: int, dim: int, fading: float, share: float
) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit_rows(rng, 60, dim, fading)
    # Vectors that it has not seen, among them such as lie beside all directions.
    others = np.concatenate([vectors[:20], unit_rows(rng, 20, dim, 0), vectors[:5] * 3])
    short = Shortening.fit(vectors, share)
    true = others.astype(np.float64) @ vectors.T.astype(np.float64)
    at_most = short.apply(others).astype(np.float64) @ short.apply(vectors).T.astype(np.float64)
    assert (at_most >= true - 1e-4).all()
    assert np.linalg.norm(short.apply(others), axis=1) == pytest.approx(
        np.linalg.norm(others, axis=1), rel=1e-5
    )


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.01, 0.99))
def test_as_much_is_kept_as_was_asked_for(seed: int, share: float) -> None:
    vectors = unit_rows(np.random.default_rng(seed), 400, 96, 0.5)
    short = Shortening.fit(vectors, share)
    kept = (vectors @ short.directions.T) ** 2
    assert kept.sum() / len(vectors) >= share - 1e-5
    assert short.width % 16 == 0
    if short.width > 32:
        # The next narrower would keep too little.
        assert kept[:, : short.width - 17].sum() / len(vectors) < share


def test_where_every_direction_counts_nothing_is_lost() -> None:
    vectors = unit_rows(np.random.default_rng(0), 4000, 40, 0)
    short = Shortening.fit(vectors)
    assert short.directions.shape == (40, 40)
    assert short.width == 48
    scores = short.apply(vectors[:50]) @ short.apply(vectors[50:]).T
    assert scores == pytest.approx(vectors[:50] @ vectors[50:].T, abs=1e-5)

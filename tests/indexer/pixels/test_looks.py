import numpy as np
import pytest

from indexer.pixels.looks import Looks, look_at


def grey(seed: int, px: int = 64) -> np.ndarray:
    """A soft bright disc on black: the same kind of picture for every seed."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:px, :px] / px - rng.uniform(0.45, 0.55, (2, 1, 1))
    disc = 220 * np.exp(-((x**2 + y**2) / rng.uniform(0.05, 0.07)))
    noisy = np.clip(disc + rng.normal(0, 4, (px, px)), 0, 255).astype(np.uint8)
    return np.repeat(noisy[..., np.newaxis], 3, axis=2)


SAMPLE = np.array([look_at(grey(seed)) for seed in range(40)])


def test_a_look_is_finite_for_any_picture_and_size() -> None:
    for picture in (
        np.zeros((1, 1, 3), np.uint8),
        np.full((300, 20, 3), 255, np.uint8),
        np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8),
    ):
        look = look_at(picture)
        assert look.shape == (18,)
        assert np.isfinite(look).all()


def test_pictures_of_the_same_kind_lie_near_and_others_far() -> None:
    looks = Looks(SAMPLE)
    [alike] = looks.distances(look_at(grey(99))[np.newaxis])
    coloured = grey(99).copy()
    coloured[..., 0] = 255 - coloured[..., 0]
    others = [
        np.zeros((64, 64, 3), np.uint8),
        np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8),
        coloured,
        255 - grey(99),
    ]
    apart = looks.distances(np.array([look_at(picture) for picture in others]))
    assert (apart > 2 * alike).all()


def test_what_is_excluded_does_not_count() -> None:
    looks = Looks(SAMPLE)
    nobody = np.zeros((1, 40), np.bool_)
    [near] = looks.distances(SAMPLE[:1], nobody)
    assert near == looks.distances(SAMPLE[:1])[0]
    without = nobody.copy()
    without[0, :20] = True
    assert looks.distances(SAMPLE[:1], without)[0] > near
    assert looks.distances(SAMPLE[:1], ~nobody)[0] == np.inf


def test_one_picture_is_sample_enough() -> None:
    looks = Looks(SAMPLE[:1])
    assert looks.distances(SAMPLE[:1])[0] == pytest.approx(0, abs=1e-6)
    assert looks.distances(SAMPLE[1:2])[0] > 0

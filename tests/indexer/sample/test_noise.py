import numpy as np
import pytest

from indexer.sample.noise import cloud_noise, speckle, to_pixels, white_noise


def test_white_noise_has_mean_nought_and_deviation_one():
    noise = white_noise(np.random.default_rng(1), (300, 300))
    assert noise.dtype == np.float32
    assert noise.mean() == pytest.approx(0, abs=0.01)
    assert noise.std() == pytest.approx(1, abs=0.01)


def test_clouds_are_smooth_and_white_noise_is_not():
    def roughness(values):
        return np.abs(np.diff(values, axis=1)).mean()

    clouds = cloud_noise(np.random.default_rng(1), (128, 160), 6)
    assert clouds.shape == (128, 160)
    assert 0.6 < clouds.std() < 1.4
    assert roughness(clouds) < roughness(white_noise(np.random.default_rng(1), (128, 160))) / 5


def test_speckle_is_never_negative():
    grains = speckle(np.random.default_rng(2), (100, 100), 40)
    assert grains.min() >= 0
    assert 0.7 < grains.mean() < 1.3


def test_grey_levels_are_rounded_and_clipped():
    levels = to_pixels(np.float32([[-1, 0, 0.5, 1, 2]]))
    assert levels.tolist() == [[0, 0, 128, 255, 255]]

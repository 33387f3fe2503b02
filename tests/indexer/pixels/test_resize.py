import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from indexer.encoders.spec import Resize
from indexer.pixels.resize import (
    as_rgb,
    compute_fingerprint,
    encode_thumbnail,
    fingerprint_distance,
    resize_square,
)

WIDE = np.zeros((100, 200), np.uint8)
WIDE[:, 50:150] = 255


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(["letterbox", "squash", "shortest_crop"]),
)
def test_every_size_becomes_the_square(height: int, width: int, resize: Resize) -> None:
    for shape in ((height, width), (height, width, 3)):
        square = resize_square(np.full(shape, 200, np.uint8), 16, resize)
        assert square.shape == (16, 16, 3)
        assert square.dtype == np.uint8
        assert (square.max(axis=(0, 1)) == 200).all()


def test_letterbox_keeps_everything_and_pads_with_black() -> None:
    square = resize_square(WIDE, 40, "letterbox")[..., 0]
    assert (square[:9] == 0).all()
    assert (square[-9:] == 0).all()
    assert (square[20, :8] == 0).all()
    assert (square[20, 12:28] == 255).all()


def test_squash_fills_the_square() -> None:
    square = resize_square(WIDE, 40, "squash")[..., 0]
    assert (square[0, 12:28] == 255).all()
    assert (square[:, :8] == 0).all()


def test_crop_keeps_the_middle() -> None:
    assert (resize_square(WIDE, 40, "shortest_crop")[:, 1:-1] == 255).all()


def test_grey_and_its_rgb_give_the_same() -> None:
    for resize in ("letterbox", "squash", "shortest_crop"):
        np.testing.assert_array_equal(
            resize_square(WIDE, 33, resize),  # type: ignore[arg-type]
            resize_square(as_rgb(WIDE), 33, resize),  # type: ignore[arg-type]
        )


def test_fine_detail_is_averaged_not_skipped() -> None:
    stripes = np.zeros((224, 224), np.uint8)
    stripes[:, ::2] = 255
    assert abs(float(resize_square(stripes, 16, "squash").mean()) - 127.5) < 2


@pytest.mark.parametrize(("shape", "size"), [((512, 300), (150, 256)), ((30, 40), (40, 30))])
def test_thumbnails_keep_the_aspect_ratio_and_are_never_enlarged(
    shape: tuple[int, int], size: tuple[int, int]
) -> None:
    image = Image.open(io.BytesIO(encode_thumbnail(np.zeros(shape, np.uint8))))
    assert image.size == size
    assert image.mode == "L"
    assert not image.getexif()
    assert image.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_thumbnails_and_fingerprints_are_deterministic() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    assert encode_thumbnail(noise) == encode_thumbnail(noise.copy())
    assert compute_fingerprint(noise) == compute_fingerprint(noise.copy())


def _scene(seed: int) -> np.ndarray[Any, Any]:
    coarse = np.random.default_rng(seed).integers(0, 256, (12, 12), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((300, 300), Image.Resampling.BICUBIC))


def test_fingerprints_tell_near_copies_from_other_images() -> None:
    scene = _scene(1)
    smaller = np.asarray(Image.fromarray(scene).resize((128, 128), Image.Resampling.BICUBIC))
    as_jpeg = np.asarray(Image.open(io.BytesIO(encode_thumbnail(scene))))
    brighter = np.clip(scene.astype(int) * 0.8 + 30, 0, 255).astype(np.uint8)
    original = compute_fingerprint(scene)
    assert len(original) == 32
    for copy in (smaller, as_jpeg, brighter, as_rgb(scene)):
        assert fingerprint_distance(original, compute_fingerprint(copy)) <= 16
    others = [fingerprint_distance(original, compute_fingerprint(_scene(n))) for n in range(2, 12)]
    assert min(others) >= 80


def test_distance_counts_bits() -> None:
    assert fingerprint_distance(b"\xff\0", b"\x0f\1") == 5
    assert fingerprint_distance(b"ab", b"ab") == 0

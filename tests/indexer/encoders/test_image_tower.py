from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from indexer.encoders.catalogue import get_spec
from indexer.encoders.image_tower import (
    FULL_ROWS,
    ImageTower,
    SquareImageEncoder,
    image_probes,
    try_row_counts,
)
from indexer.encoders.spec import Fingerprint, ImageInput

PX = 8
FINGERPRINT = Fingerprint(
    key="x", revision="", dim=384, weights_sha256="", tokenizer_sha256=None, preprocessing="",
    dtype="float32",
)  # fmt: skip


def means(pixels: Tensor) -> Tensor:
    return pixels.float().mean(dim=(1, 2))


def tower_of(forward: Callable[[Tensor], Tensor], *counts: int) -> ImageTower:
    shape = ImageInput(px=PX, resize="squash")
    tower = ImageTower(device="cpu", image_input=shape, forward=forward)
    return tower if not counts else ImageTower(
        device="cpu", image_input=shape, forward=forward, row_counts=counts
    )  # fmt: skip


@pytest.mark.parametrize("total", [0, 1, 3, 4, 5, 8, 9, 17])
def test_batches_are_filled_up_to_allowed_sizes(total: int) -> None:
    seen: list[int] = []

    def forward(pixels: Tensor) -> Tensor:
        seen.append(len(pixels))
        return means(pixels)

    pixels = image_probes(PX, max(total, 1))[:total]
    embedded = tower_of(forward, 2, 8).embed(pixels, 3)
    assert set(seen) <= {2, 8}
    assert seen[:-1] == [8] * (len(seen) - 1)
    np.testing.assert_array_equal(embedded, pixels.astype(np.float32).mean(axis=(1, 2)))


def test_batch_sizes_are_those_that_agree_with_a_full_batch() -> None:
    def forward(pixels: Tensor) -> Tensor:
        return means(pixels) + (0.5 if len(pixels) < 4 else 0.0)

    assert try_row_counts(tower_of(forward), 3).row_counts == (4, 8, 16, FULL_ROWS)
    assert try_row_counts(tower_of(means), 3).row_counts[0] == 1


def test_a_tower_of_one_batch_size_only_keeps_that() -> None:
    def forward(pixels: Tensor) -> Tensor:
        return means(pixels) + len(pixels)

    assert try_row_counts(tower_of(forward), 3).row_counts == (FULL_ROWS,)


def test_probes_are_pictures_that_differ_and_stay_the_same() -> None:
    probes = image_probes(20, 4)
    assert probes.shape == (4, 20, 20, 3)
    assert probes.dtype == np.uint8
    assert len({probe.tobytes() for probe in probes}) == 4
    np.testing.assert_array_equal(probes, image_probes(20, 4))


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((2, PX, PX, 3), np.float32),
        np.zeros((2, PX, PX + 1, 3), np.uint8),
        np.zeros((2, PX, PX), np.uint8),
        np.zeros((PX, PX, 3), np.uint8),
        np.zeros((2, 3, PX, PX), np.uint8),
    ],
)
def test_pixels_of_another_shape_or_type_are_refused(pixels: np.ndarray) -> None:
    encoder = SquareImageEncoder(
        spec=get_spec("builtin"), image_fingerprint=FINGERPRINT, tower=tower_of(means)
    )
    with pytest.raises(ValueError, match=r"uint8 \(n, 8, 8, 3\)"):
        encoder.encode_images(pixels)


def test_a_dark_image_gives_a_finite_row() -> None:
    def forward(pixels: Tensor) -> Tensor:
        return torch.zeros(len(pixels), 384)

    encoder = SquareImageEncoder(
        spec=get_spec("builtin"), image_fingerprint=FINGERPRINT, tower=tower_of(forward)
    )
    assert np.isfinite(encoder.encode_images(np.zeros((1, PX, PX, 3), np.uint8))).all()

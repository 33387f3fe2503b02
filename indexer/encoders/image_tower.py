"""An image encoder over any tower: checks, batches and unit rows, the same for all models."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from indexer.encoders.device import use_one_thread
from indexer.encoders.spec import EncoderSpec, Fingerprint, ImageInput
from indexer.encoders.text_tower import unit_rows

if TYPE_CHECKING:
    from torch import Tensor

    from indexer.encoders.base import Embeddings, PixelBatch

FULL_ROWS = 32
"""Images in one batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTower:
    """A loaded image model.

    `forward` embeds normalised pixels, uint8 (n, px, px, 3) on its device, to (n, dim).
    `row_counts` are the batch sizes that may be computed, ascending; a smaller batch is filled up
    with black images to the next of them. On CPU they are sizes that give equal results.
    """

    device: str
    image_input: ImageInput
    forward: "Callable[[Tensor], Tensor]" = field(repr=False)
    row_counts: tuple[int, ...] = tuple(range(1, FULL_ROWS + 1))

    def embed(self, pixels: "PixelBatch", dim: int) -> "Embeddings":
        """Embed uint8 (n, px, px, 3), each image independently of the others: float32 (n, dim)."""
        use_one_thread(self.device)
        embeddings = np.zeros((len(pixels), dim), dtype=np.float32)
        for start, count in self._plan(len(pixels)):
            chosen = pixels[start : start + count]
            embeddings[start : start + len(chosen)] = self._embed_batch(chosen, count)
        return embeddings

    def _plan(self, total: int) -> Iterator[tuple[int, int]]:
        """Yield the start of each batch and the number of rows to compute it with."""
        full = self.row_counts[-1]
        for start in range(0, total, full):
            left = min(full, total - start)
            yield start, next(count for count in self.row_counts if count >= left)

    def _embed_batch(self, pixels: "PixelBatch", count: int) -> "Embeddings":
        import torch

        filled = np.zeros((count, *pixels.shape[1:]), dtype=np.uint8)
        filled[: len(pixels)] = pixels
        with torch.inference_mode():
            embedded = self.forward(torch.from_numpy(filled).to(self.device))
        return np.asarray(embedded.float().cpu().numpy()[: len(pixels)], dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class SquareImageEncoder:
    """Embeds prepared squares of pixels by one tower: an `ImageEncoder`."""

    spec: EncoderSpec
    image_fingerprint: Fingerprint
    tower: ImageTower = field(repr=False)

    @property
    def image_input(self) -> ImageInput:
        """The size and manner of resizing that the tower expects."""
        return self.tower.image_input

    def encode_images(self, pixels: "PixelBatch") -> "Embeddings":
        """Return float32 (n, dim) with unit rows for uint8 (n, px, px, 3); none give (0, dim).

        Raises
        ------
        ValueError
            The array is not uint8 or not of the shape that `image_input` asks for.
        """
        px = self.image_input.px
        if pixels.dtype != np.uint8 or pixels.shape[1:] != (px, px, 3):
            message = f"pixels must be uint8 (n, {px}, {px}, 3), not {pixels.dtype} {pixels.shape}"
            raise ValueError(message)
        return unit_rows(self.tower.embed(pixels, self.spec.dim))


def image_probes(px: int, count: int = FULL_ROWS) -> "PixelBatch":
    """Return smooth random pictures by which a tower is tried out: uint8 (count, px, px, 3)."""
    generator = np.random.default_rng(0)
    cells = 8
    coarse = generator.integers(0, 256, (count, cells, cells, 3), dtype=np.uint8)
    places = np.arange(px) * cells // px
    return np.ascontiguousarray(coarse[:, places][:, :, places])


def try_row_counts(tower: ImageTower, dim: int) -> ImageTower:
    """Return the tower with the batch sizes 1, 2, 4 ... `FULL_ROWS` that agree bit for bit on CPU.

    A small batch size makes a single query quick, but convolution libraries choose other kernels
    for small batches: sizes whose results differ from the full batch's are left out.
    """
    if not tower.device.startswith("cpu"):
        return tower
    pixels = image_probes(tower.image_input.px)
    agreeing = [FULL_ROWS]
    expected = replace(tower, row_counts=(FULL_ROWS,)).embed(pixels, dim)
    while agreeing[0] > 1:
        count = agreeing[0] // 2
        found = replace(tower, row_counts=(count,)).embed(pixels[:count], dim)
        if not np.array_equal(found, expected[:count]):
            break
        agreeing.insert(0, count)
    return replace(tower, row_counts=tuple(agreeing))

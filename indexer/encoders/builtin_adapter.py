"""The built-in encoder: the project's own image tower beside MiniLM, in MiniLM's space."""

from typing import TYPE_CHECKING, Any

from indexer.encoders.device import settle_precision
from indexer.encoders.digests import file_sha256
from indexer.encoders.dual import DualEncoder
from indexer.encoders.folding import fold_batch_norms
from indexer.encoders.image_tower import (
    ImageTower,
    SquareImageEncoder,
    image_probes,
    try_row_counts,
)
from indexer.encoders.minilm import load_minilm
from indexer.encoders.pixel_input import PixelInput
from indexer.encoders.spec import Fingerprint, ImageInput
from indexer.encoders.steady import padded_products
from indexer.encoders.text_tower import unit_rows
from indexer.encoders.versions import library_versions
from indexer.encoders.weights import require_dim
from indexer.errors import EncoderError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from indexer.encoders.base import Embeddings
    from indexer.encoders.builtin.config import TowerConfig
    from indexer.encoders.device import Precision
    from indexer.encoders.spec import EncoderSpec

_PROBE_IMAGES = 8


def load_builtin(
    spec: "EncoderSpec",
    folder: "Path | None" = None,
    *,
    device: str,
    precision: "Precision | None" = None,
) -> DualEncoder:
    """Load the image tower from `folder` (the package's own if None) and MiniLM for texts.

    The text fingerprint is MiniLM's own, so that fields embedded by `minilm` and by this encoder
    are searched with one query embedding.

    Raises
    ------
    EncoderUnavailableError
        MiniLM or the tower's weights are not on this machine.
    EncoderError
        A file is damaged, or the tower was trained into another space.
    """
    from indexer.encoders.builtin.config import read_tower_config, weights_folder
    from indexer.encoders.builtin.tower import WEIGHTS_NAME

    place = folder or weights_folder()
    config = read_tower_config(place)
    _require_space(config, spec)
    text = load_minilm(spec, device=device, precision=precision)
    pixels = PixelInput(
        image_input=ImageInput(px=config.px, resize=config.resize),
        mean=config.mean,
        std=config.std,
    )

    def embed_probes(network: Any) -> "Embeddings":
        tower = _tower_of(network, pixels, device)
        return unit_rows(tower.embed(image_probes(config.px, _PROBE_IMAGES), spec.dim))

    network, settled = settle_precision(
        lambda: _load_network(place, pixels).to(device),
        lambda network: network.bfloat16(),
        embed_probes,
        device=device,
        requested=precision,
    )
    fingerprint = _fingerprint(spec, config, pixels, file_sha256(place / WEIGHTS_NAME), settled)
    image = SquareImageEncoder(
        spec=spec,
        image_fingerprint=fingerprint,
        tower=try_row_counts(_tower_of(network, pixels, device), spec.dim),
    )
    return DualEncoder(spec=spec, text=text, image=image)


def _require_space(config: "TowerConfig", spec: "EncoderSpec") -> None:
    from indexer.encoders.builtin.config import TEXT_SPACE

    require_dim(config.dim, spec)
    if config.text_space != TEXT_SPACE:
        raise EncoderError(
            f"The image tower was trained into the space of {config.text_space}, not {TEXT_SPACE}.",
            remedy="Train it anew with `medsearch encoder train`.",
        )


def _load_network(folder: "Path", pixels: PixelInput) -> Any:
    """Load the network, in the memory layout that convolutions prefer, batch norms folded in."""
    import torch

    from indexer.encoders.builtin.tower import load_image_tower

    network, _ = load_image_tower(folder)
    probes = torch.from_numpy(image_probes(pixels.image_input.px, 1))
    folded = fold_batch_norms(network, pixels.normaliser("cpu", torch.float32)(probes))
    return folded.to(memory_format=torch.channels_last)


def _tower_of(network: Any, pixels: PixelInput, device: str) -> ImageTower:
    normalise = pixels.normaliser(device, next(network.parameters()).dtype)

    def forward(images: "Tensor") -> "Tensor":
        with padded_products(device):
            embedded: Tensor = network(normalise(images))
        return embedded

    return ImageTower(device=device, image_input=pixels.image_input, forward=forward)


def _fingerprint(
    spec: "EncoderSpec",
    config: "TowerConfig",
    pixels: PixelInput,
    weights_sha256: str,
    precision: "Precision",
) -> Fingerprint:
    return Fingerprint(
        key=spec.key,
        revision=config.revision,
        dim=config.dim,
        weights_sha256=weights_sha256,
        tokenizer_sha256=None,
        preprocessing=f"{pixels.describe()}; unit",
        dtype=precision,
        versions=library_versions("timm"),
    )

"""How a model with two towers becomes an encoder: precision, batching, fingerprints."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from indexer.encoders.device import settle_precision
from indexer.encoders.dual import DualEncoder
from indexer.encoders.image_tower import ImageTower, SquareImageEncoder, image_probes
from indexer.encoders.spec import EncoderSpec, Fingerprint
from indexer.encoders.steady import try_batching
from indexer.encoders.text_tower import (
    TEXT_PROBES,
    TextTower,
    WindowedTextEncoder,
    embed_texts,
    unit_rows,
)
from indexer.encoders.versions import library_versions

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from indexer.encoders.base import Embeddings
    from indexer.encoders.device import Precision

_PROBE_IMAGES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerPair:
    """Both towers of one loaded model."""

    text: TextTower
    image: ImageTower


@dataclass(frozen=True, slots=True, kw_only=True)
class DualParts:
    """What a family knows about a model: how to load it, its towers, its digests.

    `load` gives the model in float32 on its device; `towers_of` is asked again after the model was
    turned into bfloat16.
    """

    load: "Callable[[], torch.nn.Module]"
    towers_of: "Callable[[torch.nn.Module], TowerPair]"
    describe_pixels: "Callable[[torch.nn.Module], str]"
    weights_sha256: str
    tokenizer_sha256: str
    libraries: tuple[str, ...]


def load_dual(
    spec: EncoderSpec, parts: DualParts, *, device: str, precision: "Precision | None"
) -> DualEncoder:
    """Load a model of two towers; both compute in one arithmetic.

    On CPU each image is computed alone: a large tower gains nothing by batches (197 and more rows a
    picture fill the core), and so its embeddings do not depend on them.

    Raises
    ------
    EncoderError
        The model cannot be loaded, or does not give what the entry states.
    """

    def embed_probes(model: "torch.nn.Module") -> "Embeddings":
        towers = parts.towers_of(model)
        images = image_probes(towers.image.image_input.px, _PROBE_IMAGES)
        embedded = unit_rows(towers.image.embed(images, spec.dim))
        return np.concatenate([embed_texts(towers.text, TEXT_PROBES, spec.dim), embedded])

    model, settled = settle_precision(
        parts.load,
        lambda model: model.bfloat16(),
        embed_probes,
        device=device,
        requested=precision,
    )
    towers = parts.towers_of(model)
    text = try_batching(towers.text, spec.dim)
    image = replace(towers.image, row_counts=(1,)) if device.startswith("cpu") else towers.image
    common = Fingerprint(
        key=spec.key,
        revision=spec.revision,
        dim=spec.dim,
        weights_sha256=parts.weights_sha256,
        tokenizer_sha256=parts.tokenizer_sha256,
        preprocessing=f"windows of {text.max_tokens} tokens, equal, mean of unit rows; unit",
        dtype=settled,
        versions=library_versions(*parts.libraries),
    )
    seen = replace(
        common,
        tokenizer_sha256=None,
        preprocessing=f"{parts.describe_pixels(model)}; unit",
    )
    return DualEncoder(
        spec=spec,
        text=WindowedTextEncoder(
            spec=spec, text_fingerprint=common, towers={"query": text, "document": text}
        ),
        image=SquareImageEncoder(spec=spec, image_fingerprint=seen, tower=image),
    )

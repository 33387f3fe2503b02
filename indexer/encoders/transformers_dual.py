"""Encoders in transformers' CLIP and SigLIP format, from a folder: PubMedCLIP, MedSigLIP."""

from pickle import UnpicklingError  # raised by torch's restricted unpickler; nothing is unpickled
from typing import TYPE_CHECKING, Any, cast

from indexer.encoders.digests import files_sha256
from indexer.encoders.dual_loading import DualParts, TowerPair, load_dual
from indexer.encoders.hub_tokens import read_hub_tokens
from indexer.encoders.image_tower import ImageTower
from indexer.encoders.pixel_input import read_transformers_input
from indexer.encoders.quiet import quiet_transformers
from indexer.encoders.reasons import reason_of
from indexer.encoders.steady import padded_products
from indexer.encoders.text_tower import TextTower
from indexer.encoders.torchvision_shim import ensure_torchvision
from indexer.encoders.weights import INDEX_NAME, choose_weights, read_json, require_dim
from indexer.errors import EncoderError

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import Tensor

    from indexer.encoders.device import Precision
    from indexer.encoders.dual import DualEncoder
    from indexer.encoders.spec import EncoderSpec
    from indexer.encoders.tokens import TokenRules

WEIGHT_NAMES = ("model.safetensors", INDEX_NAME, "pytorch_model.bin")
MODEL_TYPES = ("clip", "siglip")


def embedding_dim(config: dict[str, Any]) -> int:
    """Return the dimension of a CLIP (its projection) or SigLIP model (its text tower's width)."""
    if config["model_type"] == "clip":
        return int(config.get("projection_dim", 512))
    return int(config["text_config"].get("projection_size") or config["text_config"]["hidden_size"])


def load_transformers(
    spec: "EncoderSpec", folder: "Path", *, device: str, precision: "Precision | None" = None
) -> "DualEncoder":
    """Load a CLIP or SigLIP model from a folder in transformers' format. No network.

    Raises
    ------
    EncoderError
        A file is missing or damaged, or the files do not belong together.
    """
    ensure_torchvision()
    config = read_json(folder / "config.json")
    if config.get("model_type") not in MODEL_TYPES:
        raise EncoderError(
            f"{folder.name}: a model of type {config.get('model_type')!r} cannot be used.",
            remedy=f"Known: {', '.join(MODEL_TYPES)}.",
        )
    require_dim(embedding_dim(config), spec)
    weights = choose_weights(folder, WEIGHT_NAMES)
    tokens = read_hub_tokens(folder)
    pixels = read_transformers_input(_read_processor(folder))

    def load() -> "torch.nn.Module":
        model = _read_model(folder, device)
        table = model.text_model.embeddings.token_embedding
        tokens.require_fitting(table.num_embeddings, folder)
        return cast("torch.nn.Module", model)

    def towers_of(model: "torch.nn.Module") -> TowerPair:
        dtype = next(model.parameters()).dtype
        normalise = pixels.normaliser(device, dtype)
        see: Any = model.get_image_features
        return TowerPair(
            text=_text_tower_of(model, tokens.rules, device),
            image=ImageTower(
                device=device,
                image_input=pixels.image_input,
                forward=lambda images: _pooled(see(pixel_values=normalise(images))),
            ),
        )

    parts = DualParts(
        load=load,
        towers_of=towers_of,
        describe_pixels=lambda _: pixels.describe(),
        weights_sha256=files_sha256(folder, (path.name for path in weights)),
        tokenizer_sha256=tokens.sha256,
        libraries=("transformers",),
    )
    return load_dual(spec, parts, device=device, precision=precision)


def _read_model(folder: "Path", device: str) -> Any:
    """Read the model in float32; a weight that is missing is an error, not a random number."""
    import torch
    from transformers import AutoModel

    try:
        with quiet_transformers():
            model, report = AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                dtype=torch.float32,
                output_loading_info=True,
            )
    except (RuntimeError, ValueError, KeyError, OSError, UnpicklingError) as error:
        raise EncoderError(
            f"{folder.name}: transformers cannot load it ({reason_of(error, folder)}).",
            remedy="Weights and configuration must be of one model; fetch it again.",
        ) from error
    missing = sorted(report["missing_keys"])
    if missing:
        raise EncoderError(
            f"{folder.name}: {len(missing)} weights are missing, {missing[0]!r} for one.",
            remedy="Fetch the model again, or give the folder that holds all of it.",
        )
    return model.eval().requires_grad_(requires_grad=False).to(device)


def _read_processor(folder: "Path") -> dict[str, Any]:
    """Read how images are prepared: an older file of its own, or a part of a newer one."""
    own = folder / "preprocessor_config.json"
    if own.is_file():
        return read_json(own)
    found = read_json(folder / "processor_config.json").get("image_processor")
    return found if isinstance(found, dict) else {}


def _text_tower_of(model: Any, rules: "TokenRules", device: str) -> TextTower:
    """Return the text tower: CLIP's is causal and ignores padding, SigLIP's sees it."""
    import torch

    causal = model.config.model_type == "clip"

    def forward(tokens: "Tensor", lengths: "Tensor") -> "Tensor":
        places = torch.arange(tokens.shape[1], device=tokens.device)
        mask = (places < lengths[:, None]).long() if causal else None
        with padded_products(device):
            return _pooled(model.get_text_features(input_ids=tokens, attention_mask=mask))

    return TextTower(
        device=device,
        max_tokens=int(model.config.text_config.max_position_embeddings),
        rules=rules,
        forward=forward,
        pads_fully=not causal,
    )


def _pooled(output: Any) -> "Tensor":
    """Return the projected embedding, which newer transformers wrap into an output object."""
    pooled: Tensor = getattr(output, "pooler_output", output)
    return pooled

"""Encoders in open_clip's format, from a folder: BiomedCLIP, CLIP, SigLIP and their tuned kin."""

from pathlib import Path
from pickle import UnpicklingError  # raised by torch's restricted unpickler; nothing is unpickled
from typing import TYPE_CHECKING, Any

from indexer.encoders.digests import file_sha256
from indexer.encoders.dual_loading import DualParts, TowerPair, load_dual
from indexer.encoders.image_tower import ImageTower
from indexer.encoders.open_clip_text import find_text_folder, read_clip_tokens, text_tower_of
from indexer.encoders.pixel_input import PixelInput, read_open_clip_input
from indexer.encoders.reasons import reason_of, shown
from indexer.encoders.torchvision_shim import ensure_torchvision
from indexer.encoders.weights import choose_weights, read_json, require_dim
from indexer.errors import EncoderError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from indexer.encoders.device import Precision
    from indexer.encoders.dual import DualEncoder
    from indexer.encoders.spec import EncoderSpec

CONFIG_NAME = "open_clip_config.json"

# The names, and the order of preference, of open_clip's own loader.
WEIGHT_NAMES = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
)


def read_model_config(folder: Path) -> dict[str, Any]:
    """Read the model's configuration from a folder in open_clip's format.

    Raises
    ------
    EncoderError
        The folder is in another format.
    """
    config = read_json(folder / CONFIG_NAME).get("model_cfg")
    if not isinstance(config, dict) or not {"embed_dim", "text_cfg", "vision_cfg"} <= config.keys():
        raise EncoderError(
            f"{shown(folder / CONFIG_NAME)}: it has no complete model_cfg.",
            remedy="Give a folder in open_clip's format.",
        )
    return config


def load_open_clip(
    spec: "EncoderSpec", folder: Path, *, device: str, precision: "Precision | None" = None
) -> "DualEncoder":
    """Load a model from a folder with `open_clip_config.json` and its weights. No network.

    Raises
    ------
    EncoderUnavailableError
        The configuration of its text tower is not on this machine.
    EncoderError
        A file is missing or damaged, or the files do not belong together.
    """
    ensure_torchvision()
    config = read_model_config(folder)
    require_dim(config["embed_dim"], spec)
    weights = choose_weights(folder, WEIGHT_NAMES)[0]
    text_folder = find_text_folder(spec, folder, config["text_cfg"])
    tokens = read_clip_tokens(folder, text_folder, config["text_cfg"])

    def load() -> "torch.nn.Module":
        model = _create_model(folder, config, text_folder, device)
        tokens.require_fitting(model, folder)
        return model

    def towers_of(model: "torch.nn.Module") -> TowerPair:
        return TowerPair(
            text=text_tower_of(model, tokens, device),
            image=_image_tower_of(model, _pixel_input_of(model), device),
        )

    parts = DualParts(
        load=load,
        towers_of=towers_of,
        describe_pixels=lambda model: _pixel_input_of(model).describe(),
        weights_sha256=file_sha256(weights),
        tokenizer_sha256=tokens.tokens.sha256,
        libraries=("open_clip_torch", "timm", "transformers"),
    )
    return load_dual(spec, parts, device=device, precision=precision)


def _create_model(
    folder: Path, config: dict[str, Any], text_folder: Path | None, device: str
) -> "torch.nn.Module":
    """Build the model and read its weights, all of them or none; no part is fetched."""
    import open_clip

    text_config = dict(config["text_cfg"])
    if text_folder is not None:
        text_config |= {"hf_model_name": str(text_folder), "hf_model_pretrained": False}
    try:
        model: torch.nn.Module = open_clip.create_model(
            f"local-dir:{folder}", text_cfg=text_config, device=device, weights_only=True
        )
    except (RuntimeError, ValueError, TypeError, KeyError, OSError, UnpicklingError) as error:
        raise EncoderError(
            f"{folder.name}: open_clip cannot load it ({reason_of(error, folder)}).",
            remedy="Weights and configuration must be of one model; fetch it again.",
        ) from error
    return model.eval().requires_grad_(requires_grad=False)


def _pixel_input_of(model: "torch.nn.Module") -> PixelInput:
    visual: Any = model.visual
    return read_open_clip_input(visual.preprocess_cfg)


def _image_tower_of(model: "torch.nn.Module", pixels: PixelInput, device: str) -> ImageTower:
    encode: Any = model.encode_image
    normalise = pixels.normaliser(device, next(model.parameters()).dtype)

    def forward(images: "Tensor") -> "Tensor":
        embedded: Tensor = encode(normalise(images))
        return embedded

    return ImageTower(device=device, image_input=pixels.image_input, forward=forward)

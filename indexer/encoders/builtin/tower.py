"""How the built-in tower's weights are read and written."""

import hashlib
import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.encoders.builtin.config import CONFIG_NAME, REMEDY, TowerConfig, read_tower_config
from indexer.errors import EncoderError, EncoderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from indexer.encoders.builtin.network import ImageTower

WEIGHTS_NAME = "image_tower.safetensors"
CARD_NAME = "MODEL_CARD.md"


def load_image_tower(folder: Path) -> "tuple[ImageTower, TowerConfig]":
    """Load a tower in float32, in evaluation mode, on the CPU, with its configuration.

    Raises
    ------
    EncoderUnavailableError
        One of its two files is not there.
    EncoderError
        A file is damaged, or weights and configuration do not belong together.
    """
    config = read_tower_config(folder)
    state = _read_weights(folder / WEIGHTS_NAME)
    from indexer.encoders.builtin.network import create_network

    try:
        tower = create_network(config)
        tower.load_state_dict({name: _widen(tensor) for name, tensor in state.items()}, strict=True)
    except RuntimeError as error:
        raise EncoderError(
            f"{folder}: the weights are not those of a {config.architecture!r} of {config.dim} "
            f"dimensions ({str(error).splitlines()[0]}).",
            remedy=REMEDY,
        ) from error
    return tower.eval().requires_grad_(requires_grad=False), config


def save_image_tower(
    folder: Path, state: "Mapping[str, torch.Tensor]", config: TowerConfig
) -> TowerConfig:
    """Write weights (floating point as float16) and configuration, each replaced atomically.

    Returns the configuration as written: its revision is the start of the weights' SHA-256.
    """
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    narrow = {name: _narrow(tensor) for name, tensor in sorted(state.items())}
    raw = save(narrow)
    written = replace(config, revision=hashlib.sha256(raw).hexdigest()[:16])
    replace_file(folder / WEIGHTS_NAME, raw)
    text = json.dumps(asdict(written), indent=2) + "\n"
    replace_file(folder / CONFIG_NAME, text.encode())
    return written


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def _read_weights(path: Path) -> "dict[str, torch.Tensor]":
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise EncoderUnavailableError(f"{path}: no such file.", remedy=REMEDY) from error
    except (OSError, SafetensorError) as error:
        raise EncoderError(
            f"{path}: not a readable safetensors file ({error}).", remedy=REMEDY
        ) from error


def _widen(tensor: "torch.Tensor") -> "torch.Tensor":
    return tensor.float() if tensor.is_floating_point() else tensor


def _narrow(tensor: "torch.Tensor") -> "torch.Tensor":
    narrow = tensor.half() if tensor.is_floating_point() else tensor
    return narrow.detach().cpu().contiguous()

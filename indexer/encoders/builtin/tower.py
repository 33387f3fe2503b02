"""Where the built-in tower's files lie, what they say, and how they are read and written."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from indexer.errors import EncoderError, EncoderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from indexer.encoders.builtin.network import ImageTower

WEIGHTS_NAME = "image_tower.safetensors"
CONFIG_NAME = "image_tower.json"
CARD_NAME = "MODEL_CARD.md"

TEXT_SPACE = "sentence-transformers/all-MiniLM-L6-v2@1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
"""The frozen text space that the tower is trained into."""

_REMEDY = "Restore the folder from the release, or make it anew with `medsearch encoder train`."


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerConfig:
    """What must be known to use a tower's weights.

    `architecture` is a timm name. Pixels are uint8 (px, px, 3), made by `resize` with an
    antialiased bicubic filter, divided by 255, then normalised by `mean` and `std` (RGB).
    `revision` is the beginning of the SHA-256 of the weights' file.
    """

    architecture: str
    px: int
    resize: Literal["letterbox", "squash"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    dim: int
    text_space: str
    revision: str
    licence: str


def weights_folder() -> Path:
    """Return the folder of the tower that medsearch brings along."""
    return Path(__file__).parent / "weights"


def read_tower_config(folder: Path) -> TowerConfig:
    """Read a tower's configuration; no weights are touched and nothing heavy is imported.

    Raises
    ------
    EncoderUnavailableError
        The folder or the file is not there.
    EncoderError
        The file is not JSON, lacks a field, has an unknown one, or one of the wrong type.
    """
    path = folder / CONFIG_NAME
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise EncoderUnavailableError(f"{path}: no such file.", remedy=_REMEDY) from error
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"{path}: not a readable JSON file ({error}).", remedy=_REMEDY
        ) from error
    return _parse_config(content, path)


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
            remedy=_REMEDY,
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
        raise EncoderUnavailableError(f"{path}: no such file.", remedy=_REMEDY) from error
    except (OSError, SafetensorError) as error:
        raise EncoderError(
            f"{path}: not a readable safetensors file ({error}).", remedy=_REMEDY
        ) from error


def _parse_config(content: object, path: Path) -> TowerConfig:
    known = {field.name for field in fields(TowerConfig)}
    given = set(content) if isinstance(content, dict) else set()
    if not isinstance(content, dict) or given != known:
        raise EncoderError(
            f"{path}: missing {sorted(known - given)}, unknown {sorted(given - known)}.",
            remedy=_REMEDY,
        )
    if not _well_typed(content):
        raise EncoderError(f"{path}: a field has a value of the wrong type.", remedy=_REMEDY)
    return TowerConfig(**{**content, "mean": tuple(content["mean"]), "std": tuple(content["std"])})


def _well_typed(content: "dict[str, Any]") -> bool:
    words = ("architecture", "text_space", "revision", "licence")
    return (
        all(isinstance(content[name], str) for name in words)
        and content["resize"] in ("letterbox", "squash")
        and all(type(content[name]) is int and content[name] > 0 for name in ("px", "dim"))
        and all(_is_colour(content[name]) for name in ("mean", "std"))
    )


def _is_colour(value: object) -> bool:
    channels = 3
    return (
        isinstance(value, list)
        and len(value) == channels
        and all(isinstance(part, int | float) for part in value)
    )


def _widen(tensor: "torch.Tensor") -> "torch.Tensor":
    return tensor.float() if tensor.is_floating_point() else tensor


def _narrow(tensor: "torch.Tensor") -> "torch.Tensor":
    narrow = tensor.half() if tensor.is_floating_point() else tensor
    return narrow.detach().cpu().contiguous()

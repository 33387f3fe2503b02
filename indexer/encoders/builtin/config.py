"""Where the built-in tower's files lie, and what its configuration says."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from indexer.errors import EncoderError, EncoderUnavailableError

CONFIG_NAME = "image_tower.json"

TEXT_SPACE = "sentence-transformers/all-MiniLM-L6-v2@1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
"""The frozen text space that the tower is trained into."""

REMEDY = "Restore the folder from the release, or make it anew with `medsearch encoder train`."
"""What to do about files that are missing or damaged."""


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
        raise EncoderUnavailableError(f"{path}: no such file.", remedy=REMEDY) from error
    except (OSError, ValueError) as error:
        raise EncoderError(f"{path}: not a readable JSON file ({error}).", remedy=REMEDY) from error
    return _parse_config(content, path)


def _parse_config(content: object, path: Path) -> TowerConfig:
    known = {field.name for field in fields(TowerConfig)}
    given = set(content) if isinstance(content, dict) else set()
    if not isinstance(content, dict) or given != known:
        raise EncoderError(
            f"{path}: missing {sorted(known - given)}, unknown {sorted(given - known)}.",
            remedy=REMEDY,
        )
    if not _well_typed(content):
        raise EncoderError(f"{path}: a field has a value of the wrong type.", remedy=REMEDY)
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

"""Weight files: which one to read, and whether it is whole, before anything parses it."""

import json
import warnings
from typing import TYPE_CHECKING, Any

from indexer.encoders.reasons import reason_of, shown
from indexer.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from indexer.encoders.spec import EncoderSpec

INDEX_NAME = "model.safetensors.index.json"


class PickledWeightsWarning(UserWarning):
    """Weights lie in a pickle; they are read with torch's restricted unpickler."""


def choose_weights(folder: "Path", names: "Sequence[str]") -> "list[Path]":
    """Return the weight files to read: the first of `names` that is there, or all of its shards.

    The header of a safetensors file is checked against the file's length, so that a truncated
    download is told by name.

    Raises
    ------
    EncoderError
        There is none, or it is damaged.
    """
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise EncoderError(
            f"{folder.name}: none of the weight files {', '.join(names)} is there.",
            remedy="Fetch the model again, or give the folder that holds its weights.",
        )
    if found.name == INDEX_NAME:
        return [_whole(folder / name) for name in _shards(found)]
    if found.suffix == ".safetensors":
        return [_whole(found)]
    warnings.warn(
        f"{found.name} is a pickle: it is read with weights_only=True, which runs none of its "
        "code, but a safetensors file is to be preferred.",
        PickledWeightsWarning,
        stacklevel=2,
    )
    return [found]


def read_json(path: "Path") -> "dict[str, Any]":
    """Read a model's JSON file.

    Raises
    ------
    EncoderError
        It is missing, not JSON, or no object.
    """
    content = read_json_value(path, remedy="Fetch the model again.")
    if not isinstance(content, dict):
        raise EncoderError(f"{shown(path)}: no JSON object.", remedy="Fetch the model again.")
    return content


def read_json_value(path: "Path", remedy: str) -> Any:
    """Read a file that holds JSON of any shape.

    Raises
    ------
    EncoderError
        It is missing, or not JSON.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"{shown(path)}: cannot be read ({reason_of(error, path)}).", remedy=remedy
        ) from error


def require_all_weights(files: "Iterable[Path]", needed: "Iterable[str]") -> None:
    """Check that safetensors files hold every weight of a model, under its name or a longer one.

    Loaders of whole libraries only warn of a missing weight, and leave it random. Names may carry
    a prefix (`bert.`); old ones call a norm's weight and bias gamma and beta.

    Raises
    ------
    EncoderError
        A weight is missing.
    """
    from safetensors import safe_open

    held: set[str] = set()
    for path in files:
        if path.suffix != ".safetensors":
            return
        with safe_open(path, "pt") as content:
            for name in content.keys():  # noqa: SIM118  (not a mapping)
                held.update(_endings(_modern(name)))
    missing = [name for name in needed if name not in held]
    if missing:
        raise EncoderError(
            f"{len(missing)} weights are missing, {missing[0]!r} for one: they are not those of "
            "the model that the configuration describes.",
            remedy="Fetch the model again, or give the folder that holds all of it.",
        )


def require_dim(found: int, spec: "EncoderSpec") -> None:
    """Check the dimension of a loaded model against its entry.

    Raises
    ------
    EncoderError
        They differ.
    """
    if found != spec.dim:
        raise EncoderError(
            f"{spec.key!r}: the model gives {found} dimensions, {spec.dim} are expected.",
            remedy="This folder holds another model; fetch the right one, or give it another name.",
        )


def _whole(path: "Path") -> "Path":
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt"):
            return path
    except (OSError, SafetensorError) as error:
        raise EncoderError(
            f"{shown(path)}: not a whole safetensors file ({reason_of(error, path)}).",
            remedy="Fetch the model again.",
        ) from error


def _shards(index: "Path") -> list[str]:
    names = read_json(index).get("weight_map", {})
    return sorted(set(names.values()))


def _modern(name: str) -> str:
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )


def _endings(name: str) -> "Iterable[str]":
    parts = name.split(".")
    return (".".join(parts[start:]) for start in range(len(parts)))

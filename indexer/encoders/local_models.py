"""Where model folders lie on this machine. Looks; never downloads, and imports nothing heavy."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import EncoderUnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.encoders.spec import ModelSpec

MODELS_VARIABLE = "MEDSEARCH_MODELS"
"""Environment variable: a folder that holds one model folder for each key."""


def find_own_copy(key: str, environment: "Mapping[str, str]" = os.environ) -> Path | None:
    """Return the folder `$MEDSEARCH_MODELS/<key>` if there is one."""
    root = environment.get(MODELS_VARIABLE)
    folder = Path(root).expanduser() / key if root else None
    return folder if folder is not None and folder.is_dir() else None


def hub_cache_folder(environment: "Mapping[str, str]" = os.environ) -> Path:
    """Return where huggingface_hub keeps its files, by the same variables in the same order."""
    if cache := environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE"):
        return Path(cache).expanduser()
    home = environment.get("HF_HOME")
    base = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home or f"{base}/huggingface").expanduser() / "hub"


def find_snapshot(
    repository: str, revision: str, environment: "Mapping[str, str]" = os.environ
) -> Path | None:
    """Return the cached folder of a hub repository at a revision (commit or branch), if any.

    The layout is the hub cache's own: `models--<owner>--<name>/{refs,snapshots}`.
    """
    base = hub_cache_folder(environment) / ("models--" + repository.replace("/", "--"))
    reference = base / "refs" / revision
    commit = reference.read_text().strip() if reference.is_file() else revision
    folder = base / "snapshots" / commit
    return folder if folder.is_dir() else None


def find_model_folder(spec: "ModelSpec") -> Path | None:
    """Return the folder that holds a catalogue entry's model: an own copy, else the hub's cache."""
    repository = spec.model.removeprefix("hf-hub:")
    return find_own_copy(spec.key) or find_snapshot(repository, spec.revision)


def find_companion(spec: "ModelSpec", repository: str) -> Path | None:
    """Return the cached folder of a repository that a model needs besides its own, if any."""
    pinned = dict(companion.split("@", 1) for companion in spec.companions)
    return find_snapshot(repository, pinned.get(repository, "main"))


def unavailable(spec: "ModelSpec") -> EncoderUnavailableError:
    """Return the error for a model that is not on this machine: it says what to run."""
    kind, option = "encoder", "`--encoder FOLDER`, or "
    if spec.family == "cross_encoder":
        kind, option = "reranker", ""
    licence = f" It needs an accepted licence first: {spec.source}." if spec.gated else ""
    return EncoderUnavailableError(
        f"The {kind} {spec.key!r} ({spec.model}) is not on this machine.",
        remedy=(
            f"Run `medsearch encoders get {spec.key}` where the hub can be reached, or give a "
            f"folder that holds it: {option}${MODELS_VARIABLE}/{spec.key}.{licence}"
        ),
    )

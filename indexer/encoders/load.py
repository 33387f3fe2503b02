"""Load any encoder: by its catalogue key, from a folder, or by a hub name that is cached here."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.encoders.catalogue import CATALOGUE
from indexer.encoders.device import choose_device
from indexer.encoders.local_models import (
    MODELS_VARIABLE,
    find_companion,
    find_model_folder,
    find_own_copy,
    find_snapshot,
    unavailable,
)
from indexer.errors import EncoderUnavailableError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.encoders.base import TextEncoder
    from indexer.encoders.device import Precision
    from indexer.encoders.spec import EncoderSpec, TextRole

_FOLDER_PREFIX = "local-dir:"
_HUB_PREFIX = "hf-hub:"


def load_encoder(
    name: str, *, device: str | None = None, precision: "Precision | None" = None
) -> "TextEncoder":
    """Load an encoder; it never reaches for the network.

    `name` is a catalogue key, a folder (also `local-dir:FOLDER`), `hf-hub:OWNER/NAME` (or the name
    alone), or `MODEL:TAG` of open_clip's pretrained models, the last two if the hub's cache holds
    them. Every encoder has a text tower; one with an image tower is an `ImageEncoder` as well.
    `device` defaults to CUDA, else MPS, else CPU; `precision` to bfloat16 where the hardware has it
    and the model bears it.

    Raises
    ------
    UnknownNameError
        It is no key, no folder and no name of a model.
    EncoderUnavailableError
        The model is not on this machine; the remedy names the command that fetches it.
    EncoderError
        Its files are damaged or do not belong together, or the device cannot be used.
    """
    spec, folder = _locate(name)
    return _load(spec, folder, choose_device(device), precision)


def _load(
    spec: "EncoderSpec", folder: Path | None, device: str, precision: "Precision | None"
) -> "TextEncoder":
    if spec.key == "minilm":
        from indexer.encoders.minilm import load_minilm

        return load_minilm(spec, device=device, precision=precision)
    if spec.key == "e5-small-zh":
        from indexer.encoders.chinese_adapter import load_chinese

        return load_chinese(spec, folder, device=device, precision=precision)
    if spec.family == "builtin":
        from indexer.encoders.builtin_adapter import load_builtin

        return load_builtin(spec, folder, device=device, precision=precision)
    if spec.family == "medcpt":
        from indexer.encoders.sentence import load_medcpt

        return load_medcpt(spec, _medcpt_folders(spec, folder), device=device, precision=precision)
    if folder is None:
        raise unavailable(spec)
    if spec.family == "sentence":
        from indexer.encoders.sentence import load_sentence

        return load_sentence(spec, folder, device=device, precision=precision)
    if spec.family == "transformers":
        from indexer.encoders.transformers_dual import load_transformers

        return load_transformers(spec, folder, device=device, precision=precision)
    from indexer.encoders.open_clip import load_open_clip

    return load_open_clip(spec, folder, device=device, precision=precision)


def _locate(name: str) -> "tuple[EncoderSpec, Path | None]":
    """Return the entry that a name stands for and the folder of its model, if it is here."""
    from indexer.encoders.describe import LOCAL_PREFIX, describe_folder

    if name in CATALOGUE:
        spec = CATALOGUE[name]
        own = find_own_copy(name)
        return spec, own if spec.family == "builtin" else find_model_folder(spec)
    if name.startswith(LOCAL_PREFIX):
        folder = find_own_copy(name.removeprefix(LOCAL_PREFIX))
        return describe_folder(_present(folder, name), name), folder
    path = Path(name.removeprefix(_FOLDER_PREFIX)).expanduser()
    if path.is_dir() or name.startswith((_FOLDER_PREFIX, "/", ".", "~")):
        return describe_folder(_present(path if path.is_dir() else None, name)), path
    repository = _repository_of(name)
    if repository is None:
        raise UnknownNameError("encoder", name, CATALOGUE)
    folder = _present(find_snapshot(repository, "main"), name)
    spec = describe_folder(folder, name)
    return replace(spec, model=repository, revision=folder.name), folder


def _repository_of(name: str) -> str | None:
    """Return the hub repository that a name stands for, or None if it has not the form of one."""
    if name.startswith(_HUB_PREFIX):
        return name.removeprefix(_HUB_PREFIX)
    if name.count("/") == 1:
        return name
    if ":" not in name:
        return None
    from indexer.encoders.torchvision_shim import ensure_torchvision

    ensure_torchvision()
    from open_clip.pretrained import get_pretrained_cfg

    hub: str = get_pretrained_cfg(*name.split(":", 1)).get("hf_hub", "")
    return hub.rsplit("/", 1)[0] or None


def _present(folder: Path | None, name: str) -> Path:
    if folder is None:
        raise EncoderUnavailableError(
            f"There is no model folder for {name!r} on this machine.",
            remedy="Give an existing folder (`--encoder FOLDER`), put the model into "
            f"${MODELS_VARIABLE}/NAME and use local:NAME, or fetch it into the hub's cache "
            f"(`hf download OWNER/NAME`).",
        )
    return folder


def _medcpt_folders(spec: "EncoderSpec", folder: Path | None) -> "Mapping[TextRole, Path]":
    """Return MedCPT's two folders: beside each other in a copy, or two cached repositories."""
    from indexer.encoders.sentence import MEDCPT_FOLDERS

    if folder is not None and (folder / MEDCPT_FOLDERS["query"]).is_dir():
        return {role: folder / name for role, name in MEDCPT_FOLDERS.items()}
    articles = [find_companion(spec, entry.split("@")[0]) for entry in spec.companions]
    if folder is None or not articles or articles[0] is None:
        raise unavailable(spec)
    return {"query": folder, "document": articles[0]}

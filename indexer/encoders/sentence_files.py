"""What lies in a folder of sentence-transformers' format, read before anything is loaded."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from indexer.encoders.digests import files_sha256
from indexer.encoders.reasons import shown
from indexer.encoders.weights import INDEX_NAME, choose_weights, read_json, read_json_value
from indexer.errors import EncoderError

if TYPE_CHECKING:
    from pathlib import Path

MODULES_NAME = "modules.json"
WEIGHT_NAMES = ("model.safetensors", INDEX_NAME, "pytorch_model.bin")

# Modules that turn token embeddings into one vector. Others are refused: a module is named by an
# import path, and a folder must not choose what is imported.
_TRANSFORMER = "Transformer"
_WITH_WEIGHTS = ("Dense",)
_WITHOUT_WEIGHTS = ("Pooling", "Normalize")


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceFiles:
    """A model's folder: where its transformer lies, its weights, the digests of what shapes it.

    `weights` are the transformer's own weight files, `weights_sha256` covers every module's;
    `shape_sha256` covers the configurations that say how token embeddings become one vector.
    """

    folder: "Path"
    transformer: "Path"
    weights: "tuple[Path, ...]"
    weights_sha256: str
    shape_sha256: str


def read_sentence_files(folder: "Path") -> SentenceFiles:
    """Look through a folder with a `modules.json`.

    Raises
    ------
    EncoderError
        A file is missing or damaged, or a module is of an unknown kind.
    """
    modules = _read_modules(folder)
    transformer = folder / str(modules[0].get("path", ""))
    weights = choose_weights(transformer, WEIGHT_NAMES)
    held = [*weights]
    shaping = [folder / MODULES_NAME]
    for module in modules[1:]:
        place = folder / str(module.get("path", ""))
        if _kind(module) in _WITH_WEIGHTS:
            held += choose_weights(place, ("model.safetensors", "pytorch_model.bin"))
        if (place / "config.json").is_file() and place != transformer:
            shaping.append(place / "config.json")
    return SentenceFiles(
        folder=folder,
        transformer=transformer,
        weights=tuple(weights),
        weights_sha256=files_sha256(folder, _names(held, folder)),
        shape_sha256=files_sha256(folder, _names(shaping, folder)),
    )


def read_max_tokens(folder: "Path") -> int | None:
    """Return the sequence length that a folder's `sentence_bert_config.json` states, if any."""
    path = folder / "sentence_bert_config.json"
    length = read_json(path).get("max_seq_length") if path.is_file() else None
    return length if isinstance(length, int) else None


def read_dim(folder: "Path") -> int:
    """Return the dimension of a model's embeddings: its last dense layer's, else its transformer's.

    Raises
    ------
    EncoderError
        A configuration is missing or says nothing of it.
    """
    modules = _read_modules(folder)
    dim = read_json(folder / str(modules[0].get("path", "")) / "config.json").get("hidden_size")
    for module in modules[1:]:
        if _kind(module) in _WITH_WEIGHTS:
            config = read_json(folder / str(module.get("path", "")) / "config.json")
            dim = config.get("out_features")
    if not isinstance(dim, int):
        raise EncoderError(
            f"{folder.name}: its configuration states no dimension.", remedy="Use another encoder."
        )
    return dim


def read_prompts(folder: "Path") -> tuple[str, str]:
    """Return what a folder says to put before a query and before a document; empty if nothing."""
    path = folder / "config_sentence_transformers.json"
    prompts = read_json(path).get("prompts") if path.is_file() else None
    if not isinstance(prompts, dict):
        return "", ""
    document = prompts.get("document") or prompts.get("passage") or ""
    return str(prompts.get("query") or ""), str(document)


def _read_modules(folder: "Path") -> list[dict[str, Any]]:
    path = folder / MODULES_NAME
    modules = read_json_value(path, remedy="Give a folder in sentence-transformers' format.")
    kinds = [_kind(module) for module in modules] if isinstance(modules, list) else []
    known = {*_WITH_WEIGHTS, *_WITHOUT_WEIGHTS}
    if not kinds or kinds[0] != _TRANSFORMER or not known.issuperset(kinds[1:]):
        raise EncoderError(
            f"{shown(path)}: {kinds} are not a transformer followed by any of {sorted(known)}.",
            remedy="Use another encoder.",
        )
    return list(modules)


def _kind(module: object) -> str:
    """Return the class name of a module of sentence-transformers' own, or what was found."""
    path = str(module.get("type", "")) if isinstance(module, dict) else ""
    owner, _, name = path.rpartition(".")
    return name if owner.split(".")[0] == "sentence_transformers" else path


def _names(paths: "list[Path]", folder: "Path") -> list[str]:
    return [path.relative_to(folder).as_posix() for path in paths]

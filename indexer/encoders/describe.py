"""What a model folder is, read from its files: the entry of an encoder that no catalogue knows."""

from pathlib import Path
from typing import Any

from indexer.encoders.open_clip import CONFIG_NAME as OPEN_CLIP_CONFIG
from indexer.encoders.open_clip import read_model_config
from indexer.encoders.sentence import MEDCPT_FOLDERS
from indexer.encoders.sentence_files import (
    MODULES_NAME,
    read_dim,
    read_max_tokens,
    read_prompts,
)
from indexer.encoders.spec import EncoderSpec, Family
from indexer.encoders.transformers_dual import MODEL_TYPES, embedding_dim
from indexer.encoders.weights import read_json
from indexer.errors import EncoderError

LOCAL_PREFIX = "local:"

_DEFAULT_MAX_TOKENS = 512  # BERT's positions


def describe_folder(folder: Path, key: str | None = None) -> EncoderSpec:
    """Return the entry of the model in a folder; `key` defaults to `local:` and the folder's name.

    Recognised: open_clip's format, sentence-transformers', transformers' CLIP and SigLIP, MedCPT's
    two towers (`query/`, `article/`), and an image tower of medsearch's own. What a folder does not
    say (licence, languages) is assumed and named as unverified.

    Raises
    ------
    EncoderError
        It is none of these, or its configuration cannot be read.
    """
    folder = folder.resolve()
    shape = _shape(folder)
    return EncoderSpec(
        key=key or LOCAL_PREFIX + folder.name,
        model=folder.name,
        revision="local",
        languages=("en", "zh"),
        licence="unknown",
        source="local folder",
        description="A model from a folder of yours.",
        unverified=("languages", "licence", "contamination"),
        **shape,
    )


def _shape(folder: Path) -> dict[str, Any]:
    if (folder / OPEN_CLIP_CONFIG).is_file():
        return _open_clip(folder)
    if (folder / MODULES_NAME).is_file():
        return _sentence(folder)
    if all((folder / name).is_dir() for name in MEDCPT_FOLDERS.values()):
        return _medcpt(folder)
    if (folder / "image_tower.json").is_file():
        return _builtin(folder)
    if (folder / "config.json").is_file():
        return _transformers(folder)
    raise EncoderError(
        f"{folder.name}: no model of a known format.",
        remedy=f"A folder must hold {OPEN_CLIP_CONFIG} (open_clip), {MODULES_NAME} "
        "(sentence-transformers), config.json of a CLIP or SigLIP (transformers), or query/ and "
        "article/ (MedCPT), each with its weights and tokenizer.",
    )


def _open_clip(folder: Path) -> dict[str, Any]:
    config = read_model_config(folder)
    size = config["vision_cfg"].get("image_size", 224)
    return _both(
        "open_clip",
        dim=int(config["embed_dim"]),
        max_tokens=int(config["text_cfg"].get("context_length", 77)),
        image_px=size if isinstance(size, int) else size[0],
    )


def _sentence(folder: Path) -> dict[str, Any]:
    query_prefix, document_prefix = read_prompts(folder)
    return {
        **_text("sentence", read_dim(folder), read_max_tokens(folder) or _DEFAULT_MAX_TOKENS),
        "query_prefix": query_prefix,
        "document_prefix": document_prefix,
    }


def _medcpt(folder: Path) -> dict[str, Any]:
    config = read_json(folder / MEDCPT_FOLDERS["query"] / "config.json")
    return _text("medcpt", int(config["hidden_size"]), _DEFAULT_MAX_TOKENS)


def _builtin(folder: Path) -> dict[str, Any]:
    from indexer.encoders.builtin.config import read_tower_config

    config = read_tower_config(folder)
    return _both("builtin", dim=config.dim, max_tokens=256, image_px=config.px)


def _transformers(folder: Path) -> dict[str, Any]:
    config = read_json(folder / "config.json")
    if config.get("model_type") not in MODEL_TYPES:
        raise EncoderError(
            f"{folder.name}: its config.json is of a {config.get('model_type')!r} model, and there "
            f"is no {MODULES_NAME} that says how it embeds a text.",
            remedy="Save it with sentence-transformers first.",
        )
    return _both(
        "transformers",
        dim=embedding_dim(config),
        max_tokens=int(config["text_config"].get("max_position_embeddings", 77)),
        image_px=int(config["vision_config"].get("image_size", 224)),
    )


def _both(family: Family, *, dim: int, max_tokens: int, image_px: int) -> dict[str, Any]:
    return {
        "family": family,
        "dim": dim,
        "modalities": frozenset({"image", "text"}),
        "max_tokens": max_tokens,
        "image_px": image_px,
    }


def _text(family: Family, dim: int, max_tokens: int) -> dict[str, Any]:
    return {
        "family": family,
        "dim": dim,
        "modalities": frozenset({"text"}),
        "max_tokens": max_tokens,
        "image_px": None,
    }

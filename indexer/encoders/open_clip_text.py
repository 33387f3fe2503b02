"""The text half of a model in open_clip's format: its tokenizer and where its parts lie."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.encoders.digests import file_sha256
from indexer.encoders.hub_tokens import HubTokens, tokenizer_errors, tokenizer_files, tokens_of
from indexer.encoders.local_models import find_companion
from indexer.encoders.steady import padded_products
from indexer.encoders.text_tower import TextTower
from indexer.encoders.tokens import TokenRules
from indexer.encoders.weights import read_json
from indexer.errors import EncoderError, EncoderUnavailableError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from indexer.encoders.spec import EncoderSpec

TEXT_FOLDER = "text_tower"
"""Where an own copy keeps the files of a Hugging Face text tower: its config.json, if need be its
tokenizer."""

# open_clip's own tokenizer takes quadratic time in the length of a word; BERT's stops at 100 too.
_LONG_WORD = re.compile(r"(\S{100})(?=\S)")

_DEFAULT_CONTEXT_LENGTH = 77  # OpenAI's CLIP, and open_clip's default


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTokens:
    """A model's tokenizer and the length of its sequences."""

    tokens: HubTokens
    context_length: int

    def require_fitting(self, model: "torch.nn.Module", folder: Path) -> None:
        """Check that the tokenizer belongs to the model.

        Raises
        ------
        EncoderError
            It makes tokens that the model does not know, or pads with another token.
        """
        text: Any = getattr(model, "text", model)
        self.tokens.require_fitting(int(text.vocab_size), folder)
        expected = getattr(getattr(text, "config", None), "pad_token_id", None)
        if expected is not None and expected != self.tokens.rules.padding:
            raise EncoderError(
                f"{folder.name}: the tokenizer pads with token {self.tokens.rules.padding}, the "
                f"text tower with {expected}: they do not belong together.",
                remedy="Use the tokenizer files that were published with the model.",
            )


def find_text_folder(
    spec: "EncoderSpec", folder: Path, text_config: Mapping[str, Any]
) -> Path | None:
    """Return where the configuration of a Hugging Face text tower lies; None for other towers.

    Looked for in `text_tower/` beside the weights, then in the hub's cache: such a model names a
    second repository, of which an offline copy must hold the configuration.

    Raises
    ------
    EncoderUnavailableError
        It is in neither place.
    EncoderError
        It asks for code from its repository to be run.
    """
    name = text_config.get("hf_model_name")
    if not name:
        return None
    own = folder / TEXT_FOLDER
    found = own if (own / "config.json").is_file() else find_companion(spec, name)
    if found is None or not (found / "config.json").is_file():
        raise EncoderUnavailableError(
            f"The encoder {spec.key!r} needs the configuration of its text tower, {name}, which is "
            "not on this machine.",
            remedy=f"Run `medsearch encoders get {spec.key}` where the hub can be reached, or put "
            f"that repository's config.json into {TEXT_FOLDER}/ beside the weights.",
        )
    if "auto_map" in read_json(found / "config.json"):
        raise EncoderError(
            f"{name}: its configuration asks for code of its own to be run, which is refused.",
            remedy="Use another encoder.",
        )
    return found


def read_clip_tokens(
    folder: Path, text_folder: Path | None, text_config: Mapping[str, Any]
) -> ClipTokens:
    """Read the tokenizer: Hugging Face's from the model's folder, else open_clip's own.

    Raises
    ------
    EncoderError
        The tokenizer is missing, damaged, or asks for what is not supported.
    """
    length = int(text_config.get("context_length", _DEFAULT_CONTEXT_LENGTH))
    options = dict(text_config.get("tokenizer_kwargs") or {})
    if not text_config.get("hf_tokenizer_name"):
        return _read_own_tokens(length, options)
    if text_config.get("tokenizer_mode") or options.get("strip_sep_token"):
        raise EncoderError(
            f"{folder.name}: its way of placing special tokens is not supported.",
            remedy="Use another encoder.",
        )
    places = [place for place in (folder, text_folder) if place and tokenizer_files(place)]
    if not places:
        raise EncoderError(
            f"{folder.name}: it holds no tokenizer.", remedy="Fetch the model again, all of it."
        )
    return _read_hub_tokens(places[0], length, options)


def text_tower_of(model: "torch.nn.Module", tokens: ClipTokens, device: str) -> TextTower:
    """Return the text tower of a loaded model.

    Hugging Face towers mask their padding, so that a short sequence may stay short; open_clip's own
    were trained on full length, and some see the padding.
    """
    masked = hasattr(getattr(model, "text", None), "config")
    encode: Any = model.encode_text

    def forward(sequences: "Tensor", lengths: "Tensor") -> "Tensor":  # noqa: ARG001
        with padded_products(device):
            embedded: Tensor = encode(sequences)
        return embedded

    return TextTower(
        device=device,
        max_tokens=tokens.context_length,
        rules=tokens.tokens.rules,
        forward=forward,
        pads_fully=not masked,
    )


def _read_own_tokens(length: int, options: dict[str, Any]) -> ClipTokens:
    from open_clip.tokenizer import SimpleTokenizer, default_bpe

    tokenizer = SimpleTokenizer(context_length=length, **options)
    rules = TokenRules(
        tokenise=lambda text: list(tokenizer.encode(_LONG_WORD.sub(r"\1 ", text))),
        prefix=(tokenizer.sot_token_id,),
        suffix=(tokenizer.eot_token_id,),
        padding=0,
    )
    digest = file_sha256(Path(default_bpe()))
    found = HubTokens(rules=rules, size=tokenizer.vocab_size, sha256=digest)
    return ClipTokens(tokens=found, context_length=length)


def _read_hub_tokens(folder: Path, length: int, options: dict[str, Any]) -> ClipTokens:
    from open_clip.tokenizer import HFTokenizer

    with tokenizer_errors(folder):
        wrapper = HFTokenizer(str(folder), length, local_files_only=True, **options)
    found = tokens_of(wrapper.tokenizer, folder, clean=wrapper.clean_fn)
    return ClipTokens(tokens=found, context_length=length)

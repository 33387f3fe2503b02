"""A text encoder over any tower: roles, windows, batches and unit rows, the same for all models."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from indexer.encoders.device import use_one_thread
from indexer.encoders.windows import padded_length, plan_batches, split_windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from indexer.encoders.base import Embeddings
    from indexer.encoders.spec import EncoderSpec, Fingerprint, TextRole


class TextTower(Protocol):
    """A loaded text model with its tokenizer: what the families differ in."""

    @property
    def device(self) -> str:
        """Where it computes, as torch names it."""
        ...

    @property
    def max_tokens(self) -> int:
        """The longest sequence, special tokens included."""
        ...

    @property
    def prefix_tokens(self) -> "Sequence[int]":
        """Special tokens before every sequence."""
        ...

    @property
    def suffix_tokens(self) -> "Sequence[int]":
        """Special tokens after every sequence."""
        ...

    @property
    def padding_token(self) -> int:
        """What fills a short sequence."""
        ...

    @property
    def pads_fully(self) -> bool:
        """Whether its result depends on the padding, so that all must be padded to the limit."""
        ...

    def tokenise(self, text: str) -> "list[int]":
        """Return the text's tokens, without special ones and without a limit."""
        ...

    def embed(self, tokens: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]) -> "Embeddings":
        """Embed padded sequences int64 (n, length) of true `lengths` (n,): float32 (n, dim)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowedTextEncoder:
    """Embeds texts by one tower, or by one for each role (MedCPT): a `TextEncoder`.

    A text longer than the tower's limit is cut into equal windows, each is embedded, and their
    unit rows are averaged.
    """

    spec: "EncoderSpec"
    text_fingerprint: "Fingerprint"
    towers: "Mapping[TextRole, TextTower]" = field(repr=False)

    def encode_texts(self, texts: "Sequence[str]", role: "TextRole") -> "Embeddings":
        """Return float32 (n, dim) with unit rows, in the order given; no texts give (0, dim)."""
        tower = self.towers[role]
        prefix = self.spec.query_prefix if role == "query" else self.spec.document_prefix
        owners, windows = _cut([prefix + text for text in texts], tower)
        totals = np.zeros((len(texts), self.spec.dim), dtype=np.float64)
        np.add.at(totals, owners, unit_rows(_embed_windows(windows, tower, self.spec.dim)))
        return unit_rows(totals)


def unit_rows(vectors: npt.NDArray[np.floating]) -> "Embeddings":
    """Scale rows to length one, computed in float64: float32 (n, d). A zero row stays zero."""
    exact = vectors.astype(np.float64, copy=False)
    norms = np.sqrt(np.square(exact).sum(axis=1, keepdims=True))
    scaled: npt.NDArray[np.float32] = (exact / np.maximum(norms, 1e-12)).astype(np.float32)
    return scaled


def _cut(texts: "Sequence[str]", tower: TextTower) -> tuple[npt.NDArray[np.int64], list[list[int]]]:
    """Return every window with its special tokens, and the position of the text that it is of."""
    capacity = tower.max_tokens - len(tower.prefix_tokens) - len(tower.suffix_tokens)
    owners: list[int] = []
    windows: list[list[int]] = []
    for position, text in enumerate(texts):
        for window in split_windows(tower.tokenise(text), capacity):
            owners.append(position)
            windows.append([*tower.prefix_tokens, *window, *tower.suffix_tokens])
    return np.array(owners, dtype=np.int64), windows


def _embed_windows(windows: list[list[int]], tower: TextTower, dim: int) -> "Embeddings":
    """Embed sequences batch by batch on one thread: float32 (n, dim), in the order given."""
    use_one_thread(tower.device)
    lengths = np.array([len(window) for window in windows], dtype=np.int64)
    embeddings = np.zeros((len(windows), dim), dtype=np.float32)
    padded = [_padded(len(window), tower) for window in windows]
    for batch in plan_batches(padded):
        rows = list(batch.rows)
        tokens = np.full((len(rows), batch.length), tower.padding_token, dtype=np.int64)
        for place, row in enumerate(rows):
            tokens[place, : lengths[row]] = windows[row]
        embeddings[rows] = tower.embed(tokens, lengths[rows])
    return embeddings


def _padded(length: int, tower: TextTower) -> int:
    return tower.max_tokens if tower.pads_fully else padded_length(length, tower.max_tokens)

"""BERT's encoder in plain torch, for models that must start at once.

`import transformers` (or sentence-transformers over it) costs three to four times what torch itself
does; for a service whose default text model is a six-layer BERT that is most of its start.
The computation is that of Devlin et al. 2019, read from a Hugging Face `BertModel` state dict.
"""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    Linear = tuple[Tensor, Tensor]
    Norm = tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True)
class BertLayer:
    """One block's weights; `attention_in` holds query, key and value stacked."""

    attention_in: "Linear"
    attention_out: "Linear"
    attention_norm: "Norm"
    feed_in: "Linear"
    feed_out: "Linear"
    feed_norm: "Norm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bert:
    """A BERT encoder with mean pooling: token ids to one vector a text."""

    words: "Tensor"
    positions: "Tensor"
    norm: "Norm"
    layers: tuple[BertLayer, ...]
    heads: int
    norm_epsilon: float

    def pooled(self, tokens: "Tensor", lengths: "Tensor") -> "Tensor":
        """Return float32 (n, d): the mean over each sequence's own `lengths` tokens (n, length)."""
        import torch

        places = torch.arange(tokens.shape[1], device=tokens.device)
        real = places < lengths[:, None]
        states = torch.nn.functional.embedding(tokens, self.words) + self.positions[places]
        states = self._normalise(states, self.norm)
        for layer in self.layers:
            states = self._apply(layer, states, real[:, None, None, :])
        weights = real[:, :, None].float()
        return (states.float() * weights).sum(dim=1) / weights.sum(dim=1)

    def to_bfloat16(self) -> "Bert":
        """Return the encoder with its weights in bfloat16."""
        return replace(
            self,
            words=self.words.bfloat16(),
            positions=self.positions.bfloat16(),
            norm=_lower(self.norm),
            layers=tuple(
                BertLayer(*(_lower(getattr(layer, part.name)) for part in fields(layer)))
                for layer in self.layers
            ),
        )

    def _apply(self, layer: BertLayer, states: "Tensor", mask: "Tensor") -> "Tensor":
        """Run one block (post-norm): self-attention, then the feed-forward net, each added on."""
        from torch.nn import functional

        rows, length, width = states.shape
        projected = functional.linear(states, *layer.attention_in)
        query, key, value = projected.view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        mixed = mixed.transpose(1, 2).reshape(rows, length, width)
        states = self._normalise(
            states + functional.linear(mixed, *layer.attention_out), layer.attention_norm
        )
        inner = functional.gelu(functional.linear(states, *layer.feed_in))
        return self._normalise(states + functional.linear(inner, *layer.feed_out), layer.feed_norm)

    def _normalise(self, states: "Tensor", norm: "Norm") -> "Tensor":
        from torch.nn import functional

        return functional.layer_norm(states, states.shape[-1:], *norm, self.norm_epsilon)


def _lower(pair: "tuple[Tensor, Tensor]") -> "tuple[Tensor, Tensor]":
    return pair[0].bfloat16(), pair[1].bfloat16()


def assemble_bert(state: "Mapping[str, Tensor]", *, heads: int, norm_epsilon: float) -> Bert:
    """Build the encoder from the state dict of a `BertModel`.

    The token type of a single text is always 0: its vector is added to the positions once, here.

    Raises
    ------
    KeyError
        The state dict lacks a weight.
    """
    import torch

    def pair(name: str) -> "Linear":
        return state[f"{name}.weight"], state[f"{name}.bias"]

    def stacked(prefix: str) -> "Linear":
        parts = [pair(f"{prefix}.{part}") for part in ("query", "key", "value")]
        return torch.cat([weight for weight, _ in parts]), torch.cat([bias for _, bias in parts])

    def layer(prefix: str) -> BertLayer:
        return BertLayer(
            attention_in=stacked(f"{prefix}.attention.self"),
            attention_out=pair(f"{prefix}.attention.output.dense"),
            attention_norm=pair(f"{prefix}.attention.output.LayerNorm"),
            feed_in=pair(f"{prefix}.intermediate.dense"),
            feed_out=pair(f"{prefix}.output.dense"),
            feed_norm=pair(f"{prefix}.output.LayerNorm"),
        )

    count = sum(name.endswith(".attention.self.query.weight") for name in state)
    positions = state["embeddings.position_embeddings.weight"]
    return Bert(
        words=state["embeddings.word_embeddings.weight"],
        positions=positions + state["embeddings.token_type_embeddings.weight"][0],
        norm=pair("embeddings.LayerNorm"),
        layers=tuple(layer(f"encoder.layer.{index}") for index in range(count)),
        heads=heads,
        norm_epsilon=norm_epsilon,
    )

"""Text encoders in sentence-transformers' format, from a folder, and MedCPT's two BERT towers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError  # raised by torch's restricted unpickler; nothing is unpickled
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.encoders.device import settle_precision
from indexer.encoders.digests import files_sha256, joined_sha256
from indexer.encoders.hub_tokens import HubTokens, tokens_of
from indexer.encoders.quiet import quiet_transformers
from indexer.encoders.reasons import reason_of
from indexer.encoders.sentence_files import WEIGHT_NAMES, read_sentence_files
from indexer.encoders.spec import Fingerprint, TextRole
from indexer.encoders.steady import padded_products, try_batching
from indexer.encoders.text_tower import TEXT_PROBES, TextTower, WindowedTextEncoder, embed_texts
from indexer.encoders.torchvision_shim import ensure_torchvision
from indexer.encoders.versions import library_versions
from indexer.encoders.weights import choose_weights, require_all_weights, require_dim
from indexer.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor

    from indexer.encoders.base import Embeddings
    from indexer.encoders.device import Precision
    from indexer.encoders.spec import EncoderSpec

_LOADING_ERRORS = (
    RuntimeError, ValueError, KeyError, OSError, AttributeError, UnpicklingError,
)  # fmt: skip
MEDCPT_FOLDERS: Mapping[TextRole, str] = {"query": "query", "document": "article"}
_MEDCPT_QUERY_TOKENS = 64  # the card of MedCPT-Query-Encoder; articles take the entry's 512


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerSource:
    """Where one tower comes from: what loads it, its token limit, its weights and its shape."""

    folder: Path
    load: "Callable[[str], Any]"
    max_tokens: int
    weights: tuple[Path, ...]
    weights_sha256: str
    shape: str


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A loaded tower: a sentence-transformers model and its tokenizer."""

    model: Any
    tokens: HubTokens
    source: TowerSource

    def tower(self, device: str) -> TextTower:
        return TextTower(
            device=device,
            max_tokens=self.source.max_tokens,
            rules=self.tokens.rules,
            forward=_forward_of(self.model, device),
        )


def load_sentence(
    spec: "EncoderSpec", folder: Path, *, device: str, precision: "Precision | None" = None
) -> WindowedTextEncoder:
    """Load a model from a folder with a `modules.json`. No network.

    Raises
    ------
    EncoderError
        A file is missing or damaged, or the files do not belong together.
    """
    files = read_sentence_files(folder)

    def load(device: str) -> Any:
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(
            str(folder), device=device, local_files_only=True, trust_remote_code=False
        )

    source = TowerSource(
        folder=files.transformer,
        load=load,
        max_tokens=spec.max_tokens or 512,
        weights=files.weights,
        weights_sha256=files.weights_sha256,
        shape=f"modules {files.shape_sha256[:16]}",
    )
    return _load_roles(spec, {"query": source, "document": source}, device, precision)


def load_medcpt(
    spec: "EncoderSpec",
    folders: Mapping[TextRole, Path],
    *,
    device: str,
    precision: "Precision | None" = None,
) -> WindowedTextEncoder:
    """Load MedCPT: one plain BERT for queries, one for articles, the first token's state of each.

    Raises
    ------
    EncoderError
        A file is missing or damaged, or the files do not belong together.
    """
    limits: dict[TextRole, int] = {
        "query": _MEDCPT_QUERY_TOKENS,
        "document": spec.max_tokens or 512,
    }
    sources = {
        role: _plain_bert(folder, min(limits[role], spec.max_tokens or limits[role]))
        for role, folder in folders.items()
    }
    return _load_roles(spec, sources, device, precision)


def _plain_bert(folder: Path, max_tokens: int) -> TowerSource:
    weights = choose_weights(folder, WEIGHT_NAMES)

    def load(device: str) -> Any:
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

        body = Transformer(str(folder), config_kwargs={"local_files_only": True})
        pooling = Pooling(body.get_embedding_dimension(), pooling_mode="cls")
        return SentenceTransformer(modules=[body, pooling], device=device)

    return TowerSource(
        folder=folder,
        load=load,
        max_tokens=max_tokens,
        weights=tuple(weights),
        weights_sha256=files_sha256(folder, (path.name for path in weights)),
        shape="first token",
    )


def _load_roles(
    spec: "EncoderSpec",
    sources: Mapping[TextRole, TowerSource],
    device: str,
    precision: "Precision | None",
) -> WindowedTextEncoder:
    """Load the distinct towers and put each into its roles; all compute in one arithmetic."""
    ensure_torchvision()
    distinct = list({id(source): source for source in sources.values()}.values())

    def load() -> list[_Loaded]:
        return [_load_tower(source, spec, device) for source in distinct]

    def lower(loaded: list[_Loaded]) -> list[_Loaded]:
        return [_Loaded(one.model.bfloat16(), one.tokens, one.source) for one in loaded]

    def embed_probes(loaded: list[_Loaded]) -> "Embeddings":
        return np.concatenate(
            [embed_texts(one.tower(device), TEXT_PROBES, spec.dim) for one in loaded]
        )

    loaded, settled = settle_precision(
        load, lower, embed_probes, device=device, requested=precision
    )
    towers = {id(one.source): try_batching(one.tower(device), spec.dim) for one in loaded}
    return WindowedTextEncoder(
        spec=spec,
        text_fingerprint=_fingerprint(spec, loaded, settled),
        towers={role: towers[id(source)] for role, source in sources.items()},
    )


def _load_tower(source: TowerSource, spec: "EncoderSpec", device: str) -> _Loaded:
    try:
        with quiet_transformers():
            model = source.load(device)
    except _LOADING_ERRORS as error:
        raise EncoderError(
            f"{source.folder.name}: sentence-transformers cannot load it "
            f"({reason_of(error, source.folder)}).",
            remedy="Weights and configuration must be of one model; fetch it again.",
        ) from error
    body = model[0].auto_model
    named = (name for name, _ in body.named_parameters())
    require_all_weights(source.weights, (name for name in named if not name.startswith("pooler.")))
    require_dim(model.get_embedding_dimension(), spec)
    tokens = tokens_of(model.tokenizer, source.folder)
    tokens.require_fitting(body.get_input_embeddings().num_embeddings, source.folder)
    return _Loaded(model.eval().requires_grad_(requires_grad=False), tokens, source)


def _forward_of(model: Any, device: str) -> "Callable[[Tensor, Tensor], Tensor]":
    import torch

    def forward(tokens: "Tensor", lengths: "Tensor") -> "Tensor":
        places = torch.arange(tokens.shape[1], device=tokens.device)
        mask = (places < lengths[:, None]).long()
        with padded_products(device):
            embedded: Tensor = model({"input_ids": tokens, "attention_mask": mask})[
                "sentence_embedding"
            ]
        return embedded

    return forward


def _fingerprint(spec: "EncoderSpec", loaded: list[_Loaded], precision: "Precision") -> Fingerprint:
    limits = " and ".join(str(one.source.max_tokens) for one in loaded)
    prefix = f"; documents begin {spec.document_prefix!r}" if spec.document_prefix else ""
    return Fingerprint(
        key=spec.key,
        revision=spec.revision,
        dim=spec.dim,
        weights_sha256=joined_sha256([one.source.weights_sha256 for one in loaded]),
        tokenizer_sha256=joined_sha256([one.tokens.sha256 for one in loaded]),
        preprocessing=f"windows of {limits} tokens, equal, mean of unit rows; "
        f"{loaded[0].source.shape}{prefix}; unit",
        dtype=precision,
        versions=library_versions("transformers"),
    )

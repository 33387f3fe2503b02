"""Rerankers: cross-encoders of one logit, by sentence-transformers, from a folder. No network."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError  # raised by torch's restricted unpickler; nothing is unpickled
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.encoders.device import choose_device, settle_precision, use_one_thread
from indexer.encoders.local_models import find_model_folder, find_own_copy, unavailable
from indexer.encoders.quiet import quiet_transformers
from indexer.encoders.reasons import reason_of
from indexer.encoders.rerankers import RERANKERS
from indexer.encoders.spec import RerankerSpec
from indexer.encoders.text_tower import TEXT_PROBES, unit_rows
from indexer.encoders.torchvision_shim import ensure_torchvision
from indexer.encoders.weights import INDEX_NAME, choose_weights, read_json, require_all_weights
from indexer.errors import EncoderError, EncoderUnavailableError, UnknownNameError

if TYPE_CHECKING:
    from indexer.encoders.base import Embeddings, Scores
    from indexer.encoders.device import Precision

_LOADING_ERRORS = (
    RuntimeError, ValueError, KeyError, OSError, AttributeError, TypeError, UnpicklingError,
)  # fmt: skip
_WEIGHT_NAMES = ("model.safetensors", INDEX_NAME, "pytorch_model.bin")
_TOKENIZER_NAMES = ("tokenizer.json", "vocab.txt", "sentencepiece.bpe.model")
_ARCHITECTURE = "ForSequenceClassification"
_LOCAL_PREFIX = "local:"
_DEFAULT_MAX_TOKENS = 512
_PROBE_QUERY = "pneumonia in a child"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossEncoderReranker:
    """Scores texts for a query by reading both together: a `Reranker`."""

    spec: RerankerSpec
    device: str
    precision: "Precision"
    model: Any = field(repr=False)
    # A fast tokenizer keeps its truncation in itself: two threads at once would disturb it.
    _cutting: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def score(self, query: str, texts: Sequence[str]) -> "Scores":
        """Return one logit a text, float32 (n,): the higher, the better the text answers.

        One batch, padded to its longest pair. Thread-safe. On CPU one thread computes; padding
        changes last digits only, so a score may differ by 1e-4 between batches.
        """
        import torch

        if not texts:
            return np.zeros(0, dtype=np.float32)
        use_one_thread(self.device)
        features = self._features(query, texts)
        with torch.inference_mode():
            logits = self.model(features)["scores"]
        found: Scores = logits.float().reshape(-1).cpu().numpy()
        return found

    def _features(self, query: str, texts: Sequence[str]) -> dict[str, Any]:
        """Cut pairs into tokens, on the model's device."""
        pairs = [(_well_formed(query), _well_formed(text)) for text in texts]
        with self._cutting:
            features = self.model.preprocess(pairs)
        return {
            name: value.to(self.device) if hasattr(value, "to") else value
            for name, value in features.items()
        }

    def embed_probes(self) -> "Embeddings":
        """Return what the model makes of a few pairs before its last layer: unit rows (n, d)."""
        import torch

        features = self._features(_PROBE_QUERY, TEXT_PROBES)
        features = {name: value for name, value in features.items() if torch.is_tensor(value)}
        with torch.inference_mode():
            states = self.model.model(**features, output_hidden_states=True).hidden_states[-1]
        return unit_rows(states[:, 0].float().cpu().numpy())


def load_reranker(
    name: str, *, device: str | None = None, precision: "Precision | None" = None
) -> CrossEncoderReranker:
    """Load a reranker; it never reaches for the network.

    `name` is a catalogue key, a folder, or `local:NAME` for `$MEDSEARCH_MODELS/NAME`. `device` and
    `precision` are chosen as for encoders.

    Raises
    ------
    UnknownNameError
        It is no key and no folder.
    EncoderUnavailableError
        The model is not on this machine; the remedy names the command that fetches it.
    EncoderError
        Its files are damaged or do not belong together, or the device cannot be used.
    """
    spec, folder = _locate(name)
    _check_files(folder)
    weights = choose_weights(folder, _WEIGHT_NAMES)
    chosen = choose_device(device)
    ensure_torchvision()

    def load() -> CrossEncoderReranker:
        model = _load_model(folder, spec, chosen)
        require_all_weights(weights, (name for name, _ in model.model.named_parameters()))
        return CrossEncoderReranker(spec=spec, device=chosen, precision="float32", model=model)

    def lower(loaded: CrossEncoderReranker) -> CrossEncoderReranker:
        model = _to_bfloat16(loaded.model)
        return CrossEncoderReranker(spec=spec, device=chosen, precision="bfloat16", model=model)

    settled, _ = settle_precision(
        load, lower, CrossEncoderReranker.embed_probes, device=chosen, requested=precision
    )
    return settled


def _locate(name: str) -> tuple[RerankerSpec, Path]:
    if name in RERANKERS:
        spec = RERANKERS[name]
        found = find_model_folder(spec)
        if found is None:
            raise unavailable(spec)
        return spec, found
    is_local = name.startswith(_LOCAL_PREFIX)
    place = find_own_copy(name.removeprefix(_LOCAL_PREFIX)) if is_local else Path(name).expanduser()
    if place is not None and place.is_dir():
        return _describe(place.resolve()), place
    if is_local or name.startswith(("/", ".", "~")):
        raise EncoderUnavailableError(
            f"There is no model folder for {name!r} on this machine.",
            remedy="Give an existing folder, or a key that `medsearch encoders` lists.",
        )
    raise UnknownNameError("reranker", name, RERANKERS)


def _describe(folder: Path) -> RerankerSpec:
    """Return the entry of a reranker that no catalogue knows, from its folder."""
    positions = read_json(folder / "config.json").get("max_position_embeddings")
    limit = positions - 2 if isinstance(positions, int) else _DEFAULT_MAX_TOKENS
    return RerankerSpec(
        key=_LOCAL_PREFIX + folder.name,
        model=folder.name,
        revision="local",
        languages=("en", "zh"),
        max_tokens=min(limit, _DEFAULT_MAX_TOKENS),
        licence="unknown",
        source="local folder",
        description="A model from a folder of yours.",
        unverified=("languages", "licence", "contamination"),
    )


def _check_files(folder: Path) -> None:
    """Check that a folder holds a cross-encoder of one score, with its tokenizer."""
    config = read_json(folder / "config.json")
    kinds = config.get("architectures") or [""]
    labels = config.get("id2label") or {"0": "", "1": ""}
    if not str(kinds[0]).endswith(_ARCHITECTURE) or len(labels) != 1:
        raise EncoderError(
            f"{folder.name}: {kinds[0] or 'its model'} with {len(labels)} scores a pair is no "
            "cross-encoder that can rerank.",
            remedy=f"Use a model of the kind ...{_ARCHITECTURE} with one score.",
        )
    if not any((folder / name).is_file() for name in _TOKENIZER_NAMES):
        raise EncoderError(
            f"{folder.name}: it holds no tokenizer.", remedy="Fetch the model again, all of it."
        )


def _load_model(folder: Path, spec: RerankerSpec, device: str) -> Any:
    """Load the model by its parts: a `modules.json` names import paths, and is not obeyed."""
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules import Transformer

    offline = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quiet_transformers():
            body = Transformer(
                str(folder),
                transformer_task="sequence-classification",
                model_kwargs={**offline},
                config_kwargs={**offline},
                processor_kwargs={**offline, "model_max_length": spec.max_tokens},
            )
            model = CrossEncoder(modules=[body], device=device, local_files_only=True)
    except _LOADING_ERRORS as error:
        raise EncoderError(
            f"{folder.name}: sentence-transformers cannot load it ({reason_of(error, folder)}).",
            remedy="Weights and configuration must be of one model; fetch it again.",
        ) from error
    return model.eval().requires_grad_(requires_grad=False)


def _to_bfloat16(model: Any) -> Any:
    """Lower a model but for its last layer: a score of bfloat16 has three digits, and many tie."""
    import torch

    model = model.bfloat16()
    layers = (layer for layer in model.modules() if isinstance(layer, torch.nn.Linear))
    head = next(layer for layer in layers if layer.out_features == 1)
    head.float().register_forward_pre_hook(lambda _, inputs: (inputs[0].float(),))
    return model


def _well_formed(text: str) -> str:
    """Replace lone surrogates, which JSON may carry and tokenizers cannot encode."""
    return text.encode("utf-8", "replace").decode("utf-8")

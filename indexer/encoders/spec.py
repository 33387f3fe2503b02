"""What is known about an encoder before its weights are loaded. Imports nothing heavy."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Family: TypeAlias = Literal[
    "builtin", "sentence", "medcpt", "open_clip", "transformers", "cross_encoder"
]
Modality: TypeAlias = Literal["image", "text"]
TextRole: TypeAlias = Literal["query", "document"]
Resize: TypeAlias = Literal["letterbox", "squash", "shortest_crop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One entry of a catalogue: which model, from where, under which licence, for what.

    `model` is what the family's loader understands (a hub repository, an open_clip name, a
    package). `languages` are those that it reads well enough to vote in a search. `companions` are
    further hub repositories that the model needs (a text tower's configuration, an article
    encoder), as `owner/name@revision`. `unverified` names the fields that could not be checked
    against the model's own card.
    """

    key: str
    family: Family
    model: str
    revision: str
    languages: tuple[str, ...]
    max_tokens: int | None
    licence: str
    source: str
    description: str
    contamination: str = "none known"
    gated: bool = False
    companions: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSpec(ModelSpec):
    """An encoder's entry."""

    dim: int
    modalities: frozenset[Modality]
    image_px: int | None
    query_prefix: str = ""
    document_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankerSpec(ModelSpec):
    """A cross-encoder's entry: it reads query and text together and scores the pair.

    `max_tokens` counts both, special tokens included; longer pairs are cut, the longer part first.
    """

    family: Family = "cross_encoder"
    max_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInput:
    """How pixels must be prepared for an image tower: a square of `px`, uint8 RGB.

    Normalising (mean, std) is the adapter's own affair; resizing happens where images are decoded.
    """

    px: int
    resize: Resize


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What binds an index to its encoder: anything here that differs makes embeddings differ.

    `weights_sha256`, `tokenizer_sha256` and `preprocessing` cover one tower; `dtype` is the
    arithmetic class ("float32" or "bfloat16"); `versions` are the libraries that matter.

    Two digests, for two questions. `digest` covers everything: embeddings under equal digests are
    equal bit for bit on one machine, so that one may stand for the other. `space_digest` leaves
    out what changes only last digits (dtype, versions) or nothing (names): embeddings under equal
    space digests may be compared. A bfloat16 tower is used only if its embeddings keep a cosine of
    .999 to the float32 ones (`indexer.encoders.device`), which is why an index built on a machine
    with bfloat16 opens on one without.
    """

    key: str
    revision: str
    dim: int
    weights_sha256: str
    tokenizer_sha256: str | None
    preprocessing: str
    dtype: str
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return the fingerprint as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: "Mapping[str, Any]") -> "Fingerprint":
        """Read what `to_json` wrote.

        Raises
        ------
        TypeError
            A field is missing or unknown.
        """
        return cls(**values)

    def digest(self) -> str:
        """Return a short stable digest of all fields (hex, 16 digits)."""
        return _short_digest(self.to_json())

    def space_digest(self) -> str:
        """Return a short stable digest of what makes up the embedding space (hex, 16 digits)."""
        names = ("dim", "weights_sha256", "tokenizer_sha256", "preprocessing")
        return _short_digest({name: getattr(self, name) for name in names})


def _short_digest(values: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]

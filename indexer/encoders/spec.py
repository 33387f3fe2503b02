"""What is known about an encoder before its weights are loaded. Imports nothing heavy."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Literal, TypeAlias

Family: TypeAlias = Literal["builtin", "sentence", "open_clip"]
Modality: TypeAlias = Literal["image", "text"]
TextRole: TypeAlias = Literal["query", "document"]
Resize: TypeAlias = Literal["letterbox", "squash", "shortest_crop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderSpec:
    """One entry of the catalogue: which model, from where, under which licence, for what.

    `model` is what the family's loader understands (a hub repository, an open_clip name, a
    package). `languages` are those that its text tower reads well enough to vote in a search.
    `unverified` names the fields that could not be checked against the model's own card.
    """

    key: str
    family: Family
    model: str
    revision: str
    dim: int
    modalities: frozenset[Modality]
    languages: tuple[str, ...]
    max_tokens: int | None
    image_px: int | None
    licence: str
    source: str
    description: str
    query_prefix: str = ""
    document_prefix: str = ""
    contamination: str = "none known"
    gated: bool = False
    unverified: tuple[str, ...] = ()


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

    def digest(self) -> str:
        """Return a short stable digest of all fields (hex, 16 digits)."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

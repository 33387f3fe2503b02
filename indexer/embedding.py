"""What of a record is embedded, by which encoder, and how a shard's embeddings are made.

A field is what was embedded: `image` and `caption` of an image record, `question` of a text record.
Chinese texts are embedded as `caption_zh` and `question_zh` if the text encoder does not read them.
Slices of CT are embedded as `lung_window`, `brain_window`, `soft_tissue_window` and `bone_window`,
too: by the same tower as `image`, so that all of these are compared by score.
"""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from indexer.encoders.base import Embeddings, ImageEncoder, TextEncoder
from indexer.encoders.spec import EncoderSpec, Fingerprint
from indexer.pixels.ct_windows import WINDOW_FIELDS
from indexer.pixels.decode import DecodedImage
from indexer.pixels.resize import as_rgb
from indexer.records import AnyRecord, ImageRecord, TextRecord
from indexer.text.fields import CHINESE_FIELDS, main_field
from indexer.text.questions import document_text

# Large enough that a batch keeps one core's caches busy, small enough that every core gets one.
_IMAGES_PER_BATCH = 32
_TEXTS_PER_BATCH = 32


class Reuse(Protocol):
    """Embeddings that an earlier build already holds."""

    def vector(self, field: str, fingerprint: str, key: bytes) -> Embeddings | None:
        """Return float32 (d,) of the input with that key, or None."""
        ...


@dataclass(frozen=True, slots=True)
class EmbeddedInput:
    """One thing to embed: which record of the shard it belongs to, its key, and its content."""

    position: int
    key: bytes
    content: str | npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FieldEncoder:
    """One field and the tower that embeds it."""

    name: str
    spec: EncoderSpec
    fingerprint: Fingerprint
    encode: Callable[[Sequence[EmbeddedInput]], Embeddings]
    batch: int


@dataclass(frozen=True, slots=True)
class EmbeddedField:
    """A field's embeddings of one shard: record positions int64 (m,), vectors (m, d), keys."""

    positions: npt.NDArray[np.int64]
    vectors: Embeddings
    keys: tuple[bytes, ...]
    encoded: int


def field_encoders(
    kind: Literal["image", "text"],
    text: TextEncoder,
    image: ImageEncoder | None,
    *,
    chinese: TextEncoder | None = None,
    by_window: bool = False,
) -> tuple[FieldEncoder, ...]:
    """Return the fields of an image or a text dataset with the towers that embed them.

    `chinese` embeds Chinese texts, which `text` does not read then; `by_window` adds the fields of
    CT slices.
    """

    def text_fields(name: str) -> tuple[FieldEncoder, ...]:
        main = _text_field(name, text)
        return (main, _text_field(CHINESE_FIELDS[name], chinese)) if chinese else (main,)

    if kind == "image":
        if image is None:
            message = "an image dataset needs an image encoder"
            raise ValueError(message)
        windows = [_image_field(name, image) for name in WINDOW_FIELDS] if by_window else []
        return (_image_field("image", image), *text_fields("caption"), *windows)
    return text_fields("question")


def input_of(
    field: FieldEncoder,
    position: int,
    record: AnyRecord,
    image: DecodedImage | None,
) -> EmbeddedInput | None:
    """Return what of `record` the field embeds, or None where it has nothing (no caption).

    Words in a language that the encoder does not read are left to the full-text index: their
    embeddings would lie anywhere, and rank as high as those of records that do answer.
    """
    window = WINDOW_FIELDS.get(field.name)
    if window is not None or field.name == "image":
        if not isinstance(record, ImageRecord) or image is None:
            return None
        pixels = image.pixels if window is None else image.by_window.get(window)
        key = _key(f"{image.sha256}:{record.image.frame}")
        return None if pixels is None else EmbeddedInput(position, key, pixels)
    if record.language not in field.spec.languages:
        return None
    if main_field(field.name) == "caption":
        text = record.caption if isinstance(record, ImageRecord) else None
    else:
        text = document_text(record) if isinstance(record, TextRecord) else None
    return EmbeddedInput(position, _key(text), text) if text else None


def start_embedding(
    field: FieldEncoder,
    inputs: Sequence[EmbeddedInput],
    threads: ThreadPoolExecutor,
    reuse: Reuse | None,
) -> Callable[[], EmbeddedField]:
    """Start embedding on the threads; call what is returned to wait for the result.

    Inputs whose embedding an earlier build holds are taken from there. The encoders are
    batch-invariant, so how the rest is cut into batches does not show in the result.
    """
    digest = field.fingerprint.digest()
    vectors = np.zeros((len(inputs), field.spec.dim), np.float32)
    missing: list[int] = []
    for number, one in enumerate(inputs):
        known = reuse.vector(field.name, digest, one.key) if reuse else None
        if known is None:
            missing.append(number)
        else:
            vectors[number] = known
    batches: list[tuple[list[int], Future[Embeddings]]] = []
    for start in range(0, len(missing), field.batch):
        numbers = missing[start : start + field.batch]
        chosen = [inputs[number] for number in numbers]
        batches.append((numbers, threads.submit(field.encode, chosen)))

    def finish() -> EmbeddedField:
        for numbers, future in batches:
            vectors[numbers] = future.result()
        return EmbeddedField(
            positions=np.array([one.position for one in inputs], np.int64),
            vectors=vectors,
            keys=tuple(one.key for one in inputs),
            encoded=len(missing),
        )

    return finish


def _image_field(name: str, encoder: ImageEncoder) -> FieldEncoder:
    def encode(inputs: Sequence[EmbeddedInput]) -> Embeddings:
        return encoder.encode_images(np.stack([as_rgb(np.asarray(one.content)) for one in inputs]))

    return FieldEncoder(name, encoder.spec, encoder.image_fingerprint, encode, _IMAGES_PER_BATCH)


def _text_field(name: str, encoder: TextEncoder) -> FieldEncoder:
    def encode(inputs: Sequence[EmbeddedInput]) -> Embeddings:
        return encoder.encode_texts([str(one.content) for one in inputs], "document")

    return FieldEncoder(name, encoder.spec, encoder.text_fingerprint, encode, _TEXTS_PER_BATCH)


def _key(content: str) -> bytes:
    """Return the 16-byte key of an embedded input."""
    return hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).digest()

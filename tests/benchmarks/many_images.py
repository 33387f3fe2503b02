"""An index of as many images as one wants, with thumbnails, from a few hundred that are drawn.

The images are encoded by the built-in tower and their captions by MiniLM, as any index is; every
further record is near one of them: its embeddings are theirs with some noise, its caption differs
by a number. So it is opened by the genuine service, which encodes genuine queries.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from indexer.calibration.calibrator import Calibrator
from indexer.encoders.base import ImageEncoder, TextEncoder
from indexer.encoders.load import load_encoder
from indexer.pixels.resize import THUMBNAIL_PX, make_fingerprint, make_square, make_thumbnail
from indexer.records import ImageRecord, ImageRef
from indexer.store.writer import BuildPlan, BuildWriter, Shard, ShardField, ShardImage
from tests.benchmarks.drawn import caption_of, draw_image

INDEX = "own_images"
_DRAWN = 512
_SHARD_ROWS = 2048
_NOISE = 0.35
_CASE_RECORDS = 4
_PARTS = ("chest", "abdomen", "pelvis", "skull", "wrist", "knee", "spine", "shoulder")
_MODALITIES = ("CT", "MRI", "X-ray", "ultrasound")

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The images that others are made from: what the store keeps of them, and embeddings."""

    kept: list[ShardImage]
    images: Vectors
    captions: Vectors


def build(folder: Path, records: int) -> Path:
    """Publish an index of `records` images below `folder`; return `folder`."""
    text, image = load_encoder("minilm"), load_encoder("builtin")
    if not isinstance(image, ImageEncoder):
        message = "the built-in encoder embeds no images"
        raise TypeError(message)
    plan = BuildPlan(
        index=INDEX, dataset=INDEX, kind="image", title="Drawn", licence="CC0-1.0",
        citation="none", homepage="https://example.org", synthetic=True,
        fields={
            "image": (image.spec.key, image.image_fingerprint),
            "caption": (text.spec.key, text.text_fingerprint),
        },
        source_digest=str(records), options={},
    )  # fmt: skip
    drawn = _draw(text, image)
    with BuildWriter.open(folder, plan) as writer:
        for start in range(0, records, _SHARD_ROWS):
            writer.add_shard(_shard(drawn, range(start, min(start + _SHARD_ROWS, records))))
        writer.publish([], calibrator=Calibrator(text, image))
    return folder


def _draw(text: TextEncoder, image: ImageEncoder) -> _Drawn:
    pictures = list(_pictures())
    wanted = image.image_input
    squares = np.stack([make_square(one, wanted.px, wanted.resize) for one in pictures])
    kept = [
        ShardImage(
            sha256=f"{number:064x}",
            perceptual_hash=make_fingerprint(one),
            thumbnail=make_thumbnail(one, THUMBNAIL_PX),
        )
        for number, one in enumerate(pictures)
    ]
    captions = [caption_of(number) for number in range(_DRAWN)]
    return _Drawn(kept, image.encode_images(squares), text.encode_texts(captions, "document"))


def _pictures() -> Iterator[Image.Image]:
    for number in range(_DRAWN):
        yield Image.fromarray((draw_image(number) >> 4).astype(np.uint8))


def _shard(drawn: _Drawn, numbers: range) -> Shard:
    rng = np.random.default_rng(numbers.start)
    origins = np.array(numbers) % _DRAWN
    fields = {
        name: ShardField(
            positions=np.arange(len(numbers)),
            vectors=_near(vectors[origins], rng),
            keys=[number.to_bytes(16, "big") for number in numbers],
        )
        for name, vectors in (("image", drawn.images), ("caption", drawn.captions))
    }
    return Shard(
        rows_consumed=len(numbers),
        records=[_record(number) for number in numbers],
        content_keys=[f"{number:032x}" for number in numbers],
        images=[drawn.kept[origin] for origin in origins],
        fields=fields,
        duplicates=[],
        rejects=[],
    )


def _near(vectors: Vectors, rng: np.random.Generator) -> Vectors:
    noise = rng.normal(size=vectors.shape).astype(np.float32) / vectors.shape[1] ** 0.5
    moved: Vectors = vectors + _NOISE * noise
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def _record(number: int) -> ImageRecord:
    return ImageRecord(
        record_id=f"{INDEX}/all/{number}", dataset=INDEX, split="all", source_id=str(number),
        source_path="records.jsonl", source_line=number + 1, licence="CC0-1.0", synthetic=True,
        case_id=f"case {number // _CASE_RECORDS}", image=ImageRef(path=f"{number}.png"),
        caption=caption_of(number), modality=_MODALITIES[number % 4], body_part=_PARTS[number % 8],
        age_years=float(number % 90), labels=(f"label {number % 40}",),
    )  # fmt: skip

"""Synthetic records and embeddings for the store: clustered unit rows, drawn shard by shard."""

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from indexer.encoders.spec import Fingerprint
from indexer.records import ImageRecord, ImageRef
from indexer.store.writer import BuildPlan, Shard, ShardField

DIM = 512
SHARD_ROWS = 2048
INDEX = "synthetic"
FIELD = "image"
_CLUSTERS = 300
_LATENT = 64
_MODALITIES = ("CT", "MR", "XR", "US")
_WORDS = tuple(
    """
    chest abdomen pelvis skull wrist elbow axial coronal sagittal contrast enhanced plain lesion
    nodule effusion fracture dislocation opacity mass cyst oedema normal left right upper lower
    lobe liver kidney spleen pancreas aorta arrow shows after before treatment
    """.split()  # noqa: SIM905  (forty words read better than forty strings)
)

Vectors = npt.NDArray[np.float32]


class ClusteredVectors:
    """Draws unit rows around cluster centres, spread unevenly in a few dozen directions.

    Embeddings of real images look like this: clusters of very different sizes, and a variance that
    sinks from direction to direction (here some thirty matter, by the participation ratio of their
    variances). The same number gives the same block on any run.
    """

    def __init__(self, dim: int = DIM) -> None:
        rng = np.random.default_rng(1)
        self._centres = _unit(rng.normal(size=(_CLUSTERS, dim)))
        falling = np.arange(1, _LATENT + 1)[:, np.newaxis] ** -0.35
        self._directions = (falling * rng.normal(size=(_LATENT, dim)) / dim**0.5).astype(np.float32)
        weights = 1 / np.arange(1, _CLUSTERS + 1) ** 0.7
        self._weights = weights / weights.sum()
        self._dim = dim

    def draw(self, block: int, count: int) -> tuple[Vectors, npt.NDArray[np.int64]]:
        """Return float32 (count, dim) and the cluster of each, int64 (count,)."""
        rng = np.random.default_rng((2, block))
        clusters = rng.choice(_CLUSTERS, count, p=self._weights)
        spread = rng.normal(size=(count, _LATENT)).astype(np.float32) @ self._directions
        noise = rng.normal(size=(count, self._dim)).astype(np.float32) / self._dim**0.5
        return _unit(self._centres[clusters] + 0.25 * spread + 0.2 * noise), clusters


def draw_words(rng: np.random.Generator, texts: int, words: int) -> list[str]:
    """Return some texts of a few words each, drawn at random."""
    return [" ".join(chosen) for chosen in rng.choice(_WORDS, (texts, words))]


def synthetic_plan(records: int) -> BuildPlan:
    """Return the plan of a synthetic index."""
    fingerprint = Fingerprint(
        key="synthetic", revision="1", dim=DIM, weights_sha256="0" * 64, tokenizer_sha256=None,
        preprocessing="none", dtype="float32",
    )  # fmt: skip
    return BuildPlan(
        index=INDEX, dataset=INDEX, kind="image", title="Synthetic", licence="CC0-1.0",
        citation="none", homepage="https://example.org", synthetic=True,
        fields={FIELD: ("synthetic", fingerprint)}, source_digest=str(records), options={},
    )  # fmt: skip


def iter_shards(records: int) -> Iterator[Shard]:
    """Yield shards of synthetic records; only one is in memory at a time."""
    source = ClusteredVectors()
    for block, start in enumerate(range(0, records, SHARD_ROWS)):
        numbers = range(start, min(start + SHARD_ROWS, records))
        vectors, clusters = source.draw(block, len(numbers))
        rng = np.random.default_rng((3, block))
        captions = draw_words(rng, len(numbers), 12)
        yield Shard(
            rows_consumed=len(numbers),
            records=[
                _record(number, caption, _MODALITIES[cluster % len(_MODALITIES)])
                for number, caption, cluster in zip(numbers, captions, clusters, strict=True)
            ],
            content_keys=[f"{number:032x}" for number in numbers],
            images=[None] * len(numbers),
            fields={
                FIELD: ShardField(
                    positions=np.arange(len(numbers)),
                    vectors=vectors,
                    keys=[_key(number) for number in numbers],
                )
            },
            duplicates=[],
            rejects=[],
        )


def _record(number: int, caption: str, modality: str) -> ImageRecord:
    return ImageRecord(
        record_id=f"{INDEX}/all/{number}", dataset=INDEX, split="all", source_id=str(number),
        source_path="rows.csv", source_line=number + 1, case_id=f"case {number // 8}",
        licence="CC0-1.0", image=ImageRef(path=f"{number}.png"), caption=caption,
        modality=modality, synthetic=True,
    )  # fmt: skip


def _key(number: int) -> bytes:
    return hashlib.blake2b(number.to_bytes(8, "big"), digest_size=16).digest()


def _unit(rows: npt.NDArray[np.floating]) -> Vectors:
    narrow: Vectors = rows.astype(np.float32)
    narrow /= np.linalg.norm(narrow, axis=1, keepdims=True)
    return narrow

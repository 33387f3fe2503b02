"""An encoder without a model: quick to start, deterministic, slow enough to be killed half-way."""

import hashlib
import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from indexer.encoders.spec import EncoderSpec, Fingerprint, ImageInput, TextRole

DIM = 64
_BATCH_S = 0.02


class TinyEncoder:
    """Embeds pixels as an 8 x 8 picture of themselves, texts by their digest."""

    spec = EncoderSpec(
        key="tiny", family="builtin", model="none", revision="1", dim=DIM,
        modalities=frozenset({"image", "text"}), languages=("en",), max_tokens=None,
        image_px=32, licence="CC0-1.0", source="tests", description="for tests",
    )  # fmt: skip
    image_input = ImageInput(px=32, resize="squash")
    image_fingerprint = text_fingerprint = Fingerprint(
        key="tiny", revision="1", dim=DIM, weights_sha256="0" * 64, tokenizer_sha256=None,
        preprocessing="none", dtype="float32",
    )  # fmt: skip

    def encode_texts(self, texts: Sequence[str], role: TextRole) -> npt.NDArray[np.float32]:
        time.sleep(_BATCH_S)
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) for text in texts]
        rows = [np.random.default_rng(seed).normal(size=DIM) for seed in seeds]
        return _unit(np.array(rows).reshape(-1, DIM))

    def encode_images(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        time.sleep(_BATCH_S)
        small = pixels[:, 2::4, 2::4, 0].reshape(len(pixels), DIM)
        return _unit(small.astype(np.float64) + 1)


def _unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

"""A miniature pool and a text encoder that needs no weights."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from indexer.encoders.catalogue import get_spec
from indexer.encoders.spec import EncoderSpec, Fingerprint, TextRole
from indexer.encoders.training.plan import TrainingPlan

KINDS = (("X-ray", "chest", "normal"), ("CT", "head", "hemorrhage"), ("MRI", "knee", "left tear"))


class WordEncoder:
    """Sums a fixed random direction for each word: a deterministic stand-in for MiniLM."""

    @property
    def spec(self) -> EncoderSpec:
        return get_spec("minilm")

    @property
    def text_fingerprint(self) -> Fingerprint:
        return Fingerprint(
            key="words",
            revision="1",
            dim=self.spec.dim,
            weights_sha256="",
            tokenizer_sha256=None,
            preprocessing="words",
            dtype="float32",
        )

    def encode_texts(self, texts: Sequence[str], role: TextRole) -> npt.NDArray[np.float32]:
        rows = np.zeros((len(texts), self.spec.dim), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
                row += np.random.default_rng(seed).standard_normal(self.spec.dim)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return (rows / np.maximum(norms, 1e-9)).astype(np.float32)


@pytest.fixture(scope="session")
def encoder() -> WordEncoder:
    return WordEncoder()


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty-six small images of three kinds, one of them not an image, in the pool's layout."""
    folder = tmp_path_factory.mktemp("pool")
    (folder / "images").mkdir()
    draw = np.random.default_rng(0)
    lines = []
    for number in range(36):
        modality, part, label = KINDS[number % 3]
        file = f"images/{number}.png"
        pixels = draw.integers(0, 90, (24, 30), dtype=np.uint8) + np.uint8(80 * (number % 3))
        Image.fromarray(pixels).save(folder / file)
        row = {"file": file, "text": f"{modality} number {number}", "source": f"s{number % 2}",
               "licence": "CC0 1.0", "modality": modality, "body_part": part,
               "labels": [label], "group": f"case {number // 2}"}  # fmt: skip
        lines.append(json.dumps(row))
    (folder / "images/35.png").write_bytes(b"not an image")
    (folder / "pool.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def tiny_plan() -> TrainingPlan:
    """Six steps of a small tower on tiny images."""
    return TrainingPlan(
        architecture="test_byobnet",
        image_px=32,
        stored_px=32,
        images=48,
        batch=8,
        checkpoint_steps=2,
        precision="float32",
        validation_tenths=2,
    )

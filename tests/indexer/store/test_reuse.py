import hashlib
from pathlib import Path

import numpy as np

from indexer.store.reuse import EmbeddingReuse
from tests.indexer.store.conftest import PRINT, Build


def key(number: int) -> bytes:
    return hashlib.blake2b(str(number).encode(), digest_size=16).digest()


def test_every_embedding_of_the_live_build_is_found_by_its_key(
    build: Build, tmp_path: Path, vectors: np.ndarray
) -> None:
    build()
    reuse = EmbeddingReuse(tmp_path / "tiny")
    for number in range(40):
        found = reuse.vector("image", PRINT.digest(), key(number))
        assert found is not None
        assert (found == vectors[number]).all()
        caption = reuse.vector("caption", PRINT.digest(), key(number))
        assert (caption is None) == (number % 3 == 0)
    assert reuse.vector("image", PRINT.digest(), key(40)) is None
    assert reuse.vector("image", PRINT.digest(), key(3)[:8] + bytes(8)) is None


def test_another_encoder_or_field_finds_nothing(build: Build, tmp_path: Path) -> None:
    build()
    reuse = EmbeddingReuse(tmp_path / "tiny")
    assert reuse.vector("image", "another encoder", key(1)) is None
    assert reuse.vector("question", PRINT.digest(), key(1)) is None


def test_no_build_and_a_damaged_build_have_nothing_to_give(build: Build, tmp_path: Path) -> None:
    assert EmbeddingReuse(tmp_path / "tiny").vector("image", PRINT.digest(), key(1)) is None
    path = build().folder / "image.vectors.npy"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    assert EmbeddingReuse(tmp_path / "tiny").vector("image", PRINT.digest(), key(1)) is None

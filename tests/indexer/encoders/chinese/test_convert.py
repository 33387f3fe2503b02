"""From the file that the weights came from to the files that ship, on a small model."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from indexer.encoders.chinese.convert import convert
from indexer.encoders.chinese.nibbles import PackedMatrix
from indexer.encoders.chinese.source_file import read_source
from indexer.encoders.chinese_adapter import TOKENIZER_NAME, WEIGHTS_NAME
from indexer.errors import EncoderError
from tests.indexer.encoders.chinese.source_files import (
    HEADS,
    INNER,
    PIECES,
    SCORES,
    WIDTH,
    write_source,
)  # fmt: skip

KEPT = tuple(piece for piece in PIECES if piece != "ж")


@pytest.fixture
def source_path(tmp_path: Path) -> Path:
    return write_source(tmp_path / "model.bin")


@pytest.fixture
def converted(source_path: Path, tmp_path: Path) -> Path:
    convert(read_source(source_path), tmp_path / "weights")
    return tmp_path / "weights"


def test_the_source_is_read_as_it_was_written(source_path: Path) -> None:
    source = read_source(source_path)
    assert (source.width, source.layers, source.heads) == (WIDTH, 1, HEADS)
    assert source.pieces == PIECES
    assert source.scores == pytest.approx(SCORES)
    assert source.normalised["１"] == "1"
    assert source.matrices["l0.fo.w"].widen().shape == (WIDTH, INNER)
    # The first block by hand: low halves are its first sixteen weights, high halves the others.
    raw = source_path.read_bytes()
    found = source.matrices["emb.word"].widen()[0]
    block = np.frombuffer(raw[_place_of(raw, b"emb.word") :], np.uint8, 18)
    scale = np.frombuffer(block[:2].tobytes(), "<f2")[0]
    codes = np.concatenate([block[2:] & 15, block[2:] >> 4]).astype(np.float32)
    np.testing.assert_array_equal(found, (codes - 8) * np.float32(scale))


def _place_of(raw: bytes, name: bytes) -> int:
    entry = raw.index(name) + len(name)
    return int.from_bytes(raw[entry + 5 : entry + 13], "little")


@pytest.mark.parametrize("kept_bytes", [0, 3, 100, 700])
def test_a_file_cut_short_is_refused(source_path: Path, kept_bytes: int) -> None:
    source_path.write_bytes(source_path.read_bytes()[:kept_bytes])
    with pytest.raises(EncoderError, match="four bits"):
        read_source(source_path)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(EncoderError, match="begins otherwise"):
        read_source(tmp_path / "model.bin")


def test_weights_are_taken_over_and_the_vocabulary_is_cut(
    source_path: Path, converted: Path
) -> None:
    source, held = read_source(source_path), load_file(converted / WEIGHTS_NAME)
    name = "encoder.layer.0.intermediate.dense.weight"
    found = PackedMatrix(held[f"{name}.codes"], held[f"{name}.scales"]).widen()
    np.testing.assert_array_equal(found, source.matrices["l0.fi.w"].widen())
    words = "embeddings.word_embeddings.weight"
    found = PackedMatrix(held[f"{words}.codes"], held[f"{words}.scales"]).widen()
    rows = [PIECES.index(piece) for piece in KEPT]
    np.testing.assert_array_equal(found, source.matrices["emb.word"].widen()[rows])
    bias = held["encoder.layer.0.output.dense.bias"]
    np.testing.assert_array_equal(bias, source.vectors["l0.fo.b"])


def test_the_tokenizer_cuts_into_the_likeliest_pieces_that_are_kept(converted: Path) -> None:
    tokenizer = Tokenizer.from_file(str(converted / TOKENIZER_NAME))
    assert tokenizer.get_vocab() == {piece: place for place, piece in enumerate(KEPT)}
    assert tokenizer.encode("发烧 chest").tokens == ["<s>", "▁", "发烧", "▁chest", "</s>"]
    assert tokenizer.encode("q\tq\x07\u200b", add_special_tokens=False).tokens == [
        "▁",
        "q",
        "▁",
        "q",
    ]
    assert tokenizer.encode("ж", add_special_tokens=False).ids[-1] == KEPT.index("<unk>")


def test_converting_again_gives_the_same_bytes(
    source_path: Path, converted: Path, tmp_path: Path
) -> None:
    convert(read_source(source_path), tmp_path / "again")
    for name in (WEIGHTS_NAME, TOKENIZER_NAME):
        assert (tmp_path / "again" / name).read_bytes() == (converted / name).read_bytes()

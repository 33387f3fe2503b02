"""Writes small models in the format that `source_file` reads."""

import struct
from pathlib import Path

import numpy as np

PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", "发", "发烧", "烧", "▁chest", "chest", "ж", "q")
SCORES = (0.0, 0.0, 0.0, 0.0, -4.0, -9.0, -8.5, -9.5, -11.0, -12.0, -7.0, -8.0)
NORMALISED = {"\t": " ", "\x07": "", "１": "1", "\u200b": " "}
WIDTH, INNER, HEADS, POSITIONS = 32, 64, 2, 16


def write_source(path: Path, seed: int = 0) -> Path:
    """Write a model of one layer, its weights drawn at random."""
    draws = np.random.default_rng(seed)
    tensors = {
        "emb.word": (len(PIECES), WIDTH), "emb.pos": POSITIONS * WIDTH, "emb.type": WIDTH,
        "emb.ln.w": WIDTH, "emb.ln.b": WIDTH,
        **{f"l0.{part}.w": (WIDTH, WIDTH) for part in ("q", "k", "v", "ao")},
        **{f"l0.{part}.b": WIDTH for part in ("q", "k", "v", "ao")},
        "l0.fi.w": (INNER, WIDTH), "l0.fi.b": INNER,
        "l0.fo.w": (WIDTH, INNER), "l0.fo.b": WIDTH,
        **{f"l0.{norm}.{part}": WIDTH for norm in ("aln", "oln") for part in ("w", "b")},
    }  # fmt: skip
    contents = {name: _content(shape, draws) for name, shape in tensors.items()}
    head = _head()
    directory_bytes = 4 + sum(2 + len(name) + 21 for name in contents)
    directory, body = struct.pack("<i", len(contents)), b""
    for name, content in contents.items():
        shape = tensors[name]
        count = shape[0] * shape[1] if isinstance(shape, tuple) else shape
        place = len(head) + directory_bytes + len(body)
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", int(isinstance(shape, tuple)), count, place, len(content))
        body += content
    path.write_bytes(head + directory + body)
    return path


def _content(shape: tuple[int, int] | int, draws: np.random.Generator) -> bytes:
    if isinstance(shape, int):
        return draws.normal(size=shape).astype("<f4").tobytes()
    blocks = np.zeros(shape[0] * shape[1] // 32, np.dtype([("d", "<f2"), ("q", "u1", 16)]))
    blocks["d"] = draws.uniform(0.01, 0.02, len(blocks))
    blocks["q"] = draws.integers(0, 256, (len(blocks), 16))
    return blocks.tobytes()


def _head() -> bytes:
    blob = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, blob)]).astype("<u4")
    entries = b"".join(
        struct.pack(f"<IB{len(become)}I", ord(char), len(become), *map(ord, become))
        for char, become in NORMALISED.items()
    )
    return b"".join(
        [
            b"E5S1",
            struct.pack("<I7ifi", 1, WIDTH, 1, HEADS, INNER, len(PIECES), POSITIONS, 1, 1e-12, 32),
            struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, blob))),
            offsets.tobytes(),
            np.array(SCORES, "<f4").tobytes(),
            *blob,
            struct.pack("<iI", len(NORMALISED), len(entries)),
            entries,
        ]
    )

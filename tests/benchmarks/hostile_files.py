"""Files that mean harm: mutations of real and drawn images, and bombs, without end and by seed."""

import io
import struct
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from tests.benchmarks.bombs import make_bombs
from tests.benchmarks.drawn import encode_image

Mutation: TypeAlias = Callable[[bytes, np.random.Generator], bytes]

_LARGEST_SEED_BYTES = 300_000
_PAINTED_PX = 96
# Elements whose values decide how much is allocated: rows, columns, bits, frames, samples.
_SIZING_TAGS = ((0x28, 0x10), (0x28, 0x11), (0x28, 0x100), (0x28, 0x101), (0x28, 0x8), (0x28, 0x2))


def hostile_files(seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield one kind and file after the other, for ever; the same ones for the same seed."""
    seeds = list(seed_files())
    bombs = list(make_bombs())
    for number in count():
        rng = np.random.default_rng((seed, number))
        if number % 25 == 0:
            name, raw = bombs[number // 25 % len(bombs)]
            yield f"bomb: {name}", raw
            continue
        mutation = _MUTATIONS[int(rng.integers(len(_MUTATIONS)))]
        yield mutation.__name__.strip("_"), mutation(seeds[int(rng.integers(len(seeds)))], rng)


def seed_files() -> Iterator[bytes]:
    """Yield sound files: what pydicom bundles, in many syntaxes, and rasters of every format."""
    import pydicom.data

    bundled = Path(pydicom.data.__file__).parent / "test_files"
    for path in sorted(bundled.glob("*.dcm")):
        if path.stat().st_size <= _LARGEST_SEED_BYTES:
            yield path.read_bytes()
    yield from (encode_image(number)[1] for number in range(4))
    rng = np.random.default_rng(0)
    painted = Image.fromarray(rng.integers(0, 255, (_PAINTED_PX, _PAINTED_PX, 3), np.uint8))
    options: tuple[tuple[str, dict[str, object]], ...] = (
        ("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {}),
        ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {"compression": "jpeg"}),
        ("BMP", {}),
    )  # fmt: skip
    for kind, extra in options:
        stream = io.BytesIO()
        painted.save(stream, kind, **extra)
        yield stream.getvalue()


def _flip_bits(raw: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(raw)
    for place in rng.integers(0, len(raw), int(rng.integers(1, 40))):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _flip_header_bits(raw: bytes, rng: np.random.Generator) -> bytes:
    changed = bytearray(raw)
    for place in rng.integers(0, min(len(raw), 2048), int(rng.integers(1, 12))):
        changed[place] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _truncate(raw: bytes, rng: np.random.Generator) -> bytes:
    return raw[: int(rng.integers(len(raw)))]


def _swap_field(raw: bytes, rng: np.random.Generator) -> bytes:
    """Give one sizing element of a DICOM file another value; of other files, flip bits."""
    group, element = _SIZING_TAGS[int(rng.integers(len(_SIZING_TAGS)))]
    place = raw.find(struct.pack("<HH", group, element))
    if place < 0 or place + 10 > len(raw):
        return _flip_header_bits(raw, rng)
    return raw[: place + 8] + struct.pack("<H", int(rng.integers(65_536))) + raw[place + 10 :]


def _repeat_part(raw: bytes, rng: np.random.Generator) -> bytes:
    first, last = sorted(rng.integers(0, len(raw), 2).tolist())
    return raw[:last] + raw[first:last] * int(rng.integers(1, 4)) + raw[last:]


def _cut_part(raw: bytes, rng: np.random.Generator) -> bytes:
    first, last = sorted(rng.integers(0, len(raw), 2).tolist())
    return raw[:first] + raw[last:]


def _overwrite(raw: bytes, rng: np.random.Generator) -> bytes:
    start = int(rng.integers(len(raw)))
    noise = rng.bytes(int(rng.integers(1, 256)))
    return raw[:start] + noise + raw[start + len(noise) :]


_MUTATIONS: tuple[Mutation, ...] = (
    _flip_bits, _flip_header_bits, _truncate, _swap_field, _repeat_part, _cut_part, _overwrite,
)  # fmt: skip

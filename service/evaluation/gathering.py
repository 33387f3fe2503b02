"""From a published build of images to the collection that an evaluation searches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from indexer.encoders.base import TextEncoder
from indexer.store.reader import IndexReader
from service.evaluation.collection import EncodeTexts, ImageCollection, Strings, Vectors

_HASH_WORDS = 4
_TEXTS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class SideColumns:
    """What a pool's table says of an image beyond its record."""

    source: str = ""
    long_text: str = ""


def gather_images(
    reader: IndexReader, sides: Mapping[str, SideColumns] | None = None
) -> ImageCollection:
    """Return every image of a build that has an embedding, with all that is known of it.

    `sides` are found by the record's `source_id`; without them the source is the dataset.

    Raises
    ------
    UnknownNameError
        The index holds no images.
    """
    rows, first = np.unique(reader.rows_of("image"), return_index=True)
    table: Any = reader.table.take(rows)
    sides = sides or {}
    own = [sides.get(name, SideColumns()) for name in _texts(table, "source_id")]
    datasets = _texts(table, "dataset")
    record_ids = _strings(table, "record_id")
    cases = _strings(table, "case_id")
    return ImageCollection(
        record_ids=record_ids,
        vectors=np.asarray(reader.vectors("image")[first], np.float32),
        captions=_texts(table, "caption"),
        long_texts=[side.long_text for side in own],
        modalities=_strings(table, "modality"),
        body_parts=_strings(table, "body_part"),
        sources=_array([side.source or name for side, name in zip(own, datasets, strict=True)]),
        cases=np.where(cases == "", record_ids, cases),
        labels=_sets(table, "labels"),
        concepts=_sets(table, "concepts"),
        digests=_strings(table, "image_sha256"),
        hashes=to_hashes(table.column("image_hash").to_pylist()),
    )


def text_embedder(encoder: TextEncoder) -> EncodeTexts:
    """Return what embeds queries by the text tower of an encoder; each text is embedded once."""
    known: dict[str, Vectors] = {}

    def encode(texts: Sequence[str]) -> Vectors:
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        for start in range(0, len(missing), _TEXTS_AT_ONCE):
            part = missing[start : start + _TEXTS_AT_ONCE]
            known.update(zip(part, encoder.encode_texts(part, "query"), strict=True))
        found = [known[text] for text in texts]
        return np.stack(found) if found else np.zeros((0, encoder.spec.dim), np.float32)

    return encode


def to_hashes(raw: Sequence[bytes | None]) -> "np.ndarray[Any, np.dtype[np.uint64]]":
    """Return perceptual hashes of 32 bytes as uint64 (n, 4); a missing one becomes zeros."""
    width = _HASH_WORDS * 8
    joined = b"".join((one or b"").ljust(width, b"\0")[:width] for one in raw)
    return np.frombuffer(joined, np.uint64).reshape(-1, _HASH_WORDS)


def _texts(table: Any, name: str) -> list[str]:
    return [value or "" for value in table.column(name).to_pylist()]


def _strings(table: Any, name: str) -> Strings:
    return _array(_texts(table, name))


def _array(values: Sequence[str]) -> Strings:
    return np.array(values, np.str_) if values else np.zeros(0, "U1")


def _sets(table: Any, name: str) -> list[frozenset[str]]:
    return [frozenset(value or ()) for value in table.column(name).to_pylist()]

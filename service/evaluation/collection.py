"""The images that an evaluation searches: their embeddings and what is known of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from indexer.pixels.resize import NEAR_DUPLICATE_BITS
from service.evaluation.regions import name_region

Strings = npt.NDArray[np.str_]
Mask = npt.NDArray[np.bool_]
Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

EncodeTexts = Callable[[Sequence[str]], Vectors]
"""Turns texts into unit rows float32 (n, d) of the space that the images' embeddings live in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCollection:
    """Labelled images with embeddings, row by row.

    `vectors` float32 (n, d), unit rows. "" stands for "not stated" in columns of strings, but
    `cases` are never "": an image of unknown case is its own case. `concepts` are UMLS CUIs.
    `hashes` uint64 (n, 4) are perceptual, `digests` the sha256 of the source bytes; an image
    without a hash has a row of zeros and is nobody's near-duplicate.
    """

    record_ids: Strings
    vectors: Vectors
    captions: Sequence[str]
    long_texts: Sequence[str]
    modalities: Strings
    body_parts: Strings
    sources: Strings
    cases: Strings
    labels: Sequence[frozenset[str]]
    concepts: Sequence[frozenset[str]]
    digests: Strings
    hashes: Hashes

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.record_ids)

    @property
    def places(self) -> Strings:
        """Modality and body part as one string each, "" where either is not stated."""
        joined = np.char.add(np.char.add(self.modalities, " / "), self.body_parts)
        return np.where((self.modalities != "") & (self.body_parts != ""), joined, "")

    def other_cases(self, row: int) -> Mask:
        """Return which images `row` may find: not those of its case, not its near-duplicates."""
        return np.asarray((self.cases != self.cases[row]) & ~self.near_duplicates(row))

    def near_duplicates(self, row: int) -> Mask:
        """Return which images look the same as `row`, by exact or perceptual hash."""
        own = self.hashes[row]
        same = (self.digests == self.digests[row]) & (self.digests != "")
        if not own.any():
            return np.asarray(same)
        bits = np.bitwise_count(self.hashes ^ own).sum(axis=1)
        return np.asarray(same | ((bits <= NEAR_DUPLICATE_BITS) & self.hashes.any(axis=1)))

    def named_alike(self) -> "ImageCollection":
        """Return the same images, body parts of several sources by the names that all share."""
        if len(np.unique(self.sources)) < 2:
            return self
        regions = [name_region(part) for part in self.body_parts.tolist()]
        return replace(self, body_parts=np.array(regions, np.str_))

    def select(self, rows: Rows) -> "ImageCollection":
        """Return the collection of these rows, in this order."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            is_array = isinstance(value, np.ndarray)
            values[name] = value[rows] if is_array else [value[row] for row in rows]
        return ImageCollection(**values)


def known_item_rows(texts: Sequence[str], cases: Strings) -> Rows:
    """Return the rows, int64, whose text is stated and borne by no image of another case.

    Captions made from a template ("Chest radiograph, normal.") name a class, not an image: they
    cannot be found again by it, so they are no known-item queries.
    """
    bearers: dict[str, set[str]] = {}
    for text, case in zip(texts, cases.tolist(), strict=True):
        bearers.setdefault(text, set()).add(case)
    rows = [row for row, text in enumerate(texts) if text and len(bearers[text]) == 1]
    return np.array(rows, np.int64)


def join_collections(parts: Sequence[ImageCollection]) -> ImageCollection:
    """Return several collections of one embedding space as one."""
    joined: dict[str, Any] = {}
    for field in fields(ImageCollection):
        columns = [getattr(part, field.name) for part in parts]
        is_array = isinstance(columns[0], np.ndarray)
        joined[field.name] = np.concatenate(columns) if is_array else list(chain(*columns))
    return ImageCollection(**joined)

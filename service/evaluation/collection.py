"""The images that an evaluation searches: their embeddings and what is known of each."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Strings = npt.NDArray[np.str_]
Mask = npt.NDArray[np.bool_]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCollection:
    """Labelled images with embeddings, row by row.

    `vectors` float32 (n, d), unit rows. "" stands for "not stated" in `modalities`, `body_parts`
    and `captions`. `cases` are never "": an image of unknown case is its own case.
    """

    record_ids: Strings
    vectors: Vectors
    captions: Strings
    modalities: Strings
    body_parts: Strings
    labels: Sequence[frozenset[str]]
    cases: Strings

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.record_ids)

    def unique_captions(self) -> npt.NDArray[np.int64]:
        """Return the rows whose caption no other row shares.

        Captions made from a template ("Chest radiograph, normal.") name a class, not an image:
        they cannot be found again by it, so they are no known-item queries.
        """
        counts = Counter(self.captions.tolist())
        rows = [row for row, text in enumerate(self.captions) if text and counts[text] == 1]
        return np.array(rows, np.int64)

    def other_cases(self, row: int) -> Mask:
        """Return which images belong to another case than `row`'s, itself left out."""
        return np.asarray(self.cases != self.cases[row])

    def select(self, rows: npt.NDArray[np.int64]) -> "ImageCollection":
        """Return the collection of these rows, in this order."""
        return ImageCollection(
            record_ids=self.record_ids[rows],
            vectors=self.vectors[rows],
            captions=self.captions[rows],
            modalities=self.modalities[rows],
            body_parts=self.body_parts[rows],
            labels=[self.labels[row] for row in rows],
            cases=self.cases[rows],
        )


EncodeQueries = Callable[[Sequence[str]], Vectors]
"""Turns texts into unit rows float32 (n, d) of the space that the images' embeddings live in."""

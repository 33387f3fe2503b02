"""What models can do: embed texts, embed images, score pairs. Adapters load models, nobody else."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from indexer.encoders.spec import EncoderSpec, Fingerprint, ImageInput, RerankerSpec, TextRole

Embeddings: TypeAlias = npt.NDArray[np.float32]
Scores: TypeAlias = npt.NDArray[np.float32]
PixelBatch: TypeAlias = npt.NDArray[np.uint8]


@runtime_checkable
class TextEncoder(Protocol):
    """Turns texts into unit rows."""

    @property
    def spec(self) -> EncoderSpec:
        """The catalogue entry that was loaded."""
        ...

    @property
    def text_fingerprint(self) -> Fingerprint:
        """The identity of the text tower; equal fingerprints share one embedding space exactly."""
        ...

    def encode_texts(self, texts: Sequence[str], role: TextRole) -> Embeddings:
        """Return float32 (n, dim) with unit rows, in the order given; no texts give (0, dim).

        Thread-safe. On CPU each text's embedding is independent of its neighbours, bit for bit:
        it is padded to a length that depends on itself alone and computed on one thread.
        """
        ...


@runtime_checkable
class ImageEncoder(Protocol):
    """Turns prepared pixels into unit rows of the space that its own text tower shares."""

    @property
    def spec(self) -> EncoderSpec:
        """The catalogue entry that was loaded."""
        ...

    @property
    def image_fingerprint(self) -> Fingerprint:
        """The identity of the image tower."""
        ...

    @property
    def image_input(self) -> ImageInput:
        """The size and manner of resizing that the tower expects."""
        ...

    def encode_images(self, pixels: PixelBatch) -> Embeddings:
        """Return float32 (n, dim) with unit rows for uint8 (n, px, px, 3); none give (0, dim).

        Thread-safe; on CPU batch-invariant, bit for bit, as `encode_texts`.

        Raises
        ------
        ValueError
            The array is not uint8 or not of the shape that `image_input` asks for.
        """
        ...


class Reranker(Protocol):
    """Scores how well texts answer a query, reading both together."""

    @property
    def spec(self) -> RerankerSpec:
        """The catalogue entry that was loaded."""
        ...

    def score(self, query: str, texts: Sequence[str]) -> Scores:
        """Return float32 (n,), higher for better, in the order given; no texts give (0,).

        Thread-safe. Scores of one model and query are comparable; their scale means nothing else.
        """
        ...

"""An image tower and a text tower under one name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.encoders.image_tower import SquareImageEncoder
from indexer.encoders.spec import EncoderSpec, Fingerprint, ImageInput, TextRole
from indexer.encoders.text_tower import WindowedTextEncoder

if TYPE_CHECKING:
    from indexer.encoders.base import Embeddings, PixelBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class DualEncoder:
    """Embeds images and texts into one space: a `TextEncoder` and an `ImageEncoder`."""

    spec: EncoderSpec
    text: WindowedTextEncoder
    image: SquareImageEncoder

    @property
    def text_fingerprint(self) -> Fingerprint:
        """The identity of the text tower."""
        return self.text.text_fingerprint

    @property
    def image_fingerprint(self) -> Fingerprint:
        """The identity of the image tower."""
        return self.image.image_fingerprint

    @property
    def image_input(self) -> ImageInput:
        """The size and manner of resizing that the image tower expects."""
        return self.image.image_input

    def encode_texts(self, texts: Sequence[str], role: TextRole) -> "Embeddings":
        """Return float32 (n, dim) with unit rows, in the order given; no texts give (0, dim)."""
        return self.text.encode_texts(texts, role)

    def encode_images(self, pixels: "PixelBatch") -> "Embeddings":
        """Return float32 (n, dim) with unit rows for uint8 (n, px, px, 3); none give (0, dim)."""
        return self.image.encode_images(pixels)

"""Embeds what clients send into the spaces of the live indexes, outside of any search."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from indexer.encoders.base import TextEncoder
from indexer.encoders.spec import TextRole
from indexer.errors import QueryError, UnknownNameError
from indexer.store.reader import IndexReader
from service.retrieval.encoding import QueryEncoders
from service.retrieval.spaces import Space

Embeddings = npt.NDArray[np.float32]


class Model:
    """The encoder that live indexes name `key`; its towers may serve other names, too."""

    def __init__(self, key: str, readers: Iterable[IndexReader], encoders: QueryEncoders) -> None:
        """Find the spaces of that name.

        Raises
        ------
        UnknownNameError
            No live index was built with an encoder of that name.
        """
        spaces = [
            space
            for reader in readers
            for field in reader.manifest.fields
            if (space := Space.of(reader, field)) is not None
        ]
        self._key = key
        self._encoders = encoders
        self._spaces = [space for space in spaces if space.encoder == key]
        if not self._spaces:
            raise UnknownNameError("model", key, {space.encoder for space in spaces})

    @property
    def dim(self) -> int:
        """The length of its embeddings."""
        return self._spaces[0].dim

    def embed(self, contents: Sequence[str | bytes], role: TextRole = "query") -> Embeddings:
        """Embed texts and image files: float32 (n, d), unit rows, in the order given.

        Raises
        ------
        QueryError
            It reads no texts, or sees no images.
        DecodeError
            An image cannot be decoded.
        EncoderError
            It cannot be loaded here, or is not the one that the indexes were built with.
        """
        texts = [one for one in contents if isinstance(one, str)]
        files = [one for one in contents if isinstance(one, bytes)]
        is_text = np.array([isinstance(one, str) for one in contents], np.bool_)
        rows = np.empty((len(contents), self.dim), np.float32)
        if texts:
            rows[is_text] = self._reader_of_texts().encode_texts(texts, role)
        if files:
            rows[~is_text] = self._embed_files(files)
        return rows

    def _reader_of_texts(self) -> TextEncoder:
        # An index of images without captions names its encoder for the image tower alone.
        space = min(self._spaces, key=lambda space: space.tower[0] != "text")
        encoder = self._encoders.encoder(space)
        if not isinstance(encoder, TextEncoder):
            raise QueryError(f"{self._key!r} reads no texts.", remedy="Send images as data URLs.")
        return encoder

    def _embed_files(self, files: Sequence[bytes]) -> Embeddings:
        space = min(self._spaces, key=lambda space: space.tower[0] != "image")
        if space.tower[0] != "image":
            raise QueryError(
                f"No index of images was built with {self._key!r}.",
                remedy="Send texts, or name the model of an image index.",
            )
        return np.stack([self._encoders.embed_image(space, raw) for raw in files])

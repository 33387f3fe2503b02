"""Embeds what clients send with a loaded encoder, outside of any search."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from indexer.encoders.base import ImageEncoder, TextEncoder
from indexer.encoders.spec import TextRole
from indexer.errors import DecodeError, QueryError
from service.retrieval.encoding import QueryEncoders


def embed(
    encoders: QueryEncoders,
    key: str,
    contents: Sequence[str | bytes],
    *,
    role: TextRole = "query",
    dimensions: int | None = None,
) -> npt.NDArray[np.float32]:
    """Embed texts and image files with the encoder `key`: float32 (n, d), unit rows, in order.

    Raises
    ------
    UnknownNameError
        No loaded encoder has that key.
    QueryError
        It reads no texts, sees no images, or its embeddings have other `dimensions`.
    DecodeError
        An image cannot be decoded.
    """
    encoder = encoders.named(key)
    dim = encoder.spec.dim
    if dimensions not in {None, dim}:
        raise QueryError(
            f"The embeddings of {key!r} have {dim} dimensions and cannot be shortened.",
            remedy=f"Leave dimensions out, or give {dim}.",
        )
    texts = [one for one in contents if isinstance(one, str)]
    files = [one for one in contents if isinstance(one, bytes)]
    is_text = np.array([isinstance(one, str) for one in contents], np.bool_)
    rows = np.empty((len(contents), dim), np.float32)
    if texts:
        if not isinstance(encoder, TextEncoder):
            raise QueryError(f"{key!r} reads no texts.", remedy="Send images as data URLs.")
        rows[is_text] = encoder.encode_texts(texts, role)
    if files:
        if not isinstance(encoder, ImageEncoder):
            raise QueryError(f"{key!r} sees no images.", remedy="Send texts.")
        if encoders.decode is None:
            raise DecodeError("Images cannot be decoded here.", remedy="Send texts.")
        decoded = [encoders.decode(raw, encoder.image_input).pixels for raw in files]
        rows[~is_text] = encoder.encode_images(np.stack(decoded))
    return rows

"""Decodes uploaded images in worker processes that may die without harm."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from indexer.encoders.spec import ImageInput
from indexer.pixels.decode import DecodeRequest
from indexer.pixels.limits import UPLOAD_LIMITS
from indexer.pixels.pool import DecodePool
from service.retrieval.encoding import Decode, QueryImage

# A decoded image always comes with a thumbnail; of a query nobody wants one.
_UNUSED_THUMBNAIL_PX = 16


@contextmanager
def start_decoder(workers: int, max_file_bytes: int) -> Iterator[Decode]:
    """Start worker processes and yield a function that decodes one image's bytes with them."""
    limits = replace(UPLOAD_LIMITS, max_file_bytes=max_file_bytes)
    with DecodePool(workers, limits) as pool:

        def decode(raw: bytes, wanted: ImageInput) -> QueryImage:
            request = DecodeRequest(
                raw=raw, px=wanted.px, resize=wanted.resize, thumbnail_px=_UNUSED_THUMBNAIL_PX
            )
            image = pool.decode_one(request)
            return QueryImage(image.pixels, image.fingerprint_bits)

        yield decode

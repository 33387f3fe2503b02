"""Decodes uploaded images in worker processes that may die without harm."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from indexer.encoders.spec import ImageInput
from indexer.pixels.archives import ArchiveRequest
from indexer.pixels.ct_windows import CT_WINDOWS, WindowName
from indexer.pixels.decode import DecodeRequest
from indexer.pixels.limits import UPLOAD_LIMITS
from indexer.pixels.pool import DecodePool
from service.retrieval.encoding import QueryImage

PREVIEW_PX = 512
# A decoded image always comes with a thumbnail and with a square for a tower; a query has no use
# for the one, a preview none for the other.
_UNUSED_PX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How an upload was read: a JPEG without metadata, and the size of the upright image."""

    jpeg: bytes = field(repr=False)
    width_px: int
    height_px: int


class UploadDecoder:
    """Decodes foreign bytes with a pool of worker processes. Thread-safe; blocks meanwhile."""

    def __init__(self, pool: DecodePool) -> None:
        self._pool = pool

    def __call__(self, raw: bytes, wanted: ImageInput) -> QueryImage:
        """Return an image as a tower wants it.

        Raises
        ------
        DecodeError
            Not a readable image, or one beyond the limits.
        """
        request = DecodeRequest(
            raw=raw, px=wanted.px, resize=wanted.resize, thumbnail_px=_UNUSED_PX, by_window=True
        )
        image = self._pool.decode_one(request)
        return QueryImage(image.pixels, image.fingerprint_bits, image.by_window)

    def unpack(self, raw: bytes, most: int) -> list[bytes]:
        """Return the image files of a zip archive, at most `most` of them, spread evenly.

        Raises
        ------
        DecodeError
            It is damaged, holds no image, or is beyond the limits.
        """
        return self._pool.unpack(ArchiveRequest(raw, most))

    def preview(self, raw: bytes, window: WindowName | None = None) -> Preview:
        """Return what people see of an image: CT in a preset, or in the window that it states.

        Raises
        ------
        DecodeError
            As for a query.
        """
        chosen = None if window is None else CT_WINDOWS[window]
        request = DecodeRequest(
            raw=raw, px=_UNUSED_PX, resize="squash", thumbnail_px=PREVIEW_PX, window=chosen
        )
        image = self._pool.decode_one(request)
        return Preview(jpeg=image.thumbnail, width_px=image.width_px, height_px=image.height_px)


@contextmanager
def start_decoder(workers: int, max_file_bytes: int) -> Iterator[UploadDecoder]:
    """Start worker processes and yield what decodes one image's bytes with them."""
    limits = replace(UPLOAD_LIMITS, max_file_bytes=max_file_bytes)
    with DecodePool(workers, limits) as pool:
        yield UploadDecoder(pool)

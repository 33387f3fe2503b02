"""Decodes uploaded images in worker processes that may die without harm."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from indexer.encoders.spec import ImageInput
from indexer.errors import DecodeError, NotAnImageError
from indexer.pixels.archives import ZIP_MAGIC, ArchiveRequest
from indexer.pixels.ct_windows import CT_WINDOWS, WindowName
from indexer.pixels.decode import DecodedImage, DecodeRequest
from indexer.pixels.limits import UPLOAD_LIMITS, Patience
from indexer.pixels.pool import DecodePool
from service.retrieval.encoding import QueryImage
from service.retrieval.patience import current_patience
from service.retrieval.query import SeriesSource
from service.retrieval.series_slices import files_of_series

PREVIEW_PX = 512
# A decoded image always comes with a square for a tower, for which a preview has no use.
_UNUSED_PX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewSlice:
    """One image as it was read: a JPEG without metadata, and the size of the upright image."""

    jpeg: bytes = field(repr=False)
    width_px: int
    height_px: int
    slice_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How an upload was read: the slices that would be compared, of `images` that were sent.

    They are in the order of their slice numbers, if all state one. `windows` are those in which
    the middle slice shows something, the leading one first; none if it is no CT, or if a window
    was asked for.
    """

    slices: tuple[PreviewSlice, ...]
    images: int
    windows: tuple[WindowName, ...] = ()


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
            raw=raw, px=wanted.px, resize=wanted.resize, thumbnail_px=0, by_window=True
        )
        image = self._pool.decode_one(request, current_patience())
        return QueryImage(image.pixels, image.fingerprint_bits, image.by_window)

    def unpack(self, raw: bytes, most: int) -> list[bytes]:
        """Return the image files of a zip archive, at most `most` of them, spread evenly.

        Raises
        ------
        DecodeError
            It is damaged, holds no image, or is beyond the limits.
        """
        return self._pool.unpack(ArchiveRequest(raw, most), current_patience()).files

    def preview(self, files: Sequence[bytes], window: WindowName | None = None) -> Preview:
        """Return what people see of an upload: CT in a preset, or in the window that it states.

        Files without an image of their own, such as reports, are left out.

        Raises
        ------
        DecodeError
            As for a query.
        """
        images = 0
        patience = Patience(UPLOAD_LIMITS.wall_clock_s)

        def unpack(raw: bytes, most: int) -> list[bytes]:
            nonlocal images
            unpacked = self._pool.unpack(ArchiveRequest(raw, most), patience)
            images += unpacked.images
            return unpacked.files

        chosen = files_of_series(SeriesSource(tuple(files)), unpack)
        images += sum(not raw.startswith(ZIP_MAGIC) for raw in files)
        looks = (_look_at(raw, window) for raw in chosen)
        seen = _in_order(_readable(self._pool.decode(looks, patience)))
        return Preview(
            slices=tuple(
                PreviewSlice(
                    jpeg=one.thumbnail,
                    width_px=one.width_px,
                    height_px=one.height_px,
                    slice_number=one.slice_number,
                )
                for one in seen
            ),
            images=images,
            windows=tuple(seen[len(seen) // 2].by_window),
        )


def _look_at(raw: bytes, window: WindowName | None) -> DecodeRequest:
    return DecodeRequest(
        raw=raw,
        px=_UNUSED_PX,
        resize="squash",
        thumbnail_px=PREVIEW_PX,
        window=None if window is None else CT_WINDOWS[window],
        by_window=window is None,
    )


def _readable(outcomes: Iterator[DecodedImage | DecodeError]) -> list[DecodedImage]:
    """Return the images; what is no image is left out, unless there is nothing else."""
    seen: list[DecodedImage] = []
    failure: NotAnImageError | None = None
    for outcome in outcomes:
        match outcome:
            case NotAnImageError():
                failure = outcome
            case DecodeError():
                raise outcome
            case _:
                seen.append(outcome)
    if failure is not None and not seen:
        raise failure
    return seen


def _in_order(seen: list[DecodedImage]) -> list[DecodedImage]:
    """Return slices by their numbers, or as they came if one states none."""
    numbers = [one.slice_number for one in seen if one.slice_number is not None]
    if len(numbers) < len(seen):
        return seen
    return [seen[place] for place in sorted(range(len(seen)), key=numbers.__getitem__)]


@contextmanager
def start_decoder(workers: int, max_file_bytes: int) -> Iterator[UploadDecoder]:
    """Start worker processes and yield what decodes one image's bytes with them."""
    limits = replace(UPLOAD_LIMITS, max_file_bytes=max_file_bytes)
    with DecodePool(workers, limits) as pool:
        yield UploadDecoder(pool)

"""One image from its bytes to what an index needs of it: square pixels, thumbnail, hashes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from indexer.encoders.spec import Resize
from indexer.errors import LimitExceededError
from indexer.pixels import dicom, raster
from indexer.pixels.colour import Pixels
from indexer.pixels.ct_windows import WindowName
from indexer.pixels.limits import BUILD_LIMITS, DecodeLimits
from indexer.pixels.resize import (
    THUMBNAIL_PX,
    make_fingerprint,
    make_square,
    make_thumbnail,
)
from indexer.pixels.sniff import sniff_format
from indexer.pixels.source import read_image_bytes
from indexer.pixels.window import Window
from indexer.records import ImageRef


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeRequest:
    """Which image to decode, and to what size.

    The image is either `raw` (uploaded bytes, of which `frame` is wanted) or the one that `ref`
    names below `root` (its own frame). `window` overrides the window of grey medical values;
    `by_window` asks for a CT slice in each window that fits it as well, `window_thumbnails` for
    thumbnails of these. With a `thumbnail_px` of 0 no thumbnail is made.

    Raises
    ------
    ValueError
        Neither, or both, of `raw` and `root` with `ref` are given; or `window` with `by_window`.
    """

    px: int
    resize: Resize
    thumbnail_px: int = THUMBNAIL_PX
    root: Path | None = None
    ref: ImageRef | None = None
    raw: bytes | None = None
    frame: int = 0
    window: Window | None = None
    by_window: bool = False
    window_thumbnails: bool = False

    def __post_init__(self) -> None:
        """Refuse a request that names no image or two, or contradicts itself."""
        if self.window is not None and self.by_window:
            message = "a DecodeRequest asks for one window or for those that fit, not for both"
            raise ValueError(message)
        named = self.root is not None and self.ref is not None
        if named == (self.raw is not None) or (self.root is None) != (self.ref is None):
            message = "a DecodeRequest needs either raw bytes, or a root and a reference"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedImage:
    """What is kept of an image.

    `pixels` is uint8 (px, px, 3); `thumbnail` a JPEG without metadata, empty if none was asked for;
    `sha256` that of the source bytes (hex); `width_px` and `height_px` those of the upright image;
    `fingerprint_bits` 256 perceptual bits, to be compared by `resize.fingerprint_distance`.
    `by_window` holds grey pixels (px, px) of a CT slice, the leading window first; none unless they
    were asked for. `window_thumbnails` are JPEG, too.
    `slice_number` is DICOM's Instance Number, read where a window or windows are asked for.
    """

    pixels: Pixels
    thumbnail: bytes
    sha256: str
    width_px: int
    height_px: int
    fingerprint_bits: bytes
    by_window: Mapping[WindowName, Pixels] = field(default_factory=dict)
    slice_number: int | None = None
    window_thumbnails: Mapping[WindowName, bytes] = field(default_factory=dict)


def decode_image(request: DecodeRequest, limits: DecodeLimits = BUILD_LIMITS) -> DecodedImage:
    """Decode in this process; foreign bytes belong into a `DecodePool` instead.

    Raises
    ------
    NotAnImageError
        A DICOM object without an image of its own.
    LimitExceededError
        Larger than `limits` allow.
    DecodeError
        Absent, unreadable, damaged, cut short, or of an unknown format.
    """
    raw = _read(request, limits)
    frame = request.frame if request.ref is None else request.ref.frame
    try:
        views = None
        if sniff_format(raw) == "dicom":
            views = _read_dicom(raw, frame, request, limits)
            image = Image.fromarray(views.shown)
        else:
            image = raster.open_raster(raw, limits=limits, window=request.window)
        return DecodedImage(
            pixels=make_square(image, request.px, request.resize),
            thumbnail=make_thumbnail(image, request.thumbnail_px) if request.thumbnail_px else b"",
            sha256=hashlib.sha256(raw).hexdigest(),
            width_px=image.width,
            height_px=image.height,
            fingerprint_bits=make_fingerprint(image),
            by_window={
                name: make_square(Image.fromarray(grey), request.px, request.resize)[:, :, 0]
                for name, grey in (views.by_window if views else {}).items()
            },
            slice_number=views.slice_number if views else None,
            window_thumbnails={
                name: make_thumbnail(Image.fromarray(grey), request.thumbnail_px)
                for name, grey in (views.by_window if views else {}).items()
                if request.window_thumbnails
            },
        )
    except MemoryError as error:
        raise LimitExceededError("The image needs more memory than it may have.") from error


def _read_dicom(
    raw: bytes, frame: int, request: DecodeRequest, limits: DecodeLimits
) -> dicom.Views:
    """Return a frame as it is to be shown, and by window if that is asked for."""
    if request.by_window:
        return dicom.decode_views(raw, frame, limits=limits)
    shown = dicom.decode_grey_or_colour(raw, frame=frame, window=request.window, limits=limits)
    if request.window is None:
        return dicom.Views(shown)
    number = dicom.read_header(raw, limits).instance_number
    return dicom.Views(shown, slice_number=number)


def _read(request: DecodeRequest, limits: DecodeLimits) -> bytes:
    """Return the source bytes."""
    if request.raw is not None:
        return request.raw
    if request.root is None or request.ref is None:
        message = "a DecodeRequest needs either raw bytes, or a root and a reference"
        raise ValueError(message)
    return read_image_bytes(request.root, request.ref, limits)

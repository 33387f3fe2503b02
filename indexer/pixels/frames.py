"""What a decode pool and its workers say to one another. Nothing is pickled.

A message is the length of a JSON header (4 bytes, big-endian), the header, and the blobs whose
lengths the header lists.
"""

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np

from indexer.errors import DecodeError, LimitExceededError, NotAnImageError
from indexer.pixels.archives import MAX_MEMBERS, ArchiveRequest, Unpacked
from indexer.pixels.ct_windows import window_named
from indexer.pixels.decode import DecodedImage, DecodeRequest
from indexer.pixels.window import Window
from indexer.records import ImageRef

LENGTH_BYTES: Final = 4
MAX_HEADER_BYTES: Final = 1 << 16
MAX_THUMBNAIL_BYTES: Final = 1 << 22
BLOBS: Final = "blob_bytes"
WITHIN: Final = "within_s"

_ERRORS: Final[Mapping[str, type[DecodeError]]] = {
    error.__name__: error for error in (DecodeError, LimitExceededError, NotAnImageError)
}

ReadInto: TypeAlias = Callable[[memoryview], None]
"""Fills a buffer completely, or raises."""

Part: TypeAlias = bytes | memoryview

Answer = TypeVar("Answer")


class ProtocolError(Exception):
    """The other side does not keep to the protocol."""


def pack_request(request: DecodeRequest, within_s: float) -> list[Part]:
    """Return the parts of a request's message; the worker has `within_s` for it."""
    header: dict[str, Any] = {
        "px": request.px,
        "resize": request.resize,
        "thumbnail_px": request.thumbnail_px,
        "frame": request.frame,
        "by_window": request.by_window,
        "window_thumbnails": request.window_thumbnails,
        WITHIN: within_s,
    }
    if request.window is not None:
        header["window"] = [request.window.centre_hu, request.window.width_hu]
    if request.ref is not None:
        header["root"] = str(request.root)
        header["ref"] = [request.ref.path, request.ref.frame, request.ref.row]
    return _pack(header, [] if request.raw is None else [request.raw])


def pack_archive_request(request: ArchiveRequest, within_s: float) -> list[Part]:
    """Return the parts of the message that asks for the files of an archive, as `pack_request`."""
    return _pack({"most": request.most, WITHIN: within_s}, [request.raw])


def read_request(read_into: ReadInto) -> tuple[DecodeRequest | ArchiveRequest, float]:
    """Read a request's message; return it and the seconds that there are for it."""
    header = _read_header(read_into)
    blobs = [bytes(_receive(read_into, size)) for size in header[BLOBS]]
    if "most" in header:
        return ArchiveRequest(blobs[0], header["most"]), header[WITHIN]
    ref = None
    if "ref" in header:
        path, frame, row = header["ref"]
        ref = ImageRef(path=path, frame=frame, row=row)
    wanted = DecodeRequest(
        px=header["px"],
        resize=header["resize"],
        thumbnail_px=header["thumbnail_px"],
        root=Path(header["root"]) if ref is not None else None,
        ref=ref,
        raw=blobs[0] if blobs else None,
        frame=header["frame"],
        window=Window(*header["window"]) if "window" in header else None,
        by_window=header["by_window"],
        window_thumbnails=header["window_thumbnails"],
    )
    return wanted, header[WITHIN]


def pack_image(image: DecodedImage) -> list[Part]:
    """Return the parts of the message that answers a request; the pixels are not copied."""
    header = {
        "sha256": image.sha256,
        "width_px": image.width_px,
        "height_px": image.height_px,
        "fingerprint": image.fingerprint_bits.hex(),
        "by_window": list(image.by_window),
        "slice_number": image.slice_number,
    }
    planes = [image.pixels, *image.by_window.values()]
    sent = [np.ascontiguousarray(plane).data.cast("B") for plane in planes]
    thumbnails = [
        image.window_thumbnails[name] for name in image.by_window if image.window_thumbnails
    ]
    return _pack(header, [sent[0], image.thumbnail, *sent[1:], *thumbnails])


def pack_files(unpacked: Unpacked) -> list[Part]:
    """Return the parts of the message that answers a request for the files of an archive."""
    return _pack({"images": unpacked.images}, unpacked.files)


def read_files(read_into: ReadInto, most: int, limit_bytes: int) -> Unpacked:
    """Read the answer to a request for the files of an archive: `most` of them at most.

    Raises
    ------
    DecodeError
        The answer says why there are none.
    ProtocolError
        The answer makes no sense.
    """

    def read(header: Mapping[str, Any]) -> Unpacked:
        sizes = [int(size) for size in header[BLOBS]]
        images = int(header["images"])
        if len(sizes) > most or any(size < 0 for size in sizes) or sum(sizes) > limit_bytes:
            message = "blobs of an impossible size"
            raise ValueError(message)
        if not len(sizes) <= images <= MAX_MEMBERS:
            message = "an impossible number of images"
            raise ValueError(message)
        return Unpacked([bytes(_receive(read_into, size)) for size in sizes], images)

    return _read_answer(read_into, read)


def pack_error(error: DecodeError) -> list[Part]:
    """Return the parts of the message that says why there is no image."""
    header = {"error": type(error).__name__, "message": error.message, "remedy": error.remedy}
    return _pack(header, [])


def read_answer(read_into: ReadInto, px: int) -> DecodedImage:
    """Read the answer to a request for `px`; the pixels stay in the buffer they arrive in.

    The worker is not trusted: it may have been taken over by what it decoded.

    Raises
    ------
    DecodeError
        The answer says why there is no image.
    ProtocolError
        The answer makes no sense.
    """
    return _read_answer(read_into, lambda header: _read_image(header, read_into, px))


def _read_answer(read_into: ReadInto, read: Callable[[Mapping[str, Any]], Answer]) -> Answer:
    """Read an answer's header, then the rest by `read`; or raise what the answer says."""
    try:
        header = _read_header(read_into)
        if "error" in header:
            error = _ERRORS[header["error"]](header["message"], remedy=header["remedy"])
        else:
            return read(header)
    except (ValueError, LookupError, TypeError) as cause:
        raise ProtocolError("the answer makes no sense") from cause
    raise error


def _read_image(header: Mapping[str, Any], read_into: ReadInto, px: int) -> DecodedImage:
    """Read the blobs of an image and check them."""
    windows = tuple(map(window_named, header["by_window"]))
    pixel_bytes, thumbnail_bytes, *more = header[BLOBS]
    window_bytes, jpeg_bytes = more[: len(windows)], more[len(windows) :]
    if (
        pixel_bytes != px * px * 3
        or window_bytes != [px * px] * len(set(windows))
        or len(jpeg_bytes) not in {0, len(windows)}
        or not all(0 <= size <= MAX_THUMBNAIL_BYTES for size in (thumbnail_bytes, *jpeg_bytes))
    ):
        message = "blobs of an impossible size"
        raise ValueError(message)
    pixels = np.empty((px, px, 3), np.uint8)
    read_into(pixels.data.cast("B"))
    thumbnail = bytes(_receive(read_into, thumbnail_bytes))
    by_window = {name: np.empty((px, px), np.uint8) for name in windows}
    for plane in by_window.values():
        read_into(plane.data.cast("B"))
    jpegs = [bytes(_receive(read_into, size)) for size in jpeg_bytes]
    return DecodedImage(
        pixels=pixels,
        thumbnail=thumbnail,
        sha256=str(header["sha256"]),
        width_px=int(header["width_px"]),
        height_px=int(header["height_px"]),
        fingerprint_bits=bytes.fromhex(header["fingerprint"]),
        by_window=by_window,
        window_thumbnails=dict(zip(windows, jpegs, strict=bool(jpegs))),
        slice_number=None if header["slice_number"] is None else int(header["slice_number"]),
    )


def _pack(header: Mapping[str, Any], blobs: Sequence[Part]) -> list[Part]:
    """Put a message's parts in order."""
    text = json.dumps({**header, BLOBS: [len(blob) for blob in blobs]}).encode("ascii")
    return [struct.pack(">I", len(text)) + text, *blobs]


def _read_header(read_into: ReadInto) -> dict[str, Any]:
    """Read a message's header."""
    (length,) = struct.unpack(">I", _receive(read_into, LENGTH_BYTES))
    if length > MAX_HEADER_BYTES:
        message = "a header of an impossible size"
        raise ValueError(message)
    header: dict[str, Any] = json.loads(_receive(read_into, length))
    return header


def _receive(read_into: ReadInto, size: int) -> bytearray:
    """Receive exactly `size` bytes."""
    buffer = bytearray(size)
    read_into(memoryview(buffer))
    return buffer

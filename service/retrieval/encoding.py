"""Query encoders: loaded once, checked against the index, texts embedded at most once."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from indexer.encoders.base import ImageEncoder, TextEncoder
from indexer.encoders.spec import ImageInput
from indexer.errors import (
    DecodeError,
    EncoderError,
    EncoderMismatchError,
    EncoderUnavailableError,
    MedsearchError,
)
from indexer.pixels.ct_windows import WindowName
from indexer.pixels.looks import Look, look_at
from indexer.pixels.resize import as_rgb
from service.retrieval.spaces import Identity, Space, Tower, identity_of

Encoder: TypeAlias = TextEncoder | ImageEncoder
Vector: TypeAlias = npt.NDArray[np.float32]

_FAILURE_KEPT_S = 10.0
# Where only the fingerprint is wanted, which does not depend on the size.
_SMALLEST = ImageInput(px=8, resize="squash")


@dataclass(frozen=True, slots=True, eq=False)
class QueryImage:
    """A decoded query: pixels uint8 (px, px, 3) as a tower wants them, and 256 perceptual bits.

    `by_window` holds a CT slice in the windows that fit it, uint8 (px, px), the leading one first.
    """

    pixels: npt.NDArray[np.uint8]
    fingerprint: bytes
    by_window: Mapping[WindowName, npt.NDArray[np.uint8]] = dataclass_field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class SeenImage:
    """An image as a tower sees it: its embedding float32 (d,), and how it looks as it is shown.

    `window` is the one in which it was embedded if it is a CT slice.
    """

    vector: Vector
    look: Look
    window: WindowName | None = None


Decode: TypeAlias = Callable[[bytes, ImageInput], QueryImage]
Unpack: TypeAlias = Callable[[bytes, int], list[bytes]]
"""Returns so many image files of a zip archive at most."""


def _refuse_archive(raw: bytes, most: int) -> list[bytes]:  # noqa: ARG001 - as those that can
    raise DecodeError("Archives cannot be unpacked here.", remedy="Send the files themselves.")


@dataclass(frozen=True, slots=True)
class _Loaded:
    """An encoder by what it can do; asking its type anew for every query would be slow."""

    encoder: Encoder
    text: TextEncoder | None
    text_identity: Identity
    image: ImageEncoder | None

    @staticmethod
    def of(encoder: Encoder) -> "_Loaded":
        text = encoder if isinstance(encoder, TextEncoder) else None
        image = encoder if isinstance(encoder, ImageEncoder) else None
        return _Loaded(encoder, text, identity_of(text.text_fingerprint) if text else (), image)


class QueryEncoders:
    """Loads the encoders that indexes name and embeds queries with them. Thread-safe.

    `decode` turns an image file's bytes into the pixels that a tower wants; without it, image
    queries are refused. `unpack` reads the image files of a zip archive. `cached_texts` embeddings
    are kept, under a digest of their text.
    """

    def __init__(
        self,
        load: Callable[[str], Encoder],
        decode: Decode | None = None,
        *,
        unpack: Unpack = _refuse_archive,
        cached_texts: int = 4096,
    ) -> None:
        self._load = load
        self.unpack = unpack
        self._decode = decode
        self._cached_texts = cached_texts
        self._cache: OrderedDict[bytes, Vector] = OrderedDict()
        self._cache_lock = threading.Lock()
        self._load_lock = threading.Lock()
        self._loaded: dict[str, _Loaded] = {}
        self._towers: dict[Tower, _Loaded] = {}
        self._failed: dict[str, tuple[float, EncoderError]] = {}

    @property
    def loaded(self) -> frozenset[str]:
        """The keys of the encoders that are in memory."""
        return frozenset(self._loaded)

    def encoder(self, space: Space) -> Encoder:
        """Return the encoder of a space, loading it first if need be.

        Raises
        ------
        EncoderUnavailableError, EncoderError
            It cannot be loaded here. The reason is kept for some seconds and not tried again.
        EncoderMismatchError
            It loads, but is not the one that the index was built with.
        """
        return self._of(space).encoder

    def embed_text(self, space: Space, text: str) -> Vector:
        """Embed a query text into a space: float32 (d,), unit length.

        Raises
        ------
        EncoderError
            As `encoder`, or the space's encoder reads no text.
        """
        loaded = self._of(space)
        if loaded.text is None:
            raise EncoderMismatchError(
                f"The encoder {space.encoder!r} of the field {space.field!r} reads no text.",
                remedy="Search that index by image, or build it with an encoder of both kinds.",
            )
        key = _cache_key(loaded.text_identity, text)
        with self._cache_lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
        vector: Vector = loaded.text.encode_texts([text], "query")[0]
        with self._cache_lock:
            self._cache[key] = vector
            while len(self._cache) > self._cached_texts:
                self._cache.popitem(last=False)
        return vector

    def embed_image(self, space: Space, raw: bytes) -> Vector:
        """Decode an image file and embed it as it is shown into a space: float32 (d,), unit length.

        Raises
        ------
        DecodeError, EncoderError
            As `see_image`.
        """
        image = self._image_tower(space)
        return _embed(image, self._see(raw, image.image_input).pixels)

    def see_image(self, space: Space, raw: bytes, windows: Sequence[WindowName] = ()) -> SeenImage:
        """Decode an image file, look at it, and embed it: a CT slice in one of its windows.

        It is the first of `windows` that fits the slice, or the leading one of those that fit; what
        is no CT slice is embedded as it is shown.

        Raises
        ------
        DecodeError
            The bytes are no readable image, or ask for more than the limits allow.
        EncoderError
            As `encoder`, or the space's encoder sees no images.
        """
        image = self._image_tower(space)
        seen = self._see(raw, image.image_input)
        fitting = [*(name for name in windows if name in seen.by_window), *seen.by_window]
        window = fitting[0] if fitting else None
        pixels = seen.pixels if window is None else as_rgb(seen.by_window[window])
        return SeenImage(_embed(image, pixels), look_at(seen.pixels), window)

    def fingerprint(self, raw: bytes) -> bytes:
        """Decode an image file for its 256 perceptual bits alone.

        Raises
        ------
        DecodeError
            As `see_image`.
        """
        return self._see(raw, _SMALLEST).fingerprint

    def _image_tower(self, space: Space) -> ImageEncoder:
        image = self._of(space).image
        if image is None:
            raise EncoderMismatchError(
                f"The encoder {space.encoder!r} of the field {space.field!r} sees no images.",
                remedy="Search that index by text.",
            )
        return image

    def _see(self, raw: bytes, wanted: ImageInput) -> QueryImage:
        if self._decode is None:
            raise DecodeError("Images cannot be decoded here.", remedy="Search by text.")
        return self._decode(raw, wanted)

    def _of(self, space: Space) -> _Loaded:
        known = self._towers.get(space.tower)
        if known is not None:
            return known
        self._load_once(space.encoder)
        if space.tower not in self._towers:
            raise EncoderMismatchError(
                f"The field {space.field!r} was built with another encoder {space.encoder!r} "
                "than the one that is installed.",
                remedy="Build the index again (`medsearch index`), or install the encoder's "
                f"revision {space.identity[0]}.",
            )
        return self._towers[space.tower]

    def _load_once(self, key: str) -> None:
        with self._load_lock:
            if key in self._loaded:
                return
            failed_at, failure = self._failed.get(key, (0.0, None))
            if failure is not None and time.monotonic() - failed_at < _FAILURE_KEPT_S:
                raise failure.with_traceback(None)
            try:
                loaded = _Loaded.of(self._load(key))
            except EncoderError as error:
                self._failed[key] = (time.monotonic(), error)
                raise
            except MedsearchError as error:
                # An index that names an encoder unknown here is not ready; no client misspelt it.
                failure = EncoderUnavailableError(error.message, remedy=error.remedy)
                self._failed[key] = (time.monotonic(), failure)
                raise failure from error
            if loaded.image is not None:
                self._towers["image", identity_of(loaded.image.image_fingerprint)] = loaded
            if loaded.text is not None:
                self._towers.setdefault(("text", loaded.text_identity), loaded)
            self._loaded[key] = loaded


def _embed(image: ImageEncoder, pixels: npt.NDArray[np.uint8]) -> Vector:
    vector: Vector = image.encode_images(pixels[np.newaxis])[0]
    return vector


def _cache_key(identity: Identity, text: str) -> bytes:
    digest = hashlib.sha256("\0".join(identity).encode())
    digest.update(text.encode("utf-8", "surrogatepass"))
    return digest.digest()

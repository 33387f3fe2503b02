"""Reads the stored samples of one frame of a DICOM instance, whatever they are wrapped in."""

import re
from dataclasses import dataclass
from typing import Final

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.attributes import Attributes
from indexer.pixels.codecs import decode_compressed, is_compressed
from indexer.pixels.colour import convert_ybr
from indexer.pixels.elements import (
    DEFLATED_LITTLE,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    KNOWN_VRS,
    LONGEST_HEADER_BYTES,
    UNDEFINED_LENGTH,
    open_body,
    read_element_header,
)
from indexer.pixels.encapsulated import read_codestream
from indexer.pixels.layout import PIXEL_TAGS, PixelLayout, read_layout
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.native import Samples, read_native_frame, unpack_frame
from indexer.pixels.tags import PixelTag

ENCAPSULATED_UNCOMPRESSED: Final = "1.2.840.10008.1.2.1.98"
_NATIVE_SYNTAXES: Final = frozenset(
    {IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED_LITTLE, EXPLICIT_BIG}
)


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """One frame's samples as they were stored, before any modality or VOI transformation.

    `values` is (H, W), or (H, W, 3) for colour; `photometric` is what they mean now:
    MONOCHROME1, MONOCHROME2, PALETTE COLOR or RGB (YBR has been converted).
    """

    values: Samples
    photometric: str
    index: int
    layout: PixelLayout
    attributes: Attributes


def open_instance(raw: bytes, limits: DecodeLimits) -> Attributes:
    """Find the elements of a DICOM file that describe and hold its pixels.

    Raises
    ------
    DecodeError
        Not a DICOM file, or a damaged one.
    LimitExceededError
        More bytes or nesting than `limits` allow.
    """
    if len(raw) > limits.max_file_bytes:
        raise LimitExceededError(f"{len(raw)} bytes are more than {limits.max_file_bytes}.")
    body = open_body(raw, limits)
    instance = Attributes.collect(body, PIXEL_TAGS, last_tag=PixelTag.PIXELS)
    _check_tail(instance)
    return instance


def _check_tail(instance: Attributes) -> None:
    """Refuse a file that ends inside an element behind the pixel data.

    Anything else behind it (padding, signatures, junk) is none of our business.
    """
    pixels = instance.element(PixelTag.PIXELS)
    body = instance.body
    if pixels is None or pixels.end + LONGEST_HEADER_BYTES > body.end:
        return
    tag, vr, length, value = read_element_header(body.source, pixels.end, body.encoding)
    is_element = tag > PixelTag.PIXELS and (vr in KNOWN_VRS or body.encoding.implicit)
    if is_element and length != UNDEFINED_LENGTH and value + length > body.end:
        raise DecodeError("The DICOM file is cut short behind its pixel data.")


def read_stored_frame(instance: Attributes, frame: int, limits: DecodeLimits) -> StoredFrame:
    """Decode one frame, counted from 0, to its stored samples.

    Raises
    ------
    DecodeError
        No pixels, damaged, cut short, contradictory, of a transfer syntax without a decoder, or
        without that frame.
    LimitExceededError
        More pixels or frames than `limits` allow.
    """
    layout = read_layout(instance, limits)
    if not 0 <= frame < layout.frames:
        raise DecodeError(f"There is no frame {frame}, only {layout.frames}.")
    values, photometric = _read_samples(instance, layout, frame)
    if photometric.startswith("YBR"):
        values, photometric = convert_ybr(values, photometric, layout.bits_stored), "RGB"
    return StoredFrame(values, photometric, frame, layout, instance)


def _read_samples(attributes: Attributes, layout: PixelLayout, frame: int) -> tuple[Samples, str]:
    """Read the frame natively or through a codec; return its samples and what they mean."""
    syntax = attributes.body.encoding.transfer_syntax_uid
    if is_compressed(syntax):
        return decode_compressed(syntax, read_codestream(attributes, layout, frame), layout)
    if syntax == ENCAPSULATED_UNCOMPRESSED:
        raw = read_codestream(attributes, layout, frame)
        return unpack_frame(raw, layout), layout.photometric
    if syntax in _NATIVE_SYNTAXES:
        return read_native_frame(attributes, layout, frame), layout.photometric
    name = syntax if re.fullmatch(r"1\.2\.840\.10008[.0-9]{1,40}", syntax) else "stated"
    raise DecodeError(f"There is no decoder for the transfer syntax {name}.")

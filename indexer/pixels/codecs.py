"""Decodes one compressed frame. All codecs come from imagecodecs (BSD), loaded one at a time.

Chosen by what they survive: under mutation gdcm aborts the process, pylibjpeg-rle raises
PanicException (which is no Exception), pylibjpeg-libjpeg returns truncated JPEG as good (and is
GPL); imagecodecs' codecs raise, or, for JPEG, are made to show that data is missing.
"""

import struct
import zlib
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy as np

from indexer.errors import DecodeError
from indexer.pixels.codestream import JPEG_END, Codestream, read_jpeg, read_jpeg2000
from indexer.pixels.layout import PixelLayout
from indexer.pixels.native import Samples, extend_sign, unpack_frame

RLE_LOSSLESS: Final = "1.2.840.10008.1.2.5"
DEFLATED_FRAMES: Final = "1.2.840.10008.1.2.8.1"
_JPEG_SYNTAXES: Final = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 53, 55, 57, 70))
_JPEG_LS_SYNTAXES: Final = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (80, 81))
_JPEG_2000_SYNTAXES: Final = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203))

_RLE_HEADER_BYTES: Final = 64
_RLE_MAX_SEGMENTS: Final = 15
_PROBE: Final = bytes(range(0x21, 0x61)) * 2


def decode_compressed(syntax: str, codestream: bytes, layout: PixelLayout) -> tuple[Samples, str]:
    """Decode a frame of a transfer syntax that `is_compressed`.

    Returns the samples, of `layout.shape` and `layout.dtype`, and their photometric
    interpretation, which for JPEG and JPEG 2000 is RGB where YBR was stored.

    Raises
    ------
    DecodeError
        The codestream is damaged, cut short, or contradicts the layout.
    """
    return _DECODERS[syntax](codestream, layout)


def is_compressed(syntax: str) -> bool:
    """Tell whether frames of a transfer syntax are compressed one by one, in a way known here."""
    return syntax in _DECODERS


def _decode_jpeg(raw: bytes, layout: PixelLayout) -> tuple[Samples, str]:
    """Decode JPEG processes 1, 2, 4, 6, 8, 10, 12 and 14 (8, 12 and up to 16 bits).

    libjpeg fills missing data silently. So the frame is decoded twice, with two different tails
    behind its data: a complete image looks at neither, an incomplete one differs.
    """
    from imagecodecs import jpeg8_decode

    stated = read_jpeg(raw)
    _check_fits(stated, layout)
    stored, wanted = _jpeg_colours(stated, layout)
    data = raw[: stated.end]
    values = _guard(jpeg8_decode, data + JPEG_END, colorspace=stored, outcolorspace=wanted)
    probe = _guard(jpeg8_decode, data + _PROBE + JPEG_END, colorspace=stored, outcolorspace=wanted)
    if not np.array_equal(values, probe):
        raise DecodeError("The JPEG codestream is cut short: its data ends before its image.")
    converted = stored != wanted or stated.adobe_transform == 0
    photometric = "RGB" if layout.samples > 1 and converted else layout.photometric
    return _as_stored(values, stated, layout), photometric


def _jpeg_colours(stated: Codestream, layout: PixelLayout) -> tuple[str | None, str | None]:
    """Return the colour spaces of the codestream and of the wanted output, None for grey.

    An Adobe marker decides; without one, what the DICOM file says. Lossless JPEG is never
    transformed by libjpeg.
    """
    if layout.samples == 1:
        return None, None
    if stated.lossless or stated.adobe_transform == 0:
        return "RGB", "RGB"
    is_ycc = stated.adobe_transform == 1 or layout.photometric != "RGB"
    return ("YCBCR" if is_ycc else "RGB"), "RGB"


def _decode_jpeg_ls(raw: bytes, layout: PixelLayout) -> tuple[Samples, str]:
    """Decode JPEG-LS, lossless and near-lossless."""
    from imagecodecs import jpegls_decode

    stated = read_jpeg(raw)
    _check_fits(stated, layout)
    return _as_stored(_guard(jpegls_decode, raw), stated, layout), layout.photometric


def _decode_jpeg2000(raw: bytes, layout: PixelLayout) -> tuple[Samples, str]:
    """Decode JPEG 2000 and High-Throughput JPEG 2000, whose colour transform is undone inside."""
    from imagecodecs import jpeg2k_decode

    stated = read_jpeg2000(raw)
    _check_fits(stated, layout)
    values = _as_stored(_guard(jpeg2k_decode, raw, numthreads=1), stated, layout)
    is_undone = layout.photometric in ("YBR_RCT", "YBR_ICT")
    return values, "RGB" if is_undone else layout.photometric


def _decode_rle(raw: bytes, layout: PixelLayout) -> tuple[Samples, str]:
    """Decode RLE: a PackBits segment for each byte of a sample, highest first (PS3.5 annex G)."""
    from imagecodecs import packbits_decode

    bytes_a_sample = max(1, layout.bits_allocated // 8)
    packed = layout.bits_allocated == 1
    plane_bytes = -(-layout.pixels // 8) if packed else layout.pixels
    segments = _split_rle(raw, layout.samples * bytes_a_sample)
    planes = np.empty((len(segments), plane_bytes), np.uint8)
    for plane, segment in zip(planes, segments, strict=True):
        unpacked = _guard(packbits_decode, segment, out=plane_bytes + 1)
        if not plane_bytes <= len(unpacked) <= plane_bytes + 1:
            raise DecodeError("An RLE segment does not fill its plane: the pixel data is damaged.")
        plane[:] = np.frombuffer(unpacked, np.uint8, plane_bytes)
    if packed:
        bits = np.unpackbits(planes, axis=1, bitorder="little")[:, : layout.pixels]
        return bits.reshape(layout.shape), layout.photometric
    samples = planes.reshape(layout.samples, bytes_a_sample, layout.pixels)
    values = np.ascontiguousarray(samples.transpose(2, 0, 1))
    big_endian = np.dtype(layout.dtype).newbyteorder(">")
    values = values.view(big_endian).astype(layout.dtype)
    return values.reshape(layout.shape), layout.photometric


def _split_rle(raw: bytes, expected: int) -> list[bytes]:
    """Cut an RLE frame into its segments."""
    if len(raw) < _RLE_HEADER_BYTES:
        raise DecodeError("The RLE frame has no header.")
    count, *offsets = struct.unpack_from("<16I", raw)
    if count != expected or count > _RLE_MAX_SEGMENTS:
        raise DecodeError(f"The RLE frame has {count} segments, not {expected}.")
    bounds = [*offsets[:count], len(raw)]
    if bounds[0] < _RLE_HEADER_BYTES or sorted(bounds) != bounds:
        raise DecodeError("The RLE frame's segments are out of order.")
    return [raw[start:end] for start, end in pairwise(bounds)]


def _decode_deflated(raw: bytes, layout: PixelLayout) -> tuple[Samples, str]:
    """Inflate a frame that was deflated by itself, up to the size it must have."""
    expected = -(-layout.pixels * layout.samples * layout.bits_allocated // 8)
    try:
        inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(raw, expected + 2)
    except zlib.error as error:
        raise DecodeError("The deflated frame is damaged.") from error
    if not expected <= len(inflated) <= expected + 1:
        raise DecodeError("The deflated frame is not as long as its layout says.")
    return unpack_frame(inflated, layout), layout.photometric


def _guard(decode: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call a codec, turning whatever it raises into a `DecodeError`."""
    try:
        return decode(*args, **options)
    except (RuntimeError, ValueError, TypeError, OSError) as error:
        raise DecodeError("The compressed pixel data is damaged.") from error


def _check_fits(stated: Codestream, layout: PixelLayout) -> None:
    """Refuse a codestream that contradicts the DICOM file about its size."""
    own = (stated.rows, stated.columns, stated.components)
    if own != (layout.rows, layout.columns, layout.samples):
        raise DecodeError(
            f"The codestream holds {own[0]} x {own[1]} pixels of {own[2]} samples, the DICOM file "
            f"states {layout.rows} x {layout.columns} of {layout.samples}."
        )
    if stated.precision > max(8, layout.bits_allocated):
        raise DecodeError(
            f"The codestream holds {stated.precision} bits a sample, the DICOM file allocates "
            f"{layout.bits_allocated}."
        )


def _as_stored(values: Samples, stated: Codestream, layout: PixelLayout) -> Samples:
    """Return decoded samples in the sign and type that the DICOM file states.

    Codecs know a precision but often no sign: the bits are kept, their meaning is the file's.
    """
    if values.shape != layout.shape:
        raise DecodeError("The codec returned an image of another shape.")
    if layout.signed and values.dtype.kind == "u":
        values = extend_sign(values, min(stated.precision, layout.bits_stored))
    elif not layout.signed and values.dtype.kind == "i":
        values = values.view(f"u{values.itemsize}") & ((1 << stated.precision) - 1)
    return values.astype(layout.dtype, copy=False)


_Decoder: TypeAlias = Callable[[bytes, PixelLayout], tuple[Samples, str]]
_DECODERS: Final[Mapping[str, _Decoder]] = {
    RLE_LOSSLESS: _decode_rle,
    DEFLATED_FRAMES: _decode_deflated,
    **dict.fromkeys(_JPEG_SYNTAXES, _decode_jpeg),
    **dict.fromkeys(_JPEG_LS_SYNTAXES, _decode_jpeg_ls),
    **dict.fromkeys(_JPEG_2000_SYNTAXES, _decode_jpeg2000),
}

"""Small files that ask for much: pixels, inflated bytes, frames, scans, elements, members."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

_DEFLATED = b"1.2.840.10008.1.2.1.99\0\0"
_SCANNED_PX = 5000
_SCANS = 2000


def make_bombs() -> Iterator[tuple[str, bytes]]:
    """Yield what each asks for, and the file."""
    yield "png of 30,000 x 30,000", _png(30_000, 30_000)
    yield "png of 2^31 x 1", _png(2**31 - 1, 1)
    huge = zlib.compressobj(9, zlib.DEFLATED, -15)
    deflated = b"".join(huge.compress(bytes(1 << 20)) for _ in range(600)) + huge.flush()
    yield "deflated, 600 MB inflated", _dicom(_DEFLATED, deflated)
    plain = b"1.2.840.10008.1.2.1\0"
    nested = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 20_000
    yield "20,000 nested sequences", _dicom(plain, nested)
    yield "300,000 elements", _dicom(plain, b"\x09\x00\x10\x10LO\x02\x00ab" * 300_000)
    yield "65,535 x 65,535 without pixels", _dicom(plain, _sizes(65_535, 65_535, 1, 16))
    yield "2^31 frames", _dicom(plain, _sizes(512, 512, 2_147_483_647, 16) + _pixels(bytes(512)))
    yield "an element of 4 GB", _dicom(plain, b"\xe0\x7f\x10\x00OW\0\0\xfe\xff\xff\xff" + bytes(99))
    yield "nothing", b""
    yield "zeros", bytes(100_000)
    yield "jpeg of 65,500 x 65,500", _jpeg_of(65_500, 65_500)
    yield f"jpeg of {_SCANS} scans", _jpeg_of_scans(_SCANS)
    yield "webp of 16,383 x 16,383", _webp_of(16_383)
    yield "tiff of 30,000 x 30,000", _tiff_of(30_000)
    yield "npy of 2^40 bytes", _npy_of((1 << 20, 1 << 20))
    hollow = bytes(128) + b"DICM" + bytes(100 << 20)
    yield "zip, 300 MB inflated", _zip_of([hollow] * 3)
    yield "zip of 6,000 files", _zip_of([b"\x89PNG\r\n\x1a\n"] * 6000)
    yield "zip of 32 slow files", _zip_of([_jpeg_of_scans(_SCANS)] * 32)
    yield "zip of a zip of a zip", _zip_of([_zip_of([_zip_of([_png(9, 9)])])])


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    content = zlib.compress(bytes(1 << 20), 9)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def _dicom(syntax: bytes, body: bytes) -> bytes:
    meta = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(syntax)) + syntax
    length = b"\x02\x00\x00\x00UL\x04\x00" + struct.pack("<I", len(meta))
    return bytes(128) + b"DICM" + length + meta + body


def _sizes(rows: int, columns: int, frames: int, bits: int) -> bytes:
    count_text = str(frames).encode()
    count_text += b" " * (len(count_text) % 2)
    return (
        b"\x28\x00\x02\x00US\x02\x00\x01\x00"
         b"\x28\x00\x04\x00CS\x0c\x00MONOCHROME2 "
         b"\x28\x00\x08\x00IS" + struct.pack("<H", len(count_text)) + count_text
        + b"\x28\x00\x10\x00US\x02\x00" + struct.pack("<H", rows)
        + b"\x28\x00\x11\x00US\x02\x00" + struct.pack("<H", columns)
        + b"\x28\x00\x00\x01US\x02\x00" + struct.pack("<H", bits)
        + b"\x28\x00\x01\x01US\x02\x00" + struct.pack("<H", bits)
    )  # fmt: skip


def _pixels(content: bytes) -> bytes:
    return b"\xe0\x7f\x10\x00OW\0\0" + struct.pack("<I", len(content)) + content


def _jpeg(side_px: int, *, progressive: bool = False) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (side_px, side_px)).save(stream, "JPEG", progressive=progressive)
    return stream.getvalue()


def _jpeg_of(width: int, height: int) -> bytes:
    """Return a JPEG whose frame header states another size (T.81 B.2.2)."""
    raw = _jpeg(64)
    place = raw.index(b"\xff\xc0") + 5
    return raw[:place] + struct.pack(">HH", height, width) + raw[place + 4 :]


def _jpeg_of_scans(scans: int) -> bytes:
    """Return a progressive JPEG whose last scan comes again and again; each is a whole pass."""
    raw = _jpeg(_SCANNED_PX, progressive=True)
    last = raw.rindex(b"\xff\xda")
    return raw[:last] + raw[last:-2] * scans + raw[-2:]


def _webp_of(side_px: int) -> bytes:
    """Return a lossless WebP whose header states another size (14 bits each, less one)."""
    stream = io.BytesIO()
    Image.new("RGB", (32, 32)).save(stream, "WEBP", lossless=True)
    raw = stream.getvalue()
    place = raw.index(b"VP8L") + 9
    (stated,) = struct.unpack_from("<I", raw, place)
    size = (side_px - 1) | (side_px - 1) << 14 | stated >> 28 << 28
    return raw[:place] + struct.pack("<I", size) + raw[place + 4 :]


def _tiff_of(side_px: int) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (64, 64)).save(stream, "TIFF", compression="tiff_adobe_deflate")
    raw = stream.getvalue()
    for tag in (256, 257):  # ImageWidth, ImageLength: one short or long each
        place = raw.index(struct.pack("<H", tag))
        raw = raw[:place] + struct.pack("<HHII", tag, 4, 1, side_px) + raw[place + 12 :]
    return raw


def _npy_of(shape: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + bytes(4096)


def _zip_of(members: list[bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, raw in enumerate(members):
            archive.writestr(f"{number}.dcm", raw)
    return stream.getvalue()

import struct
import zlib
from typing import Any

import imagecodecs
import numpy as np
import pytest

from indexer.errors import DecodeError
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.stored import open_instance, read_stored_frame

LIMITS = DecodeLimits()
BASELINE, LOSSLESS, JPEG_LS, J2K, HTJ2K, RLE, DEFLATED = (
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.8.1",
)


def _rle(pixels: np.ndarray[Any, Any]) -> bytes:
    planes = []
    samples = pixels.reshape(*pixels.shape[:2], -1)
    for channel in range(samples.shape[2]):
        plane = np.ascontiguousarray(samples[..., channel])
        words = plane.astype(plane.dtype.newbyteorder(">")).view(np.uint8)
        words = words.reshape(*plane.shape, plane.itemsize)
        for byte in range(plane.itemsize):
            segment = b"".join(
                imagecodecs.packbits_encode(row.tobytes()) for row in words[..., byte]
            )
            planes.append(segment + bytes(len(segment) % 2))
    offsets = [64]
    for plane_bytes in planes[:-1]:
        offsets.append(offsets[-1] + len(plane_bytes))
    header = struct.pack("<16I", len(planes), *offsets, *[0] * (15 - len(planes)))
    return header + b"".join(planes)


def _deflate(pixels: np.ndarray[Any, Any]) -> bytes:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return deflater.compress(pixels.tobytes()) + deflater.flush()


def _encode(syntax: str, pixels: np.ndarray[Any, Any]) -> bytes:
    encoders: dict[str, Any] = {
        LOSSLESS: lambda: (
            imagecodecs.jpeg8_encode(
                pixels,
                lossless=True,
                bitspersample=pixels.itemsize * 8,
                colorspace="RGB",
                outcolorspace="RGB",
            )
            if pixels.ndim == 3
            else imagecodecs.jpeg8_encode(pixels, lossless=True, bitspersample=pixels.itemsize * 8)
        ),
        JPEG_LS: lambda: imagecodecs.jpegls_encode(pixels),
        J2K: lambda: imagecodecs.jpeg2k_encode(pixels, codecformat="J2K", reversible=True),
        RLE: lambda: _rle(pixels),
        DEFLATED: lambda: _deflate(pixels),
    }
    return bytes(encoders[syntax]())


def _values(raw: bytes, frame: int = 0) -> np.ndarray[Any, Any]:
    return read_stored_frame(open_instance(raw, LIMITS), frame, LIMITS).values


LOSSLESS_SYNTAXES = [LOSSLESS, JPEG_LS, J2K, RLE, DEFLATED]


@pytest.mark.parametrize("syntax", LOSSLESS_SYNTAXES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lossless_syntaxes_give_back_what_went_in(
    build_dicom: Any, gradient: np.ndarray[Any, Any], syntax: str, dtype: type
) -> None:
    pixels = gradient.astype(dtype)
    raw = build_dicom(pixels, syntax=syntax, codestreams=[_encode(syntax, pixels)])
    np.testing.assert_array_equal(_values(raw), pixels)


@pytest.mark.parametrize("syntax", [JPEG_LS, J2K, RLE, DEFLATED])
def test_lossless_colour(build_dicom: Any, gradient: np.ndarray[Any, Any], syntax: str) -> None:
    pixels = np.stack([gradient, gradient[::-1], gradient[:, ::-1]], axis=-1).astype(np.uint8)
    raw = build_dicom(pixels, syntax=syntax, codestreams=[_encode(syntax, pixels)])
    np.testing.assert_array_equal(_values(raw), pixels)


@pytest.mark.parametrize("syntax", [LOSSLESS, JPEG_LS, RLE, DEFLATED])
def test_signed_samples_come_back_signed(
    build_dicom: Any, gradient: np.ndarray[Any, Any], syntax: str
) -> None:
    pixels = gradient.astype(np.int16) - 2000
    stream = _encode(syntax, pixels.view(np.uint16))
    raw = build_dicom(pixels, syntax=syntax, codestreams=[stream])
    np.testing.assert_array_equal(_values(raw), pixels)


def test_an_unsigned_codestream_of_fewer_bits_is_extended_at_its_own_sign(
    build_dicom: Any,
) -> None:
    pixels = np.array([[-2, -1, 0, 1]] * 4, np.int16)
    stream = imagecodecs.jpegls_encode((pixels & 0x1FFF).astype(np.uint16))
    raw = build_dicom(pixels, syntax=JPEG_LS, codestreams=[stream], BitsStored=13, HighBit=12)
    np.testing.assert_array_equal(_values(raw), pixels)


@pytest.mark.parametrize("syntax", LOSSLESS_SYNTAXES)
def test_frames_are_told_apart(
    build_dicom: Any, gradient: np.ndarray[Any, Any], syntax: str
) -> None:
    frames = np.stack([gradient, gradient[::-1], gradient[:, ::-1]])
    streams = [_encode(syntax, frame) for frame in frames]
    raw = build_dicom(frames, syntax=syntax, codestreams=streams)
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(_values(raw, index), frame)


@pytest.mark.parametrize("syntax", LOSSLESS_SYNTAXES)
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.99])
def test_a_cut_codestream_is_refused(
    build_dicom: Any, gradient: np.ndarray[Any, Any], syntax: str, kept: float
) -> None:
    noise = np.random.default_rng(0).integers(0, 4096, gradient.shape).astype(np.uint16)
    stream = _encode(syntax, noise)
    cut = stream[: int(len(stream) * kept)]
    for ending in (b"", b"\xff\xd9"):
        with pytest.raises(DecodeError):
            _values(build_dicom(noise, syntax=syntax, codestreams=[cut + ending]))


@pytest.mark.parametrize("level", [50, 95])
@pytest.mark.parametrize("kept", [0.5, 0.97])
def test_a_cut_baseline_jpeg_is_refused_even_with_an_end_marker(
    build_dicom: Any, level: int, kept: float
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64)).astype(np.uint8)
    stream = imagecodecs.jpeg8_encode(noise, level=level)
    whole = build_dicom(noise, syntax=BASELINE, codestreams=[stream])
    assert _values(whole).shape == (64, 64)
    cut = stream[: int(len(stream) * kept)] + b"\xff\xd9"
    with pytest.raises(DecodeError, match=r"cut short|damaged"):
        _values(build_dicom(noise, syntax=BASELINE, codestreams=[cut]))


@pytest.mark.parametrize("syntax", [LOSSLESS, JPEG_LS, J2K])
def test_a_codestream_of_another_size_is_refused_before_it_is_decoded(
    build_dicom: Any, gradient: np.ndarray[Any, Any], syntax: str
) -> None:
    stream = _encode(syntax, gradient)
    raw = build_dicom(gradient, syntax=syntax, codestreams=[stream], Rows=39)
    with pytest.raises(DecodeError, match="40 x 48 pixels of 1 samples"):
        _values(raw)


@pytest.mark.parametrize("syntax", [LOSSLESS, JPEG_LS, J2K])
def test_more_bits_than_allocated_are_refused(
    build_dicom: Any, gradient: np.ndarray[Any, Any], syntax: str
) -> None:
    stream = _encode(syntax, gradient)
    raw = build_dicom(gradient.astype(np.uint8), syntax=syntax, codestreams=[stream])
    with pytest.raises(DecodeError, match="16 bits"):
        _values(raw)


@pytest.mark.parametrize(
    ("photometric", "adobe", "is_converted"),
    [
        ("YBR_FULL_422", None, True),
        ("YBR_FULL", 1, True),
        ("RGB", 1, True),
        ("RGB", None, False),
        ("RGB", 0, False),
        ("YBR_FULL", 0, False),
    ],
)
def test_the_adobe_marker_decides_on_colour_then_the_file(
    build_dicom: Any, photometric: str, adobe: int | None, is_converted: bool
) -> None:
    grey_blue = np.full((16, 16, 3), (40, 90, 200), np.uint8)
    stream = imagecodecs.jpeg8_encode(grey_blue, level=100, colorspace="RGB", outcolorspace="YCBCR")
    stream = stream[:2] + stream[20:] if stream[6:10] == b"JFIF" else stream
    if adobe is not None:
        marker = b"\xff\xee" + struct.pack(">H", 14) + b"Adobe" + bytes(6) + bytes([adobe])
        stream = stream[:2] + marker + stream[2:]
    raw = build_dicom(
        grey_blue, syntax=BASELINE, codestreams=[stream], PhotometricInterpretation=photometric
    )
    distance = np.abs(_values(raw).astype(int) - grey_blue).max()
    assert (distance <= 3) == is_converted


def test_rle_segments_are_checked(build_dicom: Any, gradient: np.ndarray[Any, Any]) -> None:
    good = _rle(gradient)
    bad = {
        "has no header": good[:60],
        "3 segments": struct.pack("<I", 3) + good[4:],
        "out of order": good[:4] + struct.pack("<2I", 5000, 64) + good[12:],
        "does not fill": good[:4] + struct.pack("<2I", 64, 70) + good[12:],
    }
    for problem, stream in bad.items():
        with pytest.raises(DecodeError, match=problem):
            _values(build_dicom(gradient, syntax=RLE, codestreams=[stream]))


def test_an_rle_bomb_inflates_no_further_than_its_plane(build_dicom: Any) -> None:
    pixels = np.zeros((4, 4), np.uint8)
    bomb = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\x00" * 1_000_000
    with pytest.raises(DecodeError):
        _values(build_dicom(pixels, syntax=RLE, codestreams=[bomb]))


def test_a_deflated_frame_inflates_no_further_than_its_size(build_dicom: Any) -> None:
    pixels = np.zeros((4, 4), np.uint8)
    bomb = _deflate(np.zeros(50_000_000, np.uint8))
    with pytest.raises(DecodeError, match="not as long"):
        _values(build_dicom(pixels, syntax=DEFLATED, codestreams=[bomb]))


def test_an_unknown_syntax_is_named_only_if_it_is_one_of_dicom_s(build_dicom: Any) -> None:
    pixels = np.zeros((4, 4), np.uint8)
    raw = build_dicom(pixels, syntax="1.2.840.10008.1.2.4.100", codestreams=[b"mpeg"])
    with pytest.raises(DecodeError, match=r"1\.2\.840\.10008\.1\.2\.4\.100"):
        _values(raw)
    with pytest.raises(DecodeError) as caught:
        _values(raw.replace(b"1.2.840.10008.1.2.4.100", b"1.2.PATIENT-MUELLER-HAN"))
    assert "MUELLER" not in str(caught.value)


def test_compressed_pixels_must_be_encapsulated(build_dicom: Any) -> None:
    raw = build_dicom(np.zeros((4, 4), np.uint8), raw_pixels=bytes(16))
    moved = raw.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    with pytest.raises(DecodeError, match="encapsulated"):
        _values(moved)

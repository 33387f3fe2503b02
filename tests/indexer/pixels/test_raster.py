import contextlib
import io
import struct
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.raster import decode_raster, open_raster
from indexer.pixels.window import PRESETS, apply_window

LEFT_WHITE = Image.fromarray(np.repeat([[255, 255, 255, 0, 0, 0, 0, 0]], 4, axis=0).astype("u1"))
NOISE = np.random.default_rng(0).integers(0, 256, (64, 96), dtype=np.uint8)


def _scene() -> np.ndarray[Any, Any]:
    rows, columns = np.mgrid[:64, :96]
    return np.stack([rows * 3, columns * 2, (rows + columns)], axis=-1).astype(np.uint8)


def _tiff(values: np.ndarray[Any, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_lossless_formats_give_back_what_went_in(
    encode_raster: Any, kind: str, options: dict[str, Any]
) -> None:
    scene = _scene()
    raw = encode_raster(Image.fromarray(scene), kind, **options)
    np.testing.assert_array_equal(decode_raster(raw), scene)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_is_decoded_as_pillow_decodes_it(encode_raster: Any, options: dict[str, Any]) -> None:
    for image in (Image.fromarray(_scene()), Image.fromarray(NOISE)):
        raw = encode_raster(image, "JPEG", **options)
        expected = np.asarray(Image.open(io.BytesIO(raw)).convert("RGB"))
        np.testing.assert_array_equal(decode_raster(raw), expected)


def test_grey_stays_one_channel_inside_and_is_three_outside(encode_raster: Any) -> None:
    raw = encode_raster(Image.fromarray(NOISE))
    np.testing.assert_array_equal(open_raster(raw), NOISE)
    assert decode_raster(raw).shape == (64, 96, 3)


@pytest.mark.parametrize(
    ("brightest", "bits"), [(65535, 16), (4095, 12), (3000, 12), (1000, 10), (255, 8), (16000, 14)]
)
def test_16_bits_are_scaled_by_the_depth_that_holds_them(
    encode_raster: Any, brightest: int, bits: int
) -> None:
    ramp = np.linspace(0, brightest, 256).astype(np.uint16).reshape(16, 16)
    expected = np.floor(ramp * (255 / ((1 << bits) - 1)) + 0.5)
    for raw in (encode_raster(Image.fromarray(ramp)), _tiff(ramp)):
        np.testing.assert_array_equal(decode_raster(raw)[..., 0], expected)


def test_colour_of_16_bits_is_scaled(encode_raster: Any) -> None:
    deep = _scene().astype(np.uint16) * 257
    np.testing.assert_array_equal(decode_raster(_tiff(deep, photometric="rgb")), _scene())


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16])
def test_signed_and_float_tiff_are_hounsfield_units(dtype: type) -> None:
    hu = np.array([[-1024, -150, 50, 250, 1000]] * 3, dtype)
    assert decode_raster(_tiff(hu))[0, :, 0].tolist() == [0, 0, 128, 255, 255]
    lung = apply_window(hu.astype(np.float32), PRESETS["lung"])
    np.testing.assert_array_equal(open_raster(_tiff(hu), window=PRESETS["lung"]), lung)


def test_fractions_are_scaled_to_the_whole_range() -> None:
    fractions = np.array([[0, 0.5, 1.0, np.nan]], np.float32)
    assert decode_raster(_tiff(fractions))[0, :, 0].tolist() == [0, 128, 255, 0]


def test_white_may_be_zero() -> None:
    raw = _tiff(np.array([[0, 65535]], np.uint16), photometric="miniswhite")
    assert decode_raster(raw)[0, :, 0].tolist() == [255, 0]


@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1)), (8, (-1, 0))]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_exif_orientation_is_applied(
    encode_raster: Any, kind: str, orientation: int, corner: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = decode_raster(encode_raster(LEFT_WHITE, kind, exif=exif))[..., 0]
    assert upright.shape == ((4, 8) if orientation in (1, 3) else (8, 4))
    assert upright[corner] > 200
    opposite = tuple(-1 - index for index in corner)
    assert upright[opposite] < 50


def test_alpha_is_flattened_on_black(encode_raster: Any) -> None:
    rgba = np.array([[[200, 100, 50, 255], [200, 100, 50, 128], [200, 100, 50, 0]]], np.uint8)
    flat = decode_raster(encode_raster(Image.fromarray(rgba)))
    assert flat[0, 0].tolist() == [200, 100, 50]
    assert np.abs(flat[0, 1].astype(int) - [100, 50, 25]).max() <= 1
    assert flat[0, 2].tolist() == [0, 0, 0]


def test_palettes_bits_and_transparent_indices(encode_raster: Any) -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    solid = decode_raster(encode_raster(image))
    assert solid.tolist() == [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]]
    clear = decode_raster(encode_raster(image, transparency=1))
    assert clear[0, 1].tolist() == [0, 0, 0]
    bits = Image.fromarray(np.array([[True, False]]))
    assert decode_raster(encode_raster(bits))[0, :, 0].tolist() == [255, 0]


def test_cmyk_becomes_rgb(encode_raster: Any) -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    for kind in ("JPEG", "TIFF"):
        rgb = decode_raster(encode_raster(red, kind))[8, 8].astype(int)
        assert rgb[0] > 200
        assert rgb[1:].max() < 60


def _png_of_size(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def test_sizes_are_limited_before_anything_is_decoded(encode_raster: Any) -> None:
    limits = DecodeLimits(max_pixels=1_000_000)
    bombs = [_png_of_size(60_000, 60_000), _tiff(np.zeros((1100, 1000), np.float32))]
    large = Image.new("L", (1100, 1000))
    bombs += [encode_raster(large, kind) for kind in ("JPEG", "WEBP", "BMP", "TIFF")]
    for raw in bombs:
        with pytest.raises(LimitExceededError, match="pixels"):
            decode_raster(raw, limits=limits)


def test_a_webp_file_that_states_an_absurd_size_is_beyond_the_limits(encode_raster: Any) -> None:
    raw = bytearray(encode_raster(Image.new("L", (32, 32)), "WEBP", lossless=True))
    place = raw.index(b"VP8L") + 9
    raw[place : place + 4] = (16_382 | 16_382 << 14).to_bytes(4, "little")
    with pytest.raises(LimitExceededError, match="pixels"):
        decode_raster(bytes(raw))


def test_file_size_is_limited(encode_raster: Any) -> None:
    with pytest.raises(LimitExceededError, match="bytes"):
        decode_raster(encode_raster(LEFT_WHITE), limits=DecodeLimits(max_file_bytes=50))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
@given(cut=st.floats(0.02, 0.99))
def test_cut_files_are_refused(encode_raster: Any, kind: str, cut: float) -> None:
    raw = encode_raster(Image.fromarray(NOISE), kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of damaged TIFF directories
        with pytest.raises(DecodeError):
            decode_raster(raw[: int(len(raw) * cut)])


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.98])
def test_a_cut_jpeg_with_an_end_marker_is_refused(encode_raster: Any, kept: float) -> None:
    raw = encode_raster(Image.fromarray(NOISE), "JPEG")
    with pytest.raises(DecodeError, match="cut short"):
        decode_raster(raw[: int(len(raw) * kept)] + b"\xff\xd9")


def test_a_jpeg_whose_height_was_patched_is_refused(encode_raster: Any) -> None:
    raw = encode_raster(Image.fromarray(NOISE), "JPEG")
    at = raw.index(b"\xff\xc0") + 5
    patched = raw[:at] + struct.pack(">H", 640) + raw[at + 2 :]
    with pytest.raises(DecodeError, match="cut short"):
        decode_raster(patched)


def test_bytes_behind_a_jpeg_do_not_matter(encode_raster: Any) -> None:
    raw = encode_raster(Image.fromarray(NOISE), "JPEG")
    np.testing.assert_array_equal(decode_raster(raw + b"junk\xff\xd8" * 5), decode_raster(raw))


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" + bytes(50), b"<svg></svg>", b"%PDF-1.7", bytes(99)],
)
def test_what_is_no_image_of_an_allowed_format_is_refused(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        decode_raster(raw)


def test_formats_that_pillow_knows_but_nobody_asked_for_are_refused(encode_raster: Any) -> None:
    for kind in ("GIF", "PPM", "ICO", "TGA", "EPS"):
        with pytest.raises(DecodeError, match="known format"):
            decode_raster(encode_raster(Image.new("RGB", (16, 16)), kind))


@given(
    st.binary(max_size=300),
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0"]),
)
def test_any_bytes_give_pixels_or_a_decode_error(noise: bytes, magic: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(DecodeError):
            assert decode_raster(magic + noise).dtype == np.uint8


def test_every_flipped_bit_where_a_png_says_how_it_is_packed_is_noticed(
    encode_raster: Any,
) -> None:
    raw = encode_raster(Image.fromarray(NOISE))
    start = raw.index(b"IDAT") + 4
    for bit in range(8 * 12):
        damaged = bytearray(raw)
        damaged[start + bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecodeError):
            decode_raster(bytes(damaged))


@given(st.data())
def test_a_flipped_bit_of_a_png_is_noticed(encode_raster: Any, data: st.DataObject) -> None:
    raw = bytearray(encode_raster(Image.fromarray(NOISE)))
    start = raw.index(b"IDAT") + 4
    position = data.draw(st.integers(start, len(raw) - 17))
    raw[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DecodeError):
        decode_raster(bytes(raw))

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from indexer.errors import DecodeError, LimitExceededError, NotAnImageError
from indexer.pixels.decode import DecodeRequest, decode_image
from indexer.pixels.limits import DecodeLimits
from indexer.pixels.window import PRESETS
from indexer.records import ImageRef

SCENE = np.random.default_rng(3).integers(0, 256, (30, 50, 3), dtype=np.uint8)


def _request(raw: bytes, **options: Any) -> DecodeRequest:
    return DecodeRequest(raw=raw, px=16, resize="squash", **options)


def test_everything_that_is_kept_of_an_image(encode_raster: Any) -> None:
    raw = encode_raster(Image.fromarray(SCENE))
    decoded = decode_image(_request(raw, thumbnail_px=20))
    assert decoded.pixels.shape == (16, 16, 3)
    assert decoded.sha256 == hashlib.sha256(raw).hexdigest()
    assert (decoded.width_px, decoded.height_px) == (50, 30)
    assert Image.open(io.BytesIO(decoded.thumbnail)).size == (20, 12)
    assert len(decoded.fingerprint_bits) == 32


def test_without_a_thumbnail_the_rest_is_the_same(encode_raster: Any) -> None:
    raw = encode_raster(Image.fromarray(SCENE))
    whole, without = decode_image(_request(raw)), decode_image(_request(raw, thumbnail_px=0))
    assert without.thumbnail == b""
    np.testing.assert_array_equal(without.pixels, whole.pixels)
    assert without.fingerprint_bits == whole.fingerprint_bits


def test_a_reference_gives_what_its_bytes_give(encode_raster: Any, tmp_path: Path) -> None:
    raw = encode_raster(Image.fromarray(SCENE))
    (tmp_path / "image.dcm").write_bytes(raw)  # the name is wrong, and does not matter
    request = DecodeRequest(root=tmp_path, ref=ImageRef(path="image.dcm"), px=16, resize="squash")
    by_ref, by_raw = decode_image(request), decode_image(_request(raw))
    np.testing.assert_array_equal(by_ref.pixels, by_raw.pixels)
    assert by_ref.thumbnail == by_raw.thumbnail
    assert by_ref.sha256 == by_raw.sha256


def test_frames_and_windows_reach_the_decoder(build_dicom: Any, tmp_path: Path) -> None:
    frames = np.stack([np.full((8, 8), hu, np.int16) for hu in (-600, 50)])
    raw = build_dicom(frames)
    (tmp_path / "a.dcm").write_bytes(raw)
    lung = decode_image(_request(raw, window=PRESETS["lung"]))
    assert lung.pixels[0, 0, 0] == 128
    assert decode_image(_request(raw, frame=1)).pixels[0, 0, 0] == 128
    ref = ImageRef(path="a.dcm", frame=1)
    second = decode_image(DecodeRequest(root=tmp_path, ref=ref, px=16, resize="squash"))
    assert second.pixels[0, 0, 0] == 128


def test_errors_are_typed(build_dicom: Any, encode_raster: Any) -> None:
    with pytest.raises(NotAnImageError):
        decode_image(_request(build_dicom(np.zeros((2, 2), np.uint8), Modality="SR")))
    with pytest.raises(LimitExceededError):
        decode_image(_request(encode_raster(Image.fromarray(SCENE))), DecodeLimits(max_pixels=100))
    with pytest.raises(DecodeError):
        decode_image(_request(b"nothing"))


def test_running_out_of_memory_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("indexer.pixels.raster.open_raster", exhaust)
    with pytest.raises(LimitExceededError, match="memory"):
        decode_image(_request(b"anything"))


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"root": Path()},
        {"ref": ImageRef(path="a")},
        {"raw": b"x", "root": Path(), "ref": ImageRef(path="a")},
        {"raw": b"x", "root": Path()},
    ],
)
def test_a_request_names_exactly_one_image(source: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either raw bytes, or"):
        DecodeRequest(px=16, resize="squash", **source)

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import DecodeError, LimitExceededError, NotAnImageError
from indexer.pixels.archives import ArchiveRequest, Unpacked
from indexer.pixels.decode import DecodedImage, DecodeRequest
from indexer.pixels.frames import (
    Part,
    ProtocolError,
    ReadInto,
    pack_archive_request,
    pack_error,
    pack_files,
    pack_image,
    pack_request,
    read_answer,
    read_files,
    read_request,
)
from indexer.pixels.window import PRESETS
from indexer.records import ImageRef

IMAGE = DecodedImage(
    pixels=np.arange(48, dtype=np.uint8).reshape(4, 4, 3),
    thumbnail=b"jpeg",
    sha256="ab" * 32,
    width_px=7,
    height_px=9,
    fingerprint_bits=bytes(range(32)),
    by_window={
        "lung": np.arange(16, dtype=np.uint8).reshape(4, 4),
        "bone": np.arange(16, 32, dtype=np.uint8).reshape(4, 4),
    },
    slice_number=12,
    window_thumbnails={"lung": b"lung jpeg", "bone": b"bone"},
)


def _reader(raw: bytes) -> ReadInto:
    position = 0

    def read_into(view: memoryview) -> None:
        nonlocal position
        view[:] = raw[position : position + len(view)].ljust(len(view), b"\0")
        position += len(view)

    return read_into


def _join(parts: list[Part]) -> bytes:
    return b"".join(bytes(part) for part in parts)


@pytest.mark.parametrize(
    "request_",
    [
        DecodeRequest(raw=b"\0\xff" * 9, px=4, resize="squash", frame=3, by_window=True),
        DecodeRequest(
            root=Path("/data"),
            ref=ImageRef(path="a/ü\udc80.png", frame=2, row=5),
            px=4,
            resize="letterbox",
            thumbnail_px=9,
            window=PRESETS["lung"],
        ),
    ],
)
def test_requests_arrive_as_they_were_sent(request_: DecodeRequest) -> None:
    assert read_request(_reader(_join(pack_request(request_, 2.5)))) == (request_, 2.5)


def test_archives_arrive_as_they_were_sent() -> None:
    request = ArchiveRequest(b"PK\x03\x04", 32)
    assert read_request(_reader(_join(pack_archive_request(request, 5)))) == (request, 5)


def test_images_arrive_as_they_were_sent() -> None:
    arrived = read_answer(_reader(_join(pack_image(IMAGE))), px=4)
    np.testing.assert_array_equal(arrived.pixels, IMAGE.pixels)
    for name in (
        "thumbnail",
        "sha256",
        "width_px",
        "height_px",
        "fingerprint_bits",
        "slice_number",
    ):
        assert getattr(arrived, name) == getattr(IMAGE, name)
    assert list(arrived.by_window) == ["lung", "bone"]
    assert arrived.window_thumbnails == IMAGE.window_thumbnails
    for name, grey in IMAGE.by_window.items():
        np.testing.assert_array_equal(arrived.by_window[name], grey)


@pytest.mark.parametrize("kind", [DecodeError, LimitExceededError, NotAnImageError])
def test_errors_arrive_as_they_were_sent(kind: type[DecodeError]) -> None:
    with pytest.raises(DecodeError) as caught:
        read_answer(_reader(_join(pack_error(kind("What.", remedy="Do.")))), px=4)
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.remedy) == ("What.", "Do.")


def _message(header: Any) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">I", len(text)) + text


GOOD = {
    "blob_bytes": [48, 1],
    "sha256": "ab",
    "width_px": 1,
    "height_px": 1,
    "fingerprint": "00",
    "by_window": [],
    "slice_number": None,
}


@pytest.mark.parametrize(
    "answer",
    [
        b"\xff\xff\xff\xff",
        _message(b"not json"),
        _message([]),
        _message({}),
        _message({**GOOD, "blob_bytes": [10**12, 1]}),
        _message({**GOOD, "blob_bytes": [48, -1]}),
        _message({**GOOD, "blob_bytes": [48, 10**9]}),
        _message({**GOOD, "blob_bytes": [48]}),
        _message({**GOOD, "fingerprint": "xyz"}),
        _message({**GOOD, "by_window": ["lung"]}),
        _message({**GOOD, "blob_bytes": [48, 1, 16]}),
        _message({**GOOD, "blob_bytes": [48, 1, 10**12], "by_window": ["lung"]}),
        _message({**GOOD, "blob_bytes": [48, 1, 16], "by_window": ["../x"]}),
        _message({**GOOD, "blob_bytes": [48, 1, 16, 16], "by_window": ["lung", "lung"]}),
        _message({**GOOD, "blob_bytes": [48, 1, 16, 5, 5], "by_window": ["lung"]}),
        _message({**GOOD, "blob_bytes": [48, 1, 16, 10**9], "by_window": ["lung"]}),
        _message({**GOOD, "width_px": None}),
        _message({**GOOD, "slice_number": "x"}),
        _message({"error": "SystemExit", "message": "", "remedy": ""}),
        _message({"error": "DecodeError"}),
    ],
)
def test_an_answer_that_makes_no_sense_is_not_believed(answer: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_answer(_reader(answer), px=4)


def test_files_arrive_as_they_were_sent() -> None:
    sent = Unpacked([b"one", b""], 7)
    assert read_files(_reader(_join(pack_files(sent))), 2, 100) == sent


@pytest.mark.parametrize(
    "answer",
    [
        _message({"blob_bytes": [1, 1, 1], "images": 3}),
        _message({"blob_bytes": [101], "images": 1}),
        _message({"blob_bytes": [-1], "images": 1}),
        _message({"blob_bytes": [1, 1], "images": 1}),
        _message({"blob_bytes": [1], "images": 10**9}),
        _message({"blob_bytes": [1]}),
    ],
)
def test_impossible_files_are_not_believed(answer: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_files(_reader(answer), 2, 100)


@given(st.binary(max_size=200))
def test_no_answer_at_all_breaks_the_parent(noise: bytes) -> None:
    with pytest.raises((ProtocolError, DecodeError)):
        read_answer(_reader(_message(noise)), px=4)

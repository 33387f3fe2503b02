"""Zip archives of series: what is read of them, and what they must not cost."""

import contextlib
import io
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.archives import MAX_MEMBERS, ArchiveRequest, read_images
from indexer.pixels.limits import UPLOAD_LIMITS
from indexer.pixels.pool import DecodePool


def png(grey: int) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((4, 4), grey, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def packed(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return stream.getvalue()


def read(raw: bytes, most: int = 32, **limits: int) -> list[bytes]:
    return read_images(ArchiveRequest(raw, most), replace(UPLOAD_LIMITS, **limits)).files


def test_images_come_in_the_order_of_their_numbers() -> None:
    files = {f"study/1-{number}.png": png(number) for number in (10, 9, 100)}
    others = {"study/LICENSE": b"CC BY", "DICOMDIR": b"\0" * 128 + b"DICM", "inner.zip": packed({})}
    assert read(packed(files | others)) == [png(9), png(10), png(100)]


def test_no_more_are_read_than_are_wanted() -> None:
    files = {f"{number}.png": png(number) for number in range(10)}
    raw = packed(files)
    assert read(raw, most=2) == [png(2), png(7)]
    assert read_images(ArchiveRequest(raw, 2), UPLOAD_LIMITS).images == 10


def test_slices_come_in_the_order_of_their_numbers_whatever_they_are_called(
    build_dicom: Any,
) -> None:
    def slice_(series: int, number: int | str, **attributes: object) -> bytes:
        raw: bytes = build_dicom(
            np.full((4, 4), series, np.uint8),
            SeriesInstanceUID=f"1.2.{series}",
            InstanceNumber=number,
            **attributes,
        )
        return raw

    files = {
        "a": slice_(1, 10), "b": slice_(2, 1), "d": slice_(1, ""), "e": slice_(1, 2),
        "c": slice_(1, 3, AdditionalPatientHistory="x" * 40_000), "cut": slice_(1, 4)[:200],
        "report": slice_(1, 1, Modality="SR"),
    }  # fmt: skip
    found = read(packed(files))
    assert found == [files[name] for name in ("cut", "e", "c", "a", "d", "b")]


def test_an_archive_of_reports_says_that_it_holds_no_image(build_dicom: Any) -> None:
    report = build_dicom(np.zeros((2, 2), np.uint8), Modality="SR")
    assert read(packed({"report": report})) == [report]


def test_an_archive_in_the_archive_is_not_opened() -> None:
    with pytest.raises(DecodeError, match="no image"):
        read(packed({"inner.zip": packed({"a.png": png(1)})}))


def test_what_inflates_too_much_is_refused() -> None:
    bomb = packed({"a.png": png(1) + b"\0" * 2_000_000})
    assert len(bomb) < 10_000
    with pytest.raises(LimitExceededError):
        read(bomb, max_inflated_bytes=1_000_000)
    two = packed({f"{number}.png": png(1) + b"\0" * 600_000 for number in range(2)})
    with pytest.raises(LimitExceededError):
        read(two, max_inflated_bytes=1_000_000)


def test_what_holds_too_many_files_is_refused() -> None:
    raw = packed({f"{number}": b"" for number in range(MAX_MEMBERS + 1)}, zipfile.ZIP_STORED)
    with pytest.raises(LimitExceededError):
        read(raw)
    with pytest.raises(LimitExceededError):
        read(packed({"a.png": png(1)}), max_file_bytes=20)


def test_what_is_packed_otherwise_is_refused() -> None:
    with pytest.raises(DecodeError, match="unusual"):
        read(packed({"a.png": png(1)}, zipfile.ZIP_LZMA))


def test_what_is_encrypted_is_told() -> None:
    raw = bytearray(packed({"a.png": png(1)}))
    place = raw.index(b"PK\x01\x02") + 8
    raw[place : place + 2] = struct.pack("<H", 1)
    with pytest.raises(DecodeError, match="encrypted"):
        read(bytes(raw))


@given(st.data())
def test_a_damaged_archive_raises_nothing_else(data: st.DataObject) -> None:
    raw = bytearray(packed({"a.png": png(1), "b.png": png(2)}))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(4, len(raw)))
    with contextlib.suppress(DecodeError):
        read(bytes(raw[:cut]))


def test_workers_unpack_and_live_on() -> None:
    with DecodePool(1, UPLOAD_LIMITS) as pool:
        files = {f"{number}.png": png(number) for number in range(3)}
        unpacked = pool.unpack(ArchiveRequest(packed(files), 2))
        assert (unpacked.files, unpacked.images) == ([png(0), png(2)], 3)
        with pytest.raises(DecodeError, match="damaged"):
            pool.unpack(ArchiveRequest(b"PK\x03\x04 no archive", 2))
        assert pool.unpack(ArchiveRequest(packed({"1.png": png(1)}), 2)).files == [png(1)]
        assert len(pool.worker_pids) == 1

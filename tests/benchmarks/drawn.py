"""Datasets that the benchmarks draw for themselves: images with captions, and questions."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE_PX = 512
_MODALITIES = ("CT", "MR", "XR", "US")
_PARTS = ("chest", "abdomen", "pelvis", "skull", "wrist", "knee", "spine", "shoulder")
_FINDINGS = (
    "nodule", "effusion", "fracture", "mass", "cyst", "oedema", "abscess", "haemorrhage",
    "stenosis", "calcification", "thrombus", "dislocation",
)  # fmt: skip
_PLACES = ("left upper", "right lower", "anterior", "posterior", "medial", "lateral")


def caption_of(number: int) -> str:
    """Return a sentence that no other number gets."""
    part, finding = _PARTS[number % 8], _FINDINGS[number // 8 % 12]
    place, modality = _PLACES[number // 96 % 6], _MODALITIES[number % 4]
    return (
        f"{modality} of the {part} with a {place} {finding} of {number % 97 + 3} mm, case {number}"
    )


def draw_image(number: int) -> npt.NDArray[np.uint16]:
    """Return a picture, uint16 (512, 512), 0 to 4095: smooth structures and the noise of a scan."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX].astype(np.float32) / SIDE_PX
    picture = np.zeros((SIDE_PX, SIDE_PX), np.float32)
    for _ in range(6):
        centre_x, centre_y, width, height, grey = rng.random(5)
        inside = ((x - centre_x) / (0.1 + width / 3)) ** 2 + (
            (y - centre_y) / (0.1 + height / 3)
        ) ** 2
        picture += (0.2 + grey) * (inside < 1)
    picture = picture / max(1.0, float(picture.max())) * 3600
    picture += rng.normal(0, 60, picture.shape).astype(np.float32)
    return np.clip(picture, 0, 4095).astype(np.uint16)


def encode_image(number: int) -> tuple[str, bytes]:
    """Return a file name and its bytes: of four images two are JPEG, one PNG, one 16-bit DICOM."""
    picture = draw_image(number)
    if number % 4 == 3:
        return f"{number}.dcm", _as_dicom(picture, number)
    kind = "PNG" if number % 4 == 2 else "JPEG"
    stream = io.BytesIO()
    Image.fromarray((picture >> 4).astype(np.uint8)).save(stream, kind)
    return f"{number}.{kind.lower()}", stream.getvalue()


def write_images(folder: Path, count: int) -> None:
    """Write images with a table in the layout of `own_images`."""
    folder.mkdir(parents=True)
    with (folder / "records.jsonl").open("w", encoding="utf-8") as table:
        for number in range(count):
            name, content = encode_image(number)
            (folder / name).write_bytes(content)
            row = {"file": name, "text": caption_of(number), "modality": _MODALITIES[number % 4]}
            table.write(json.dumps(row) + "\n")


def write_dialogues(folder: Path, count: int) -> None:
    """Write questions with answers in the layout of `ai_medical_chatbot`."""
    folder.mkdir(parents=True)
    with (folder / "dialogues.csv").open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["Description", "Patient", "Doctor"])
        rows.writerows(_dialogues(count))


def _dialogues(count: int) -> Iterator[tuple[str, str, str]]:
    for number in range(count):
        part, finding = _PARTS[number % 8], _FINDINGS[number // 8 % 12]
        sight = f"a {finding} of the {part}, {_PLACES[number // 96 % 6]}"
        days, weeks, size_mm = number % 30 + 1, number % 11 + 1, number % 97 + 3
        yield (
            f"What does a {finding} of the {part} mean?",
            f"Doctor, my scan number {number} shows {sight}. It has hurt for {days} days. Why?",
            f"A {finding} of {size_mm} mm is best looked at again in {weeks} weeks.",
        )


def _as_dicom(picture: npt.NDArray[np.uint16], number: int) -> bytes:
    """Return the picture as a CT slice: uncompressed, with rescaling and a window of its own."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[str(number)])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    slice_ = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    slice_.SOPClassUID = CTImageStorage
    slice_.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    slice_.Modality = "CT"
    slice_.Rows, slice_.Columns = picture.shape
    slice_.SamplesPerPixel = 1
    slice_.PhotometricInterpretation = "MONOCHROME2"
    slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit = 16, 12, 11
    slice_.PixelRepresentation = 0
    slice_.RescaleSlope, slice_.RescaleIntercept = 1, -1024
    slice_.WindowCenter, slice_.WindowWidth = 40, 2000
    slice_.PixelData = picture.tobytes()
    stream = io.BytesIO()
    slice_.save_as(stream, enforce_file_format=True)
    return stream.getvalue()

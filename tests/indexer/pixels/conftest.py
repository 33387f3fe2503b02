"""Builders of small DICOM and raster files; pydicom writes them, so that it stays the referee."""

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
)

DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"  # newer than pydicom

BuildDicom = Callable[..., bytes]
EncodeRaster = Callable[..., bytes]


def _describe(pixels: np.ndarray[Any, Any], dataset: Dataset) -> None:
    colour = pixels.ndim > 2 and pixels.shape[-1] == 3
    frames_shape = pixels.shape[:-1] if colour else pixels.shape
    dataset.Rows, dataset.Columns = frames_shape[-2:]
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = pixels.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    if colour:
        dataset.PlanarConfiguration = 0
    if len(frames_shape) == 3:
        dataset.NumberOfFrames = frames_shape[0]


def _build(
    pixels: np.ndarray[Any, Any] | None = None,
    *,
    syntax: str = ExplicitVRLittleEndian,
    codestreams: list[bytes] | None = None,
    raw_pixels: bytes | None = None,
    preamble: bool = True,
    **attributes: Any,
) -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.StudyInstanceUID = "1.2.3"
    dataset.SeriesInstanceUID = "1.2.3.1"
    dataset.Modality = "CT"
    if pixels is not None:
        _describe(pixels, dataset)
        swapped = pixels.astype(
            pixels.dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<")
        )
        dataset.PixelData = swapped.tobytes() if raw_pixels is None else raw_pixels
    if codestreams is not None:
        dataset.PixelData = encapsulate(codestreams)
        dataset["PixelData"].is_undefined_length = True
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OB" if codestreams or dataset.BitsAllocated <= 8 else "OW"
    for name, value in attributes.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    dataset.file_meta = FileMetaDataset()
    stand_in = JPEG2000Lossless if syntax == DEFLATED_FRAMES else syntax
    dataset.file_meta.TransferSyntaxUID = stand_in
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    raw = buffer.getvalue()
    if stand_in != syntax:
        raw = raw.replace(stand_in.encode(), syntax.encode().ljust(len(stand_in), b"\0"))
    return raw if preamble else raw[132:]


def _encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def build_dicom() -> BuildDicom:
    """Write an array (or codestreams described by it) as a DICOM file, with attributes on top.

    pydicom warns of odd values, which are what the tests are about.
    """

    def build(*args: Any, **options: Any) -> bytes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _build(*args, **options)

    return build


@pytest.fixture(scope="session")
def encode_raster() -> EncodeRaster:
    """Write a Pillow image to bytes."""
    return _encode


@pytest.fixture(scope="session")
def gradient() -> np.ndarray[Any, Any]:
    """A smooth uint16 image of 12 bits, 40 x 48, no two quadrants alike."""
    rows, columns = np.mgrid[:40, :48]
    return (rows * 60 + columns * 30 + (rows > 20) * (columns > 10) * 200).astype(np.uint16)

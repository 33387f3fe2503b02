from typing import Any

import numpy as np
import pytest
from PIL import Image

from indexer.pixels.sniff import sniff_format

PIXELS = np.zeros((8, 8), np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP"])
def test_rasters(encode_raster: Any, kind: str) -> None:
    assert sniff_format(encode_raster(Image.fromarray(PIXELS), kind)) == kind.lower()


@pytest.mark.parametrize("preamble", [True, False])
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2"])
def test_dicom(build_dicom: Any, syntax: str, preamble: bool) -> None:
    assert sniff_format(build_dicom(PIXELS, syntax=syntax, preamble=preamble)) == "dicom"


def test_a_data_set_without_file_meta(build_dicom: Any) -> None:
    raw = build_dicom(PIXELS)
    assert sniff_format(raw[raw.index(b"\x08\0\x16\0UI") :]) == "dicom"


def test_a_preamble_that_is_itself_an_image_is_dicom(build_dicom: Any) -> None:
    """PS3.10 7.1 allows a TIFF header there; dual-personality files exist."""
    raw = build_dicom(PIXELS)
    assert sniff_format(b"II*\0" + raw[4:]) == "dicom"


@pytest.mark.parametrize(
    "raw", [b"", b"abc", b"\x08", b"GIF89a..........", b"PK\3\4........", bytes(9)]
)
def test_others(raw: bytes) -> None:
    assert sniff_format(raw) is None

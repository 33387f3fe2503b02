import io
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import BasicTextSRStorage, CTImageStorage, ExplicitVRLittleEndian

from indexer.encoders.spec import ImageInput
from indexer.errors import DecodeError, LimitExceededError, NotAnImageError
from indexer.pixels.ct_windows import WindowName
from indexer.pixels.limits import UPLOAD_LIMITS
from service.decoding import PREVIEW_PX, Preview, UploadDecoder, start_decoder
from service.retrieval.encoding import Decode
from service.retrieval.patience import current_patience, patience_of_a_query

WANTED = ImageInput(px=16, resize="letterbox")


@pytest.fixture(scope="module")
def decode():  # type: ignore[no-untyped-def]
    with start_decoder(1, 100_000) as started:
        yield started


def png(size: tuple[int, int] = (20, 20), grey: int = 90) -> bytes:
    stream = io.BytesIO()
    Image.new("L", size, grey).save(stream, "PNG")
    return stream.getvalue()


def test_an_image_comes_as_its_tower_wants_it(decode: Decode) -> None:
    pixels = decode(png(), WANTED).pixels
    assert pixels.shape == (16, 16, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == 90).all()


@pytest.mark.parametrize("raw", [b"", b"nonsense", png()[:-20], b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_what_is_no_image_is_refused(decode: Decode, raw: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(raw, WANTED)


def test_a_bomb_is_refused_by_its_header(decode: Decode) -> None:
    small = png()
    bomb = bytearray(small)
    bomb[16:24] = (30_000).to_bytes(4, "big") * 2  # width and height of IHDR
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    with pytest.raises(LimitExceededError):
        decode(bytes(bomb), WANTED)


def test_images_of_one_query_share_its_patience(decode: UploadDecoder) -> None:
    assert current_patience() is None
    with patience_of_a_query():
        patience = current_patience()
        assert patience is not None
        assert patience.left_s == UPLOAD_LIMITS.wall_clock_s
        for _ in range(2):
            before = patience.left_s
            decode(png(), WANTED)
            assert patience.left_s < before
        patience.left_s = 0
        with pytest.raises(LimitExceededError, match="longer"):
            decode(png(), WANTED)
        with pytest.raises(LimitExceededError, match="longer"):
            decode.unpack(b"PK", 1)
    decode(png(), WANTED)


def test_a_preview_is_a_small_jpeg_without_metadata(decode: UploadDecoder) -> None:
    stream = io.BytesIO()
    image = Image.new("L", (900, 600), 90)
    exif = image.getexif()
    exif[0x0112] = 6  # stands on its side
    exif[0x010E] = "Doe, Jane"
    image.save(stream, "JPEG", exif=exif)
    [seen] = decode.preview([stream.getvalue()]).slices
    assert (seen.width_px, seen.height_px) == (600, 900)
    shown = Image.open(io.BytesIO(seen.jpeg))
    assert shown.format == "JPEG"
    assert max(shown.size) == PREVIEW_PX
    assert b"Jane" not in seen.jpeg


def test_a_preview_of_what_is_no_image(decode: UploadDecoder) -> None:
    with pytest.raises(DecodeError):
        decode.preview([b"nonsense"])


def ct(values_hu: np.ndarray, number: int = 1) -> bytes:
    """A CT slice as an unsigned DICOM file with the usual intercept."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, "1.2.3.4"
    dataset.Modality, dataset.PhotometricInterpretation = "CT", "MONOCHROME2"
    dataset.InstanceNumber = number
    dataset.Rows, dataset.Columns = values_hu.shape
    dataset.SamplesPerPixel, dataset.PixelRepresentation = 1, 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    dataset.PixelData = (values_hu + 1024).astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def shown(preview: Preview, place: int = 0) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(preview.slices[place].jpeg)))


def test_a_preview_of_ct_is_shown_in_the_window_that_is_asked_for(decode: UploadDecoder) -> None:
    soft_tissue_hu = np.full((64, 64), 50)
    greys = {
        name: shown(decode.preview([ct(soft_tissue_hu)], name))
        for name in ("lung", "soft_tissue", "bone")
    }
    # 50 HU: white among lungs (-600, 1500), mid-grey in its own window, dark among bones.
    assert greys["lung"].mean() > 230
    assert 120 < greys["soft_tissue"].mean() < 135
    assert greys["bone"].mean() < 90


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, raw in files.items():
            archive.writestr(name, raw)
    return stream.getvalue()


@pytest.mark.parametrize("window", [None, "bone"])
def test_a_preview_of_a_series_has_its_slices_in_order(
    decode: UploadDecoder, window: WindowName | None
) -> None:
    slices = [ct(np.full((64, 64), 40 + 100 * number), number) for number in (3, 1, 2)]
    for files in (slices, [zipped({f"{n}.dcm": raw for n, raw in enumerate(slices)})]):
        seen = decode.preview(files, window)
        assert [one.slice_number for one in seen.slices] == [1, 2, 3]
        assert seen.images == 3
        greys = [shown(seen, place).mean() for place in range(3)]
        assert greys == sorted(greys)
        assert seen.windows == (() if window else ("soft_tissue", "bone"))


def test_a_preview_of_a_long_series_shows_what_is_compared(decode: UploadDecoder) -> None:
    archive = zipped({f"{number}.png": png(grey=number) for number in range(100)})
    seen = decode.preview([archive])
    assert (len(seen.slices), seen.images, seen.windows) == (32, 100, ())


def test_what_is_no_image_is_left_out_of_a_preview_unless_it_is_all(
    decode: UploadDecoder,
) -> None:
    report = Dataset()
    report.SOPClassUID, report.SOPInstanceUID = BasicTextSRStorage, "1.2.3.5"
    report.Modality = "SR"
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    stream = io.BytesIO()
    report.save_as(stream, enforce_file_format=True)
    words = stream.getvalue()
    assert len(decode.preview([words, png()]).slices) == 1
    with pytest.raises(NotAnImageError):
        decode.preview([words])
    with pytest.raises(DecodeError):
        decode.preview([png(), b"nonsense"])

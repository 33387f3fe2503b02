"""Small genuine-format files for the tests of the image datasets."""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"

WriteDicom = Callable[..., Path]
WriteText = Callable[..., Path]


@pytest.fixture
def write_dicom(tmp_path: Path) -> WriteDicom:
    """Write a CT slice without pixels below tmp_path; keywords are DICOM keywords."""

    def write(name: str, **tags: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        values = {
            "SOPClassUID": CT_IMAGE,
            "SOPInstanceUID": f"1.2.3.{zlib.crc32(name.encode())}",
            "Modality": "CT",
            "PatientID": "TCGA-00-0001",
            "StudyInstanceUID": "1.2.3.1",
            "SeriesInstanceUID": "1.2.3.1.1",
            "InstanceNumber": 1,
            "Rows": 2,
            "Columns": 2,
        } | tags
        for keyword, value in values.items():
            if value is not None:
                setattr(dataset, keyword, value)
        meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        meta.MediaStorageSOPInstanceUID = values["SOPInstanceUID"]
        pydicom.dcmwrite(path, dataset)
        return path

    return write


@pytest.fixture
def write_text(tmp_path: Path) -> WriteText:
    """Write a text file below tmp_path, byte for byte."""

    def write(name: str, text: str = "x") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    return write

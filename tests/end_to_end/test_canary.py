"""No patient in the index: hundreds of planted identifiers leave no trace in anything made."""

import io
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from pydicom import Dataset
from pydicom.datadict import dictionary_VM, dictionary_VR, keyword_dict, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from tests.end_to_end.conftest import ROOT

CANARY = "QXCANARY"
_UID_CANARY = "1.2.826.0.1.9999."
_TEXT_VRS = {"PN", "LO", "SH", "LT", "ST", "UT", "AE", "UC"}
_PIXEL_KEYWORDS = {"SpecificCharacterSet", "PhotometricInterpretation"}
_ENVIRONMENT = os.environ | {
    "MEDSEARCH_PSEUDONYM_KEY": "a key for this test alone",
    "PYTHONPATH": str(ROOT),
}


def plant(dataset: Dataset, first: int) -> int:
    """Plant a numbered canary into every text element of the usual groups; return the next."""
    for keyword in sorted(keyword_dict):
        tag = tag_for_keyword(keyword)
        if tag is None or not 0x0008 <= tag >> 16 <= 0x0040 or keyword in _PIXEL_KEYWORDS:
            continue
        if dictionary_VR(tag) in _TEXT_VRS and dictionary_VM(tag) in {"1", "1-n"}:
            setattr(dataset, keyword, f"{CANARY}{first}")
            first += 1
    return first


def planted_file(shade: int, *, burned_in: bool = False) -> tuple[bytes, int]:
    """Return a CT slice full of identifiers, and how many there are."""
    dataset = Dataset()
    count = plant(dataset, 0)
    nested = Dataset()
    count = plant(nested, count)
    deeper = Dataset()
    count = plant(deeper, count)
    nested.ReferencedStudySequence = Sequence([deeper])
    dataset.RequestAttributesSequence = Sequence([nested])
    block = dataset.private_block(0x0009, f"{CANARY} MAKER", create=True)
    for element in range(1, 20):
        block.add_new(element, "LO", f"{CANARY}{count}")
        count += 1
    dataset.add(DataElement(0x00100032, "TM", "010203"))
    dataset.PatientBirthDate = "19010203"
    dataset.BurnedInAnnotation = "YES" if burned_in else "NO"
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = f"{_UID_CANARY}{shade}"
    dataset.StudyInstanceUID = f"{_UID_CANARY}1000"
    dataset.SeriesInstanceUID = f"{_UID_CANARY}2000"
    dataset.Modality, dataset.BodyPartExamined = "CT", "CHEST"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    pixels = np.add.outer(np.arange(64), np.arange(64) * shade).astype(np.uint16)
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 64, 64, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.RescaleSlope, dataset.RescaleIntercept = "1", "-1024"
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.SourceApplicationEntityTitle = f"{CANARY}AET"
    dataset.file_meta.ImplementationVersionName = f"{CANARY}VER"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue(), count + 2


def run(*words: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "service", *map(str, words)],
        cwd=ROOT, env=_ENVIRONMENT, capture_output=True, check=False, timeout=280,
    )  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two good slices, a broken one, and one with burned-in names; every path names the patient."""
    folder = tmp_path_factory.mktemp("data") / "tcga_luad" / "TCGA-LUAD" / f"{CANARY}^JOHN"
    study = folder / f"{CANARY}-STUDY"
    study.mkdir(parents=True)
    good, count = planted_file(1)
    assert count > 300
    (study / f"{CANARY}-1.dcm").write_bytes(good)
    (study / f"{CANARY}-2.dcm").write_bytes(planted_file(2)[0])
    (study / f"{CANARY}-cut.dcm").write_bytes(planted_file(3)[0][:-4000])
    (study / f"{CANARY}-none.dcm").write_bytes(b"no scan at all")
    (study / f"{CANARY}-burned.dcm").write_bytes(planted_file(4, burned_in=True)[0])
    return folder.parents[2]


@pytest.fixture(scope="module")
def built(planted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("indexes")
    done = run("index", "tcga_luad", "--data", planted, "--indexes", folder)
    assert done.returncode == 0, done.stderr
    assert_clean("what `index` printed", done.stdout + done.stderr)
    return folder


def assert_clean(where: str, content: bytes) -> None:
    for needle in (CANARY, _UID_CANARY, "19010203"):
        for encoded in (needle.encode(), needle.encode("utf-16-le"), needle.lower().encode()):
            assert encoded not in content, f"{needle} in {where}"


def test_no_file_of_the_index_holds_one(built: Path) -> None:
    counts = json.loads(next(built.rglob("manifest.json")).read_text())["counts"]
    assert (counts["records"], counts["rejects"]) == (2, {"burned_in": 1, "undecodable": 2})
    files = [path for path in built.rglob("*") if path.is_file()]
    assert len(files) > 8
    for path in files:
        assert_clean(path.name, str(path.relative_to(built)).encode() + path.read_bytes())


def test_whoever_has_the_files_and_the_key_finds_the_rejects(planted: Path, built: Path) -> None:
    hidden = run("rejects", "tcga_luad", "--indexes", built, "--json")
    assert_clean("rejects without data", hidden.stdout + hidden.stderr)
    named = run("rejects", "tcga_luad", "--indexes", built, "--data", planted, "--json")
    paths = [json.loads(line)["path"] for line in named.stdout.splitlines()]
    kinds = ("burned", "cut", "none")
    assert {Path(path).name for path in paths} == {f"{CANARY}-{kind}.dcm" for kind in kinds}


def test_a_picture_that_shows_a_name_is_let_in_only_where_it_is_allowed(
    planted: Path, tmp_path: Path
) -> None:
    words = ("index", "tcga_luad", "--data", planted, "--indexes", tmp_path, "--json")
    done = run(*words, "--allow-burned-in")
    assert done.returncode == 0, done.stderr
    assert_clean("what `index` printed", done.stdout + done.stderr)
    counts = json.loads(next(tmp_path.rglob("manifest.json")).read_text())["counts"]
    assert (counts["records"], counts["rejects"]) == (3, {"undecodable": 2})


@pytest.fixture(scope="module")
def served(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    log = tmp_path_factory.mktemp("log") / "log.txt"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve", "--indexes", str(built), "--port",
             str(port)],
            cwd=ROOT, env=_ENVIRONMENT, stdout=stream, stderr=subprocess.STDOUT,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                if httpx.get(f"{address}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield address, log
    finally:
        process.terminate()
        process.wait(30)


def test_no_reply_log_or_metric_holds_one(served: tuple[str, Path]) -> None:
    address, log = served
    upload, _ = planted_file(2)
    name = f"{CANARY}.dcm"
    replies: list[httpx.Response] = []

    def send(method: str, path: str, **options: Any) -> httpx.Response:
        replies.append(httpx.request(method, address + path, timeout=60, **options))
        return replies[-1]

    found = send("POST", "/v1/search/image", files={"file": (name, upload)})
    assert found.status_code == 200
    hits = found.json()["hits"]
    assert len(hits) == 1  # one case
    send("GET", hits[0]["url"])
    send("GET", hits[0]["thumbnail_url"])
    broken = send("POST", "/v1/search/image", files={"file": (name, upload[:-4000])})
    assert broken.status_code == 415
    asked = {"question": "What is this?", "record_id": hits[0]["record_id"]}
    assert send("POST", "/v1/prompts", json=asked).status_code == 200
    wrong = {"query": CANARY, "filters": {"type": "eq", "key": "modality", "value": CANARY}}
    assert send("POST", "/v1/search/text", json=wrong).status_code == 422
    assert send("POST", "/v1/search/text", json={CANARY: 1}).status_code == 422
    assert send("GET", f"/v1/records/tcga_luad/all/{CANARY}?q={CANARY}").status_code == 404
    for path in ("/v1/indexes", "/metrics", "/readyz", "/openapi.json"):
        send("GET", path)
    for reply in replies:
        assert_clean(str(reply.url.path), reply.content + repr(reply.headers).encode())
    assert_clean("the log", log.read_bytes())

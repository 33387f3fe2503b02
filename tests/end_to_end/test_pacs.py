"""A real Orthanc, filled as hospitals fill theirs: mirrored, indexed, killed, emptied."""

import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pydicom
import pytest

from indexer.errors import PacsProtocolError
from indexer.pacs.address import PASSWORD_VARIABLE, PacsAddress
from indexer.pacs.dicomweb import DicomWeb
from indexer.pacs.folder import open_mirror
from indexer.pacs.mirror import MirrorOptions, MirrorReport, update_mirror
from indexer.pixels.pseudonyms import KEY_VARIABLE, Pseudonymiser
from indexer.store.reader import IndexReader
from tests.end_to_end.orthanc import PASSWORD, USER, Orthanc, free_port, running_orthanc

pytestmark = pytest.mark.orthanc

ROOT = Path(__file__).resolve().parents[2]
KEY = "a key for tests, of no use to anybody"
KILLS = 8
PROGRAM = """
import sys
from pathlib import Path
from indexer.errors import PacsProtocolError
from indexer.pacs.address import PacsAddress
from tests.end_to_end.test_pacs import update
print("started", flush=True)
update(sys.argv[1], Path(sys.argv[2]))
"""


def update(url: str, folder: Path, **options: object) -> MirrorReport:
    """Bring a mirror up to date, as the command does before it builds."""
    address = PacsAddress.parse(url, user=USER, password=PASSWORD)
    with open_mirror(
        folder, url=url, indexes_dir=folder / "..indexes", pseudonyms=Pseudonymiser(KEY.encode())
    ) as mirror:
        return update_mirror(DicomWeb(address), mirror, MirrorOptions(**options), lambda *_: None)


def medsearch(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *map(str, words)],
        cwd=ROOT,
        env=os.environ | {KEY_VARIABLE: KEY, PASSWORD_VARIABLE: PASSWORD},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def index(orthanc: Orthanc, folder: Path, *more: object) -> dict:
    done = medsearch(
        *("index", f"pacs={folder / 'mirror'}", "--dicomweb", orthanc.url, "--user", USER),
        *("--indexes", folder / "indexes", "--json", *more),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.dcm")
    }


def count_files(folder: Path) -> int:
    return sum(1 for _ in folder.rglob("*.dcm"))


def stored(orthanc: Orthanc) -> set[str]:
    """Return the digest of every file that the server holds."""
    return {
        hashlib.sha256(
            orthanc.session.get(f"{orthanc.root}/instances/{one}/file", timeout=30).content
        ).hexdigest()
        for one in orthanc.get("instances")
    }


def images_of(corpus: Path, collection: str) -> list[Path]:
    return [path for path in sorted((corpus / collection).rglob("*.dcm")) if is_image(path)]


def is_image(path: Path) -> bool:
    try:
        return "PixelData" in pydicom.dcmread(path)
    except pydicom.errors.InvalidDicomError:
        return False


@pytest.fixture(scope="module")
def archive(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """A server that no test changes."""
    with filled(corpus, tmp_path_factory.mktemp("archive")) as server:
        yield server


@pytest.fixture
def orthanc(corpus: Path, tmp_path: Path) -> Iterator[Orthanc]:
    """A server of one test's own."""
    folder = tmp_path / "orthanc"
    folder.mkdir()
    with filled(corpus, folder) as server:
        yield server


@contextmanager
def filled(corpus: Path, folder: Path) -> Iterator[Orthanc]:
    """Start a server that a scanner and a web client fill with the sample's TCGA studies."""
    with running_orthanc(folder) as server:
        scanned = images_of(corpus, "tcga_kich")
        assert server.send(scanned) == len(scanned)
        server.stow(images_of(corpus, "tcga_luad"))
        yield server


def test_the_mirror_holds_every_file_as_it_was_stored(archive: Orthanc, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    report = update(archive.url, mirror)
    there = stored(archive)
    assert report.fetched == report.stored == len(there) > 60
    assert set(digests(mirror).values()) == there
    assert mirror.stat().st_mode & 0o077 == 0
    again = update(archive.url, mirror)
    assert (again.fetched, again.deleted, again.stored) == (0, 0, report.stored)


def test_no_name_in_the_mirror_is_an_original_identifier(archive: Orthanc, tmp_path: Path) -> None:
    update(archive.url, tmp_path / "mirror")
    for path in (tmp_path / "mirror").rglob("*.dcm"):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        for uid in (header.StudyInstanceUID, header.SeriesInstanceUID, header.SOPInstanceUID):
            assert uid not in str(path)
        assert header.PatientID not in str(path)


@pytest.mark.slow
def test_kills_lose_nothing_and_repeat_nothing(archive: Orthanc, tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    update(archive.url, whole)
    chance = random.Random(12)
    counts = [0]
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, archive.url, str(killed)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        aim = counts[-1] + chance.randint(0, 10)
        while aim > count_files(killed) and process.poll() is None:
            time.sleep(0.001)
        process.kill()
        process.communicate()
        counts.append(count_files(killed))
    assert len(set(counts)) > 4, counts
    update(archive.url, killed)
    assert digests(killed) == digests(whole)
    assert update(archive.url, killed).fetched == 0


def test_what_arrives_is_replaced_and_is_deleted_is_followed(
    orthanc: Orthanc, corpus: Path, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    before = update(orthanc.url, mirror).stored
    new = images_of(corpus, "tcga_esca")
    orthanc.stow(new)
    # One slice is stored again under its own UID, with other pixels.
    changed = pydicom.dcmread(images_of(corpus, "tcga_luad")[0])
    changed.PixelData = bytes(len(changed.PixelData))
    changed.save_as(tmp_path / "changed.dcm")
    orthanc.send([tmp_path / "changed.dcm"])
    gone = pydicom.dcmread(images_of(corpus, "tcga_kich")[0]).StudyInstanceUID
    orthanc.delete_study(gone)
    report = update(orthanc.url, mirror)
    assert report.fetched == len(new) + 1
    assert report.stored == before + len(new) - report.deleted
    assert report.deleted > 0
    assert set(digests(mirror).values()) == stored(orthanc)
    assert not [
        path
        for path in mirror.rglob("*")
        if path.is_dir() and not any(path.iterdir()) and ".mirror" not in path.parts
    ]


def test_a_study_that_is_named_is_looked_at_alone(
    archive: Orthanc, corpus: Path, tmp_path: Path
) -> None:
    first = pydicom.dcmread(images_of(corpus, "tcga_kich")[0])
    report = update(archive.url, tmp_path / "a", only=(str(first.StudyInstanceUID),))
    assert 0 < report.stored < len(stored(archive))
    by_series = update(archive.url, tmp_path / "b", only=(str(first.SeriesInstanceUID),))
    assert by_series == report


@pytest.mark.slow
def test_indexed_searched_deleted_gone(orthanc: Orthanc, corpus: Path, tmp_path: Path) -> None:
    outcome = index(orthanc, tmp_path)
    [built] = outcome["indexes"]
    assert built["rows"] == outcome["pacs"]["stored"]
    assert built["records"] > 60

    header = pydicom.dcmread(images_of(corpus, "tcga_kich")[0])
    study = Pseudonymiser(KEY.encode()).pseudonym("study", header.StudyInstanceUID)
    found = search(tmp_path)
    assert found[0]["modality"] == "CT"
    assert study in {hit["study_id"] for hit in found}

    same = index(orthanc, tmp_path, "--if-changed")
    assert same["indexes"] == [built | {"encoded": 0, "published": False}]

    orthanc.delete_study(header.StudyInstanceUID)
    after = index(orthanc, tmp_path, "--if-changed")
    assert after["pacs"]["deleted"] > 0
    assert after["indexes"][0]["encoded"] == 0
    live = IndexReader.open(tmp_path / "indexes" / "pacs")
    assert study not in live.table.column("study_id").to_pylist()
    assert len(list((tmp_path / "indexes" / "pacs").glob("*/manifest.json"))) == 1
    for one in orthanc.get("studies"):
        orthanc.session.delete(f"{orthanc.root}/studies/{one}", timeout=30)
    emptied = index(orthanc, tmp_path)
    assert emptied["indexes"] == []
    assert not list((tmp_path / "indexes" / "pacs").glob("*/manifest.json"))


def search(folder: Path) -> list[dict]:
    done = medsearch(
        *("search", "CT of the abdomen", "-k", 100, "--json", "--indexes", folder / "indexes")
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["hits"]


@pytest.mark.slow
def test_orthanc_announces_and_the_service_follows(corpus: Path, tmp_path: Path) -> None:
    port = free_port()
    [lua] = re.findall(r"```lua\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert ":8000/" in lua
    folder = tmp_path / "orthanc"
    folder.mkdir()
    [first, *others] = images_of(corpus, "tcga_kich")
    study = pydicom.dcmread(first).StudyInstanceUID
    images = [first, *(path for path in others if pydicom.dcmread(path).StudyInstanceUID == study)]
    with (
        running_orthanc(folder, lua=lua.replace(":8000/", f":{port}/")) as orthanc,
        running_service(orthanc, tmp_path, port) as client,
    ):
        ask = partial(client.post, "/v1/search/text", json={"query": "CT of the abdomen"})
        first = wait_for(client, lambda status: status["state"] == "idle")
        assert first["last"]["error"] is None
        assert orthanc.send(images) == len(images)
        told = wait_for(client, lambda s: s["state"] == "idle" and s["last"]["records"])
        assert told["last"]["stored"] == len(images)
        deadline = time.monotonic() + 60
        while (reply := ask()).status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.2)
        links = {hit["viewer_url"] for hit in reply.json()["hits"]}
        assert links == {f"/ohif/viewer?StudyInstanceUIDs={study}"}
        orthanc.delete_study(study)
        gone = wait_for(client, lambda s: s["state"] == "idle" and s["last"]["stored"] == 0)
        assert gone["last"]["error"] is None
        assert not list((tmp_path / "indexes" / "pacs").glob("*/manifest.json"))


@contextmanager
def running_service(orthanc: Orthanc, folder: Path, port: int) -> Iterator[httpx.Client]:
    """Serve on a port of this machine, following the PACS."""
    settings = {
        "MEDSEARCH_API_KEYS": '["KEY"]', "MEDSEARCH_PACS_URL": orthanc.url,
        "MEDSEARCH_PACS_USER": USER, "MEDSEARCH_PACS_MIRROR": str(folder / "mirror"),
        "MEDSEARCH_VIEWER_TEMPLATE": "/ohif/viewer?StudyInstanceUIDs={study_uid}",
        KEY_VARIABLE: KEY, PASSWORD_VARIABLE: PASSWORD,
    }  # fmt: skip
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "service", "serve"),
            *("--port", str(port), "--indexes", str(folder / "indexes")),
        ],
        cwd=ROOT,
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"x-api-key": "KEY"}, timeout=30
        ) as client:
            yield client
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def wait_for(client: httpx.Client, is_so: Callable[[dict], object]) -> dict:
    """Wait until the service's account of its ingest is so."""
    deadline = time.monotonic() + 150
    status: object = None
    while time.monotonic() < deadline:
        try:
            status = client.get("/v1/ingest").json()
        except httpx.ConnectError:
            time.sleep(0.1)
            continue
        if isinstance(status, dict) and status["last"] and is_so(status):
            return status
        time.sleep(0.1)
    pytest.fail(str(status))


def test_a_server_without_the_plug_in_and_one_that_is_away(tmp_path: Path) -> None:
    folder = tmp_path / "orthanc"
    folder.mkdir()
    with running_orthanc(folder, plugin=False) as bare:
        with pytest.raises(PacsProtocolError) as caught:
            update(bare.url, tmp_path / "mirror")
        assert "orthanc-dicomweb" in caught.value.remedy
    done = medsearch(
        *("index", f"pacs={tmp_path / 'mirror'}", "--dicomweb", bare.url, "--user", USER),
        *("--indexes", tmp_path / "indexes", "--json"),
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["indexes"] == [{"index": "pacs", "error": "pacs_unreachable"}]
    assert "cannot be reached" in " ".join(done.stderr.split())


def test_a_wrong_password(archive: Orthanc, tmp_path: Path) -> None:
    done = medsearch(
        *("index", f"pacs={tmp_path / 'mirror'}", "--dicomweb", archive.url, "--user", "other"),
        *("--indexes", tmp_path / "indexes"),
    )
    assert done.returncode == 1
    said = " ".join(done.stderr.split())
    assert "refused the user or the password" in said
    assert PASSWORD_VARIABLE in said
    assert PASSWORD not in said

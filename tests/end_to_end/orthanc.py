"""A real Orthanc for tests: its own ports and storage, this machine only, gone afterwards."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
import requests
from dicomweb_client import DICOMwebClient
from pynetdicom import AE, build_context

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
USER, PASSWORD = "medsearch", "only for tests"
_AE_TITLE = "TESTS"
_START_S = 30.0


def find_orthanc() -> str:
    """Return the server's program; without it, the test is skipped in words nobody overlooks."""
    program = shutil.which("Orthanc")
    if program is None or not PLUGIN.is_file():
        pytest.skip(
            "THE TESTS AGAINST A REAL PACS WERE NOT RUN: Orthanc is not installed "
            "(apt-get install -y --no-install-recommends orthanc orthanc-dicomweb)"
        )
    return program


@dataclass(frozen=True)
class Orthanc:
    """One running server."""

    http_port: int
    dicom_port: int
    session: requests.Session

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def url(self) -> str:
        return f"{self.root}/dicom-web"

    def get(self, path: str) -> object:
        reply = self.session.get(f"{self.root}/{path}", timeout=30)
        reply.raise_for_status()
        return reply.json()

    def delete_study(self, study_uid: str) -> None:
        found = self.session.post(f"{self.root}/tools/lookup", data=study_uid, timeout=30).json()
        [path] = [one["Path"] for one in found if one["Type"] == "Study"]
        self.session.delete(f"{self.root}{path}", timeout=30).raise_for_status()

    def send(self, files: Iterable[Path]) -> int:
        """Store files by C-STORE, as a scanner does; return how many were taken."""
        instances = [pydicom.dcmread(file) for file in files]
        entity = AE(_AE_TITLE)
        entity.requested_contexts = list(
            {
                (str(one.SOPClassUID), str(one.file_meta.TransferSyntaxUID)): build_context(
                    one.SOPClassUID, one.file_meta.TransferSyntaxUID
                )
                for one in instances
            }.values()
        )
        association = entity.associate("127.0.0.1", self.dicom_port, ae_title="ORTHANC")
        assert association.is_established
        try:
            return sum(association.send_c_store(one).Status == 0 for one in instances)
        finally:
            association.release()

    def stow(self, files: Iterable[Path]) -> None:
        """Store files by STOW-RS."""
        client = DICOMwebClient(self.url, session=self.session)
        client.store_instances([pydicom.dcmread(file) for file in files])


@contextmanager
def running_orthanc(folder: Path, *, lua: str = "", plugin: bool = True) -> Iterator[Orthanc]:
    """Start a server that only this machine may talk to; stop it at the end, whatever happens."""
    program = find_orthanc()
    http_port, dicom_port = free_port(), free_port()
    script = folder / "hook.lua"
    script.write_text(lua)
    settings = {
        "Name": "medsearch tests", "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"), "Plugins": [str(PLUGIN)] if plugin else [],
        "HttpPort": http_port, "DicomPort": dicom_port, "DicomAet": "ORTHANC",
        # Debian's build listens on all interfaces; others are refused by their address.
        "RemoteAccessAllowed": False, "DicomCheckModalityHost": True,
        "DicomAlwaysAllowStore": False, "DicomAlwaysAllowEcho": False,
        "DicomModalities": {"tests": [_AE_TITLE, "127.0.0.1", 104]},
        "AuthenticationEnabled": True, "RegisteredUsers": {USER: PASSWORD},
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        "OverwriteInstances": True, "StableAge": 1, "LuaScripts": [str(script)],
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("wb") as log:
        # The kernel stops it even where this process is killed.
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", program, str(folder / "orthanc.json")],
            stdout=log,
            stderr=log,
        )
    try:
        with requests.Session() as session:
            session.auth = (USER, PASSWORD)
            orthanc = Orthanc(http_port, dicom_port, session)
            _wait(orthanc, process, folder / "orthanc.log")
            yield orthanc
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(orthanc: Orthanc, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            orthanc.get("system")
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"Orthanc did not start:\n{log.read_text('utf-8', 'replace')}")

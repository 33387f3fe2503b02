"""Servers that are slow, strange or secured, met over real sockets."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.errors import PacsAccessError, PacsError, PacsProtocolError, PacsUnreachableError
from indexer.pacs import dicomweb, transport
from indexer.pacs.address import PacsAddress
from indexer.pacs.dicomweb import DicomWeb
from indexer.pacs.instances import InstanceRef
from tests.indexer.pacs.stand_in import StandIn, serving

REF = InstanceRef("1.2", "1.2.3", "1.2.3.4")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "PAUSES_S", (0.0,))


@pytest.fixture
def pacs() -> Iterator[StandIn]:
    with serving(StandIn(files={("1.2", "1.2.3", "1.2.3.4"): b"file"})) as server:
        yield server


def client(url: str, **more: object) -> DicomWeb:
    return DicomWeb(PacsAddress.parse(url, **({"user": None, "password": None} | more)))


@pytest.mark.parametrize(
    "body", [b"<html>hello</html>", b'{"a": 1', b'["a"]', b'[{"0020000D": 1}]']
)
def test_what_is_no_dicom_json_is_told(pacs: StandIn, body: bytes) -> None:
    pacs.answer = lambda *_: (200, "text/html", body)  # type: ignore[method-assign]
    web = client(pacs.url)
    with web.session, pytest.raises(PacsProtocolError) as caught:
        list(web.iter_studies())
    assert caught.value.remedy


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicomweb, "READ_TIMEOUT_S", 0.05)
    monkeypatch.setattr(transport, "READ_TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        web = client(f"http://127.0.0.1:{silent.getsockname()[1]}/dicom-web")
        with web.session:
            with pytest.raises(PacsUnreachableError, match="in time"):
                web.check()
            with pytest.raises(PacsUnreachableError, match="in time"):
                web.fetch(REF)


def test_a_file_that_drips_is_given_up(pacs: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicomweb, "FETCH_WALL_CLOCK_S", -1.0)
    web = client(pacs.url)
    with web.session, pytest.raises(PacsUnreachableError, match="in time"):
        web.fetch(REF)


def test_a_file_larger_than_is_indexed_is_refused(
    pacs: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = type("Limits", (), {"max_file_bytes": 3})
    monkeypatch.setattr(dicomweb, "BUILD_LIMITS", limits)
    web = client(pacs.url)
    with web.session, pytest.raises(dicomweb.InstanceUnreadableError, match="larger"):
        web.fetch(REF)


def test_half_a_reply_is_not_a_file(pacs: StandIn) -> None:
    whole = pacs.answer

    def half(path: str, query: dict[str, list[str]]) -> tuple[int, str, bytes]:
        status, content_type, body = whole(path, query)
        return status, content_type, body[:-9]

    pacs.answer = half  # type: ignore[method-assign]
    web = client(pacs.url)
    with web.session, pytest.raises(dicomweb.InstanceUnreadableError, match="no whole"):
        web.fetch(REF)


def test_no_error_repeats_a_uid(pacs: StandIn) -> None:
    pacs.failures["/dicom-web/studies/1.2/series"] = [503] * 9
    web = client(pacs.url)
    with web.session, pytest.raises(PacsError) as caught:
        web.fetch(REF)
    assert "1.2.3" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not on this machine")
    key, file = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=t",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", file],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return file, key


def test_a_certificate_is_trusted_if_it_is_named(
    certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Must not undo --ca-file.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ssl.get_default_verify_paths().openssl_cafile)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with serving(StandIn(files={("1.2", "1.2.3", "1.2.3.4"): b"file"}), context) as pacs:
        web = client(pacs.url)
        with web.session, pytest.raises(PacsUnreachableError, match="not trusted"):
            web.check()
        web = client(pacs.url, ca_file=certificate[0])
        with web.session:
            web.check()
            assert web.fetch(REF) == b"file"


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("pacs.example/dicom-web", PacsProtocolError),
        ("ftp://pacs.example", PacsProtocolError),
        ("https://", PacsProtocolError),
        ("https://me:secret@pacs.example/dicom-web", PacsAccessError),
    ],
)
def test_an_address_that_will_not_do(url: str, error: type[PacsError]) -> None:
    with pytest.raises(error) as caught:
        PacsAddress.parse(url, user=None, password=None)
    assert "secret" not in str(caught.value)
    assert caught.value.remedy


def test_a_user_needs_a_password_and_none_shows_it() -> None:
    with pytest.raises(PacsAccessError, match="no password"):
        PacsAddress.parse("https://pacs.example", user="me", password=None)
    address = PacsAddress.parse("https://pacs.example/x/", user="me", password="hush")
    assert "hush" not in repr(address)
    assert address.url == "https://pacs.example/x"


@pytest.mark.parametrize(
    ("url", "in_clear"),
    [("http://10.0.0.5/d", True), ("https://10.0.0.5/d", False), ("http://127.0.0.1/d", False)],
)
def test_a_password_in_clear_is_noticed(url: str, in_clear: bool) -> None:
    address = PacsAddress.parse(url, user="me", password="hush")
    assert address.sends_password_in_clear is in_clear

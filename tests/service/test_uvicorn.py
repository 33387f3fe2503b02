"""The service behind a real server, over a real socket."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from indexer.store.index_set import IndexSet
from service.app import create_app
from service.cli.serving import server_config
from service.opening import assemble
from service.retrieval.encoding import QueryEncoders
from service.settings import Settings


@pytest.fixture(scope="module")
def port(indexes_dir: Path, kit) -> Iterator[int]:  # type: ignore[no-untyped-def]
    def opener(settings: object, stack: object) -> object:
        encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
        return assemble(IndexSet(indexes_dir), encoders)

    app = create_app(Settings(indexes_dir=indexes_dir, max_body_bytes=10_000), opener=opener)  # type: ignore[arg-type]
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(server_config(app, "127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    address = listener.getsockname()[1]
    deadline = time.monotonic() + 30
    while request(address, "GET", "/readyz")[0] != 200:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield address
    server.should_exit = True
    thread.join()
    listener.close()


def request(
    port: int, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        try:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
        except (ConnectionError, http.client.HTTPException):
            return 0, b""
        return reply.status, reply.read()


def test_a_search(port: int) -> None:
    body = json.dumps({"query": "grey 31", "k": 1}).encode()
    status, content = request(
        port, "POST", "/v1/search/text", body, content_type="application/json"
    )
    assert status == 200
    assert json.loads(content)["hits"][0]["record_id"] == "films/train/31"


def test_a_thumbnail_of_a_quoted_id(port: int) -> None:
    status, content = request(port, "GET", "/v1/records/scans%2Ftrain%2F5/thumbnail")
    assert status == 200
    assert content.startswith(b"\xff\xd8")


def test_a_large_body_is_refused_while_it_is_sent(port: int) -> None:
    """The client says 1 GB and the server answers before it gets a thousandth of it."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(
            b"POST /v1/search/image HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: 1000000000\r\n\r\n" + b" " * 1000
        )
        assert client.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_header_without_end_is_not_read(port: int) -> None:
    """Whatever parsers are installed: not all of those that uvicorn knows have a limit."""
    answer = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as client,
        contextlib.suppress(ConnectionError),
    ):
        client.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-endless: " + b"a" * (8 << 20))
        answer = client.recv(4096)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert request(port, "GET", "/healthz")[0] == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /v1/records/\xff\xfe/a/b HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /v1/records/a/b/%00 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n",
        b"POST /v1/search/text HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/search/text HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n{",
        b"\x16\x03\x01 not http at all\r\n\r\n",
    ],
)
def test_raw_nonsense_never_gives_a_500(port: int, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(raw)
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(65536)
    assert not answer.startswith(b"HTTP/1.1 5")
    assert request(port, "GET", "/healthz")[0] == 200

"""Who may call the tools, over which transport, and what else may appear on the wire."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import CallToolResult

from service.app import create_app
from service.errors import ExtraMissingError
from service.mcp.transports import serve_stdio
from service.running import RunningService
from service.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"accept": "application/json, text/event-stream"}


def status(client, **headers: str) -> int:  # type: ignore[no-untyped-def]
    return client.post("/mcp", json=INITIALIZE, headers=ACCEPT | headers).status_code


def test_only_known_hosts_and_origins_are_answered(indexes_dir, serve) -> None:  # type: ignore[no-untyped-def]
    """A page of another site that resolves its own name to the loopback is turned away."""
    with serve(indexes_dir, mcp_hosts=["search.example.org"]) as client:
        for host in ("127.0.0.1:8000", "localhost:9", "[::1]:8000", "search.example.org"):
            assert status(client, host=host) == 200
        assert status(client, host="evil.example.org") == 421
        assert status(client, host="localhost.evil.org:80") == 421
        assert status(client, host="localhost:9", origin="http://evil.example.org") == 403
        assert status(client, host="localhost:9", origin="http://localhost:9") == 200
        own = "https://search.example.org"
        assert status(client, host="search.example.org", origin=own) == 200


def test_keys_apply(indexes_dir, serve) -> None:  # type: ignore[no-untyped-def]
    with serve(indexes_dir, api_keys=["k"]) as client:
        assert status(client, host="localhost") == 401
        assert status(client, host="localhost", authorization="Bearer wrong") == 403
        assert status(client, host="localhost", authorization="Bearer k") == 200


def test_bodies_are_limited_and_requests_counted_by_route(indexes_dir, serve) -> None:  # type: ignore[no-untyped-def]
    with serve(indexes_dir, max_body_bytes=2048) as client:
        headers = ACCEPT | {"host": "localhost", "content-type": "application/json"}
        large = json.dumps(INITIALIZE | {"padding": "x" * 4000}).encode()
        assert client.post("/mcp", content=large, headers=headers).status_code == 413
        streamed = client.post("/mcp", content=iter([large[:100], large[100:]]), headers=headers)
        assert streamed.status_code == 413
        assert client.post("/mcp", content=b"{", headers=headers).status_code == 400
        assert 'route="/mcp"' in client.get("/metrics").text


def test_no_stream_is_opened_that_would_keep_the_service_from_stopping(client) -> None:  # type: ignore[no-untyped-def]
    reply = client.get("/mcp", headers=ACCEPT | {"host": "localhost"})
    assert reply.status_code == 405
    assert reply.headers["allow"] == "POST"


def test_nothing_is_imported_until_the_first_request(tmp_path: Path) -> None:
    program = """
import sys, tempfile
from pathlib import Path
from starlette.testclient import TestClient
from service.app import create_app
from service.settings import Settings
with TestClient(create_app(Settings(indexes_dir=Path(tempfile.mkdtemp())))) as client:
    client.get("/healthz")
    print("mcp" in sys.modules)
    client.post("/mcp", headers={"host": "evil"}, json={})
    print("mcp" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]


def test_it_can_be_turned_off(indexes_dir, serve) -> None:  # type: ignore[no-untyped-def]
    with serve(indexes_dir, mcp=False) as client:
        assert status(client, host="localhost") == 404


def test_without_the_extra_the_service_starts_all_the_same(monkeypatch, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("service.app.is_installed", lambda: False)
    app = create_app(Settings(indexes_dir=tmp_path))
    assert not [route for route in app.routes if getattr(route, "path", "") == "/mcp"]


def test_a_tool_before_the_indexes_are_open_says_so(tmp_path: Path, serve) -> None:  # type: ignore[no-untyped-def]
    with serve(tmp_path, wait=False) as client:
        body = {
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": "search_images", "arguments": {"query": "x"}},
        }  # fmt: skip
        reply = client.post("/mcp", json=body, headers=ACCEPT | {"host": "localhost"})
        result = reply.json()["result"]
        assert result["isError"]
        assert json.loads(result["content"][0]["text"])["code"] == "not_ready"


@pytest.fixture(scope="module")
def stdio_server(indexes_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A program that serves the tests' indexes over standard streams, and prints on the way."""
    program = tmp_path_factory.mktemp("stdio") / "serve.py"
    program.write_text(f"""
import asyncio, os
from pathlib import Path
from indexer.store.index_set import IndexSet
from service.mcp.transports import serve_stdio
from service.opening import assemble
from service.retrieval.encoding import QueryEncoders
from service.running import RunningService
from service.settings import Settings
from tests.service.conftest import HashEncoder, decode_grey, loader

def opener(settings, stack):
    print("printed while opening")
    os.system("echo a child wrote this")
    encoders = QueryEncoders(loader(HashEncoder()), decode_grey)
    return assemble(IndexSet(settings.indexes_dir), encoders)

settings = Settings(indexes_dir=Path({str(indexes_dir)!r}))
asyncio.run(serve_stdio(RunningService(settings, opener)))
""")
    return [sys.executable, str(program)]


def environment() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT)}


def test_the_sdk_s_client_drives_the_tools_over_stdio(stdio_server: list[str]) -> None:
    """At once, without waiting for the indexes: the server waits for the client's sake."""

    async def work() -> tuple[CallToolResult, CallToolResult]:
        command, *words = stdio_server
        parameters = StdioServerParameters(command=command, args=words, env=environment(), cwd=ROOT)
        async with Client(stdio_client(parameters)) as client:
            return (
                await client.call_tool("search", {"query": "disease 3"}),
                await client.call_tool("get_record", {"id": "scans/train/5"}),
            )

    found, record = asyncio.run(work())
    assert not found.is_error
    urls = [result["url"] for result in found.structured_content["results"]]
    assert "medsearch://record/asked/train/3" in urls
    assert record.content[1].mime_type == "image/jpeg"


def test_nothing_but_the_protocol_is_on_standard_output(stdio_server: list[str]) -> None:
    call = {
        "jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": {"name": "search_images", "arguments": {"query": "grey 5"}},
    }  # fmt: skip
    done = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    process = subprocess.Popen(
        stdio_server, cwd=ROOT, env=environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    for message in (INITIALIZE, done, call):
        process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()
    lines = [process.stdout.readline(), process.stdout.readline()]
    rest, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert [json.loads(line)["id"] for line in lines] == [1, 2]
    assert rest == ""
    assert "printed while opening" in errors
    assert "a child wrote this" in errors


def test_stdio_without_the_extra_says_how_to_get_it(monkeypatch, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("service.mcp.transports.is_installed", lambda: False)
    service = RunningService(Settings(indexes_dir=tmp_path))
    with pytest.raises(ExtraMissingError, match=r"pip install 'medsearch\[mcp\]'"):
        asyncio.run(serve_stdio(service))

"""The README's section "Plug it into your LLM": every snippet runs as it stands there."""

import asyncio
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from service.app import create_app
from service.settings import Settings
from tests.service.running_server import running

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "http://127.0.0.1:8000"
SECTION = (ROOT / "README.md").read_text("utf-8").split("## Plug it into your LLM")[1]
SNIPPETS = re.findall(r"```(\w+)\n(.*?)```", re.split(r"^## ", SECTION, flags=re.M)[0], re.S)


def snippets(language: str) -> list[str]:
    return [code for kind, code in SNIPPETS if kind == language]


@pytest.fixture(scope="module")
def address(indexes: Path) -> Iterator[str]:
    with running(create_app(Settings(indexes_dir=indexes))) as started:
        yield started


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's distribution, built and installed by pip from a copy of its folder."""
    folder = tmp_path_factory.mktemp("client")
    source = shutil.copytree(ROOT / "service" / "client", folder / "source")
    target = folder / "installed"
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
            "--no-build-isolation", "--disable-pip-version-check", "--target", target, source,
        ],
        check=True,
        timeout=120,
    )  # fmt: skip
    return target


def run_python(code: str, installed: Path) -> str:
    """Run a program that sees the installed client and no checkout of this project."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=installed,
        env={"PYTHONPATH": str(installed), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_curl_command(address: str) -> None:
    [command] = snippets("sh")
    words = shlex.split(command)
    assert words[0] == "curl"
    header = dict([words[words.index("-H") + 1].split(": ", 1)])
    url = next(word for word in words if word.startswith(ADDRESS)).replace(ADDRESS, address)
    reply = httpx.post(url, content=words[words.index("-d") + 1], headers=header, timeout=30)
    assert reply.status_code == 200, reply.text
    assert reply.json()["citations"]


def test_the_mcp_configuration(indexes: Path) -> None:
    """The command is that of this checkout, the indexes are the sample's; the rest is as shown."""
    [configuration] = snippets("json")
    server = json.loads(configuration)["mcpServers"]["medsearch"]
    assert server["command"].endswith("/bin/medsearch")
    words = [word.replace("/srv/medsearch/indexes", str(indexes)) for word in server["args"]]

    async def ask() -> tuple[set[str], list[dict[str, str]], str]:
        parameters = StdioServerParameters(
            command=sys.executable,
            args=["-m", "service", *words],
            env={"PYTHONPATH": str(ROOT)},
            cwd=ROOT,
        )
        async with Client(stdio_client(parameters)) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            found = await client.call_tool("search", {"query": "anaphylaxis"})
            results = found.structured_content["results"]
            fetched = await client.call_tool("fetch", {"id": results[0]["id"]})
            return tools, results, fetched.structured_content["text"]

    tools, results, text = asyncio.run(ask())
    assert {name for name in tools if f"`{name}`" in SECTION} == tools
    assert results[0]["url"] == f"medsearch://record/{results[0]['id']}"
    assert text


@pytest.mark.parametrize(
    ("position", "printed"),
    [
        (0, r"\[1\] \S+/\S+/\S+ \(.+\)"),
        (1, r"0\.\d\d medqa/\S+ Question: "),
        (2, r"1 \S+/\S+/\S+ (.|\n)+modality"),
        (3, r"\S+/\S+/\S+ .+ Question: "),
        (4, r"\S+ \S+/\S+/\S+ Image: "),
    ],
    ids=["prompt", "openai", "client", "langchain", "llamaindex"],
)
def test_the_python_snippets(address: str, installed: Path, position: int, printed: str) -> None:
    codes = snippets("python")
    assert len(codes) == 5
    output = run_python(codes[position].replace(ADDRESS, address), installed)
    assert re.search(printed, output), output


def test_the_client_loads_httpx_and_nothing_of_the_project(installed: Path) -> None:
    heavy = ["service", "indexer", "torch", "numpy", "pydantic", "fastapi", "langchain_core"]
    program = f"import sys, medsearch_client; print([m for m in {heavy!r} if m in sys.modules])"
    assert run_python(program, installed).strip() == "[]"
    assert (installed / "medsearch_client" / "py.typed").exists()

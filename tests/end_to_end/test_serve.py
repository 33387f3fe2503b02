"""`medsearch serve` as `make serve` starts it: what it prints can be pasted and answers."""

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def printed(indexes: Path) -> Iterator[str]:
    """What the command prints until it is ready; it serves until the tests of this file end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "serve", "--indexes", str(indexes), "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    try:
        # The queries are printed last, and the line after each is blank.
        for line in process.stdout:
            lines.append(line)
            if sum("curl" in one for one in lines) == 2:
                break
        else:
            pytest.fail("the service ended before it was ready:\n" + "".join(lines))
        yield "".join(lines)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode in {0, 130}


def commands(printed: str) -> list[list[str]]:
    return [shlex.split(line) for line in printed.splitlines() if line.strip().startswith("curl")]


def test_both_printed_queries_answer(printed: str) -> None:
    found = commands(printed)
    assert len(found) == 2
    for words in found:
        address = next(word for word in words if word.startswith("http://127.0.0.1:"))
        body = words[words.index("-d") + 1]
        header = dict([words[words.index("-H") + 1].split(": ", 1)])
        reply = httpx.post(address, content=body, headers=header, timeout=30)
        assert reply.status_code == 200, reply.text
        assert len(reply.json()["hits"]) == json.loads(body)["k"]


def test_the_readme_shows_the_queries_that_are_printed(printed: str) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for words in commands(printed):
        assert words[words.index("-d") + 1] in readme


def test_it_listens_on_the_loopback_only_and_says_what_it_is_not(printed: str) -> None:
    assert re.search(r"listens at http://127\.0\.0\.1:\d+", printed)
    assert "not a diagnostic device" in printed


def test_a_port_in_use_is_told_with_the_remedy(printed: str, indexes: Path) -> None:
    port = re.search(r"127\.0\.0\.1:(\d+)", printed)
    assert port
    done = subprocess.run(
        [sys.executable, "-m", "service", "serve", "--indexes", str(indexes), "--port", port[1]],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "PORT=8001" in done.stderr
    assert "Traceback" not in done.stderr

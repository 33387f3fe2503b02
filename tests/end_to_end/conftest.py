"""The whole path, once per test run: sample corpus -> ten indexes -> a service that answers."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

ROOT = Path(__file__).resolve().parents[2]


def medsearch(*words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "service", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    if check and done.returncode:
        pytest.fail(
            f"medsearch {words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        )
    return done


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus") / "sample"
    medsearch("sample", folder)
    return folder


@pytest.fixture(scope="session")
def indexes(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("indexes")
    medsearch("index", "--data", corpus, "--indexes", folder)
    return folder


@pytest.fixture(scope="session")
def client(indexes: Path) -> Iterator[TestClient]:
    from service.app import create_app
    from service.settings import Settings

    with TestClient(create_app(Settings(indexes_dir=indexes))) as client:
        wait_until_ready(client)
        yield client


def wait_until_ready(client: TestClient, seconds: float = 60) -> None:
    import time

    deadline = time.monotonic() + seconds
    while (reply := client.get("/readyz")).status_code != 200:
        if time.monotonic() > deadline:
            pytest.fail(f"the service never became ready: {reply.text}")
        time.sleep(0.05)

"""The whole path, once per test run: sample corpus -> ten indexes -> a service that answers."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
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
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a test run have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def corpus(shared_folder: Path) -> Path:
    folder = shared_folder / "corpus"
    with FileLock(shared_folder / "corpus.lock"):
        if not folder.exists():
            medsearch("sample", shared_folder / "corpus-being-made")
            (shared_folder / "corpus-being-made").rename(folder)
    return folder


@pytest.fixture(scope="session")
def indexes(corpus: Path, shared_folder: Path) -> Path:
    """The indexes of the sample, built once for all; nobody changes them."""
    folder = shared_folder / "indexes"
    with FileLock(shared_folder / "indexes.lock"):
        if not folder.exists():
            making = shared_folder / "indexes-being-made"
            medsearch("index", "--data", corpus, "--indexes", making)
            making.rename(folder)
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

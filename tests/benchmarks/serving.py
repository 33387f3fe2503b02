"""A real service for the benchmarks: drawn indexes, and `medsearch serve` on the loopback."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from indexer.build import build_index
from indexer.datasets.registry import get_dataset
from indexer.encoders.base import ImageEncoder
from indexer.encoders.load import load_encoder
from tests.benchmarks.drawn import write_dialogues, write_images

_IMAGES = 500
_QUESTIONS = 1000
_READY_S = 120.0


def build_indexes(folder: Path) -> Path:
    """Index drawn images and drawn questions."""
    write_images(folder / "own_images", _IMAGES)
    write_dialogues(folder / "ai_medical_chatbot", _QUESTIONS)
    text, image = load_encoder("minilm"), load_encoder("builtin")
    if not isinstance(image, ImageEncoder):
        message = "the built-in encoder embeds no images"
        raise TypeError(message)
    for name in ("own_images", "ai_medical_chatbot"):
        build_index(get_dataset(name), folder / name, folder / "indexes", text=text, image=image)
    return folder / "indexes"


@contextmanager
def served(indexes: Path, **settings: str) -> Iterator[tuple[psutil.Process, str]]:
    """Run `medsearch serve` on a free port of the loopback while the block runs.

    `settings` are environment variables.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "service", "serve", "--indexes", str(indexes)]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        env=os.environ | settings,
    )
    try:
        yield psutil.Process(process.pid), f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def wait_until_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        try:
            if client.get("/readyz").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    message = f"the service was not ready after {_READY_S:g} s"
    raise TimeoutError(message)

"""What the service adds to a query: its time over HTTP less encoding and vector search alone.

The service is a real one: uvicorn on the loopback, in a process of its own. For every query both
are timed in turn, so that whatever else the machine does falls on both.
"""

import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
from PIL import Image

from indexer.build import build_index
from indexer.datasets.registry import get_dataset
from indexer.encoders.base import ImageEncoder
from indexer.encoders.load import load_encoder
from indexer.store.index_set import IndexSet
from indexer.store.reader import IndexReader
from tests.benchmarks.drawn import draw_image, write_dialogues, write_images
from tests.benchmarks.machine import Timings
from tests.benchmarks.report import Report

_IMAGES = 1000
_QUESTIONS = 2000
_QUERIES = 200
_WARM_UP = 20
_K = 10
_READY_S = 120.0


@dataclass(slots=True)
class _Paired:
    """Each query's time over HTTP beside that of its parts alone."""

    served: Timings = field(default_factory=Timings)
    encoded: Timings = field(default_factory=Timings)
    searched: Timings = field(default_factory=Timings)

    def overhead_ms(self) -> float:
        """The difference of the medians, in milliseconds."""
        alone = [a + b for a, b in zip(self.encoded.seconds, self.searched.seconds, strict=True)]
        return self.served.p50_ms - 1000 * median(alone)


def run(indexes: Path | None, scratch: Path | None) -> Report:
    """Query the service over `indexes`, or over indexes of drawn datasets if None."""
    with tempfile.TemporaryDirectory(prefix="medsearch-query-", dir=scratch) as name:
        folder = indexes or _build_indexes(Path(name))
        opened = IndexSet(folder).snapshot()
        records = {name: reader.manifest.counts.records for name, reader in opened.items()}
        report = Report("Query", {"records": records, "queries of each kind": _QUERIES, "k": _K})
        with _served(folder) as address, httpx.Client(base_url=address, timeout=60) as client:
            _wait_until_ready(client)
            for kind in _kinds(opened):
                _report(report, kind.name, _measure(kind, client))
    return report


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of query: how to ask the service, and how to do the two parts alone."""

    name: str
    ask: Callable[[httpx.Client, int], httpx.Response]
    encode: Callable[[int], np.ndarray]
    search: Callable[[np.ndarray], object]


def _kinds(opened: Any) -> Iterator[_Kind]:
    text, image = load_encoder("minilm"), load_encoder("builtin")
    images = [one for one in opened.values() if one.manifest.kind == "image"]
    questions = [one for one in opened.values() if one.manifest.kind == "text"]
    if questions:
        yield _Kind(
            "question",
            lambda client, number: _post(client, "questions", _words(number)),
            lambda number: text.encode_texts([_words(number)], "query"),
            lambda vector: _search(questions, ("question",), vector),
        )
    if images:
        yield _Kind(
            "text to image",
            lambda client, number: _post(client, "text", _words(number)),
            lambda number: image.encode_texts([_words(number)], "query"),
            lambda vector: _search(images, ("image", "caption"), vector),
        )
    if images and isinstance(image, ImageEncoder):
        px = image.image_input.px
        uploads = [_upload(number) for number in range(_QUERIES + _WARM_UP)]
        pixels = [_thumbnail(upload, px) for upload in uploads]
        encode_images = image.encode_images
        yield _Kind(
            "image to image (PNG 512 px, decoding counted as overhead)",
            lambda client, number: client.post(
                "/v1/search/image",
                files={"file": ("upload.png", uploads[number], "image/png")},
                data={"params": json.dumps({"k": _K})},
            ),
            lambda number: encode_images(pixels[number][np.newaxis]),
            lambda vector: _search(images, ("image",), vector),
        )


def _measure(kind: _Kind, client: httpx.Client) -> _Paired:
    paired = _Paired()
    for number in range(_QUERIES + _WARM_UP):
        start = time.perf_counter()
        reply = kind.ask(client, number)
        answered = time.perf_counter()
        reply.raise_for_status()
        before = time.perf_counter()
        vector = kind.encode(number)
        encoded = time.perf_counter()
        kind.search(vector)
        searched = time.perf_counter()
        if number >= _WARM_UP:
            paired.served.seconds.append(answered - start)
            paired.encoded.seconds.append(encoded - before)
            paired.searched.seconds.append(searched - encoded)
    return paired


def _report(report: Report, name: str, paired: _Paired) -> None:
    report.add(f"{name}: over HTTP, p50", paired.served.p50_ms, "ms")
    report.add(f"{name}: over HTTP, p99", paired.served.p99_ms, "ms")
    report.add(f"{name}: encoding alone, p50", paired.encoded.p50_ms, "ms")
    report.add(f"{name}: vector search alone, p50", paired.searched.p50_ms, "ms")
    report.add(f"{name}: the service adds", paired.overhead_ms(), "ms", "3 ms or less")


def _build_indexes(folder: Path) -> Path:
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
def _served(indexes: Path) -> Iterator[str]:
    """Run `medsearch serve` on a free port of the loopback while the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "service", "serve", "--indexes", str(indexes)]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "MEDSEARCH_CACHED_TEXTS": "0"},
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(client: httpx.Client) -> None:
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


def _post(client: httpx.Client, route: str, words: str) -> httpx.Response:
    return client.post(f"/v1/search/{route}", json={"query": words, "k": _K})


def _search(readers: list[IndexReader], fields: tuple[str, ...], vector: np.ndarray) -> None:
    for reader in readers:
        for name in fields:
            if name in reader.manifest.fields:
                reader.search(name, vector, _K)


def _words(number: int) -> str:
    subjects = ("nodule in the lung", "broken wrist", "swelling of the brain", "stone in a kidney")
    return f"{subjects[number % 4]} of a patient aged {20 + number % 70}, question {number}"


def _upload(number: int) -> bytes:
    stream = io.BytesIO()
    picture = draw_image(1_000_000 + number)
    Image.fromarray((picture >> 4).astype(np.uint8)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _thumbnail(upload: bytes, px: int) -> np.ndarray:
    with Image.open(io.BytesIO(upload)) as picture:
        return np.asarray(picture.convert("RGB").resize((px, px)))

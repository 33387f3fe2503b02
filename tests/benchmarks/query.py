"""What the service adds to a query: its time over HTTP less encoding and vector search alone.

The service is a real one: uvicorn on the loopback, in a process of its own. For every query both
are timed in turn, so that whatever else the machine does falls on both. On a busy machine each
hand-over between two processes waits for a core: the time of an empty request (`/healthz`) shows
how much, and processor time, service less parts, says what the service itself costs. Decoding an
upload, in this process, is timed as well: what the service adds less both is the rest.
"""

import io
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any

import httpx
import numpy as np
import psutil
from PIL import Image

from indexer.encoders.base import ImageEncoder
from indexer.encoders.load import load_encoder
from indexer.encoders.spec import ImageInput
from indexer.pixels.decode import DecodedImage, DecodeRequest, decode_image
from indexer.pixels.limits import UPLOAD_LIMITS
from indexer.store.index_set import IndexSet
from indexer.store.reader import IndexReader
from tests.benchmarks.drawn import draw_image
from tests.benchmarks.machine import Timings, time_each
from tests.benchmarks.report import Report
from tests.benchmarks.serving import build_indexes, served, wait_until_ready

_QUERIES = 200
_WARM_UP = 20
_K = 10


@dataclass(slots=True)
class _Paired:
    """Each query's time over HTTP beside that of its parts alone."""

    served: Timings = field(default_factory=Timings)
    empty: Timings = field(default_factory=Timings)
    encoded: Timings = field(default_factory=Timings)
    searched: Timings = field(default_factory=Timings)
    decoded: Timings = field(default_factory=Timings)

    def overhead_ms(self) -> float:
        """The difference of the medians, in milliseconds."""
        return self.served.p50_ms - 1000 * median(
            _sums(self.encoded.seconds, self.searched.seconds)
        )

    def rest_ms(self) -> float:
        """What is left of it without an empty request and without decoding, in milliseconds."""
        decoded_ms = self.decoded.p50_ms if self.decoded.seconds else 0.0
        return self.overhead_ms() - self.empty.p50_ms - decoded_ms

    def cpu_overhead_ms(self) -> float:
        """The difference of the means of processor time, in milliseconds."""
        alone = _sums(self.encoded.cpu, self.searched.cpu)
        return 1000 * (fmean(self.served.cpu) - fmean(alone))


def run(indexes: Path | None, scratch: Path | None) -> Report:
    """Query the service over `indexes`, or over indexes of drawn datasets if None."""
    with tempfile.TemporaryDirectory(prefix="medsearch-query-", dir=scratch) as name:
        folder = indexes or build_indexes(Path(name))
        opened = IndexSet(folder).snapshot()
        records = {name: reader.manifest.counts.records for name, reader in opened.items()}
        report = Report("Query", {"records": records, "queries of each kind": _QUERIES, "k": _K})
        with (
            served(folder) as (service, address),
            httpx.Client(base_url=address, timeout=60) as client,
        ):
            wait_until_ready(client)
            for kind in _kinds(opened):
                _report(report, kind.name, _measure(kind, client, service))
    return report


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of query: how to ask the service, and how to do the two parts alone."""

    name: str
    ask: Callable[[httpx.Client, int], httpx.Response]
    encode: Callable[[int], np.ndarray]
    search: Callable[[np.ndarray], object]
    decode: Callable[[int], object] | None = None


def _kinds(opened: Any) -> Iterator[_Kind]:
    text, image = load_encoder("minilm"), load_encoder("builtin")
    images = [one for one in opened.values() if one.manifest.kind == "image"]
    questions = [one for one in opened.values() if one.manifest.kind == "text"]
    if questions:
        yield _Kind(
            "question",
            lambda client, number: _post(client, "questions", _words("question", number)),
            lambda number: text.encode_texts([_words("question", number)], "query"),
            lambda vector: _search(questions, ("question",), vector),
        )
    if images:
        yield _Kind(
            "text to image",
            lambda client, number: _post(client, "text", _words("picture", number)),
            lambda number: image.encode_texts([_words("picture", number)], "query"),
            lambda vector: _search(images, ("image", "caption"), vector),
        )
    if images and isinstance(image, ImageEncoder):
        px = image.image_input.px
        uploads = [_upload(number) for number in range(_QUERIES + _WARM_UP)]
        pixels = [_thumbnail(upload, px) for upload in uploads]
        encode_images = image.encode_images
        yield _Kind(
            "image to image, decoding included",
            lambda client, number: client.post(
                "/v1/search/image",
                files={"file": ("upload.png", uploads[number], "image/png")},
                data={"params": json.dumps({"k": _K})},
            ),
            lambda number: encode_images(pixels[number][np.newaxis]),
            lambda vector: _search(images, ("image",), vector),
            lambda number: _decode(uploads[number], image.image_input),
        )


def _measure(kind: _Kind, client: httpx.Client, service: psutil.Process) -> _Paired:
    """Ask and do each query in turn. The service's processor time is read for all of them at once,
    for the kernel counts it in hundredths of a second.
    """
    paired = _Paired()
    numbers = range(_WARM_UP, _WARM_UP + _QUERIES)
    for number in range(_WARM_UP):
        kind.ask(client, number).raise_for_status()
        kind.search(kind.encode(number))
    service_cpu = 0.0
    for number in numbers:
        paired.empty.extend(time_each(client.get, ["/healthz"])[0])
        before = _tree_cpu_seconds(service)
        timings, [reply] = time_each(lambda one: kind.ask(client, one), [number])
        service_cpu += _tree_cpu_seconds(service) - before
        reply.raise_for_status()
        paired.served.seconds += timings.seconds
        timings, [vector] = time_each(kind.encode, [number])
        paired.encoded.extend(timings)
        paired.searched.extend(time_each(kind.search, [vector])[0])
        if kind.decode is not None:
            paired.decoded.extend(time_each(kind.decode, [number])[0])
    paired.served.cpu = [service_cpu / len(numbers)]
    return paired


def _report(report: Report, name: str, paired: _Paired) -> None:
    report.add(f"{name}: over HTTP, p50", paired.served.p50_ms, "ms")
    report.add(f"{name}: over HTTP, p99", paired.served.p99_ms, "ms")
    report.add(f"{name}: an empty request, p50", paired.empty.p50_ms, "ms")
    report.add(f"{name}: encoding alone, p50", paired.encoded.p50_ms, "ms")
    report.add(f"{name}: vector search alone, p50", paired.searched.p50_ms, "ms")
    if paired.decoded.seconds:
        report.add(f"{name}: decoding alone, p50", paired.decoded.p50_ms, "ms")
    report.add(f"{name}: the service adds", paired.overhead_ms(), "ms", "3 ms or less")
    report.add(f"{name}: of that, beside empty request and decoding", paired.rest_ms(), "ms")
    report.add(f"{name}: the service adds, processor time", paired.cpu_overhead_ms(), "ms")


def _sums(first: list[float], second: list[float]) -> list[float]:
    return [one + two for one, two in zip(first, second, strict=True)]


def _tree_cpu_seconds(process: psutil.Process) -> float:
    """Return the processor time of a process and its children (the decoders)."""
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return sum(float(one.user + one.system) for one in times)


def _post(client: httpx.Client, route: str, words: str) -> httpx.Response:
    return client.post(f"/v1/search/{route}", json={"query": words, "k": _K})


def _search(readers: list[IndexReader], fields: tuple[str, ...], vector: np.ndarray) -> None:
    for reader in readers:
        for name in fields:
            if name in reader.manifest.fields:
                reader.search(name, vector, _K)


def _words(kind: str, number: int) -> str:
    """Return words that no other query has, so that no embedding is found in a cache."""
    subjects = ("nodule in the lung", "broken wrist", "swelling of the brain", "stone in a kidney")
    return f"{subjects[number % 4]} of a patient aged {20 + number % 70}, {kind} {number}"


def _upload(number: int) -> bytes:
    stream = io.BytesIO()
    picture = draw_image(1_000_000 + number)
    Image.fromarray((picture >> 4).astype(np.uint8)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def _decode(upload: bytes, wanted: ImageInput) -> DecodedImage:
    """Decode as the service's workers do."""
    request = DecodeRequest(
        raw=upload, px=wanted.px, resize=wanted.resize, thumbnail_px=0, by_window=True
    )
    return decode_image(request, UPLOAD_LIMITS)


def _thumbnail(upload: bytes, px: int) -> np.ndarray:
    with Image.open(io.BytesIO(upload)) as picture:
        return np.asarray(picture.convert("RGB").resize((px, px)))

"""What it costs that foreign bytes are decoded in processes that may die: indexing both ways.

Without, the same number of threads of the building process decode, which a hostile file could take
down. The built-in tower is the cheapest encoder that there is, so the cost shows most beside it.
"""

import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Self, TypeVar
from unittest.mock import patch

import psutil

from indexer.build import BuildOptions, build_index
from indexer.datasets.registry import get_dataset
from indexer.encoders.base import ImageEncoder, TextEncoder
from indexer.encoders.load import load_encoder
from indexer.errors import DecodeError
from indexer.pixels.decode import DecodedImage, DecodeRequest, decode_image
from indexer.pixels.limits import BUILD_LIMITS, DecodeLimits
from indexer.pixels.pool import BATCH_IMAGES, BATCHES_AHEAD, DecodePool
from indexer.records import ImageRef
from tests.benchmarks.drawn import write_images
from tests.benchmarks.machine import Cost, cost_of
from tests.benchmarks.report import Report

T = TypeVar("T")

_IMAGES = 1024
_DECODED = 512


@dataclass(frozen=True, slots=True)
class Setting:
    """How many threads (and decode processes), how often, and where files are put meanwhile."""

    threads: int
    rounds: int
    scratch: Path | None


class UnguardedPool:
    """Decodes on threads of this process, as far ahead as a `DecodePool` does."""

    def __init__(self, workers: int, limits: DecodeLimits = BUILD_LIMITS) -> None:
        self._limits = limits
        self._ahead = BATCH_IMAGES * BATCHES_AHEAD * workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="decode")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()

    def decode_pairs(
        self, pairs: Iterable[tuple[T, DecodeRequest | None]]
    ) -> Iterator[tuple[T, DecodedImage | DecodeError | None]]:
        """Decode a stream as `DecodePool.decode_pairs` does."""
        pending: deque[tuple[T, Future[DecodedImage | DecodeError | None]]] = deque()
        for companion, request in pairs:
            pending.append((companion, self._threads.submit(self._decode, request)))
            if len(pending) >= self._ahead:
                first, future = pending.popleft()
                yield first, future.result()
        for first, future in pending:
            yield first, future.result()

    def _decode(self, request: DecodeRequest | None) -> DecodedImage | DecodeError | None:
        try:
            return None if request is None else decode_image(request, self._limits)
        except DecodeError as error:
            return error


def run(setting: Setting) -> Report:
    """Index drawn images, and decode them alone, with isolation on and off."""
    counts = {"threads": setting.threads, "rounds": setting.rounds, "images": _IMAGES}
    report = Report("Isolation of decoding", counts)
    with tempfile.TemporaryDirectory(prefix="medsearch-isolation-", dir=setting.scratch) as name:
        root = Path(name) / "images"
        write_images(root, _IMAGES)
        _measure_pipeline(report, root, setting)
        _measure_decoding(report, root, setting)
    return report


def _measure_pipeline(report: Report, root: Path, setting: Setting) -> None:
    text, image = load_encoder("minilm"), load_encoder("builtin")
    if not isinstance(image, ImageEncoder):
        message = f"{image.spec.key} embeds no images"
        raise TypeError(message)

    def build() -> Cost:
        return cost_of(lambda: _build(root, text, image, setting.threads))

    def build_unguarded() -> Cost:
        with patch("indexer.build.DecodePool", UnguardedPool):
            return build()

    build()
    pairs = [(build_unguarded(), build()) for _ in range(setting.rounds)]
    _compare(report, "indexing, built-in tower", _IMAGES, pairs, "0.95 or more")


def _build(root: Path, text: TextEncoder, image: ImageEncoder, threads: int) -> None:
    with tempfile.TemporaryDirectory(dir=root.parent) as indexes:
        build_index(
            get_dataset("own_images"), root, Path(indexes),
            text=text, image=image, options=BuildOptions(workers=threads),
        )  # fmt: skip


def _measure_decoding(report: Report, root: Path, setting: Setting) -> None:
    names = sorted(path.name for path in root.iterdir() if path.suffix != ".jsonl")[:_DECODED]
    requests = [
        (name, DecodeRequest(root=root, ref=ImageRef(path=name), px=128, resize="squash"))
        for name in names
    ]
    with (
        DecodePool(setting.threads) as pool,
        UnguardedPool(setting.threads) as unguarded,
    ):
        consume = _require_images
        consume(pool.decode_pairs(requests))
        workers = [psutil.Process(pid) for pid in pool.worker_pids]
        pairs = [
            (
                cost_of(lambda: consume(unguarded.decode_pairs(requests))),
                cost_of(lambda: consume(pool.decode_pairs(requests)), workers),
            )
            for _ in range(setting.rounds)
        ]
    _compare(report, "decoding alone", len(names), pairs, "")


def _require_images(outcomes: Iterable[tuple[str, DecodedImage | DecodeError | None]]) -> None:
    for name, one in outcomes:
        if not isinstance(one, DecodedImage):
            message = f"{name}: a drawn image could not be decoded: {one}"
            raise TypeError(message)


def _compare(
    report: Report, name: str, images: int, pairs: list[tuple[Cost, Cost]], aim: str
) -> None:
    """Report pairs of costs, without isolation and with it, that were measured in turns."""
    off = median(images / bare.seconds for bare, _ in pairs)
    on = median(images / guarded.seconds for _, guarded in pairs)
    by_clock = median(bare.seconds / guarded.seconds for bare, guarded in pairs)
    by_processor = median(bare.cpu / guarded.cpu for bare, guarded in pairs)
    report.add(f"{name}: isolation off", off, "images/s")
    report.add(f"{name}: isolation on", on, "images/s")
    report.add(f"{name}: speed with isolation over without", by_clock, "", aim)
    report.add(f"{name}: the same of processor time", by_processor, "", aim)

"""Hostile uploads against a running service: replies, time and memory of thousands of bad files."""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import httpx
import psutil

from tests.benchmarks.hostile_files import hostile_files
from tests.benchmarks.machine import MIB
from tests.benchmarks.report import Report
from tests.benchmarks.serving import build_indexes, served, wait_until_ready

_EXPECTED = frozenset({200, 400, 413, 415, 422})
_TIMEOUT_S = 60.0
_SAMPLED_EVERY_S = 0.02


@dataclass(slots=True)
class Outcome:
    """What became of some uploads: replies by status, the slowest, and the memory of the service.

    `unexpected` holds the kind of each upload that was answered as no upload may be.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    slowest_kind: str = ""
    idle_bytes: int = 0
    peak_bytes: int = 0
    alive: bool = False


def run(uploads: int, scratch: Path | None) -> Report:
    """Send `uploads` hostile files to a service of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="medsearch-hostile-", dir=scratch) as name,
        served(build_indexes(Path(name))) as (process, address),
    ):
        outcome = attack(process, address, uploads)
    report = Report("Hostile uploads", {"uploads": f"{uploads:,}"})
    for status, count in sorted(outcome.statuses.items()):
        report.add(f"answered {status}", count, "")
    report.add("answered otherwise than an upload may be", len(outcome.unexpected), "", "0")
    report.add(f"slowest ({outcome.slowest_kind})", outcome.slowest_s, "s", "6 s or less")
    above = (outcome.peak_bytes - outcome.idle_bytes) / MIB
    report.add("memory of all processes above idle, at most", above, "MiB", "1024 MiB or less")
    report.add("alive and ready at the end", outcome.alive, "", "1")
    return report


def attack(process: psutil.Process, address: str, uploads: int, seed: int = 0) -> Outcome:
    """Send hostile files one by one and watch the service."""
    outcome = Outcome()
    with httpx.Client(base_url=address, timeout=_TIMEOUT_S) as client:
        wait_until_ready(client)
        outcome.idle_bytes = tree_bytes(process)
        with _watching(process, outcome):
            for kind, raw in islice(hostile_files(seed), uploads):
                began = time.monotonic()
                reply = client.post("/v1/search/image", files={"file": ("upload", raw)})
                took = time.monotonic() - began
                outcome.statuses[reply.status_code] += 1
                if reply.status_code not in _EXPECTED:
                    outcome.unexpected.append(f"{kind}: {reply.status_code}")
                if took > outcome.slowest_s:
                    outcome.slowest_s, outcome.slowest_kind = took, kind
        outcome.alive = client.get("/readyz").status_code == httpx.codes.OK
    return outcome


def tree_bytes(process: psutil.Process) -> int:
    """Return the memory of a process and its children, pages shared between them counted once."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().uss
        except psutil.NoSuchProcess:
            continue
    return total


@contextmanager
def _watching(process: psutil.Process, outcome: Outcome) -> Iterator[None]:
    done = threading.Event()

    def sample() -> None:
        while not done.wait(_SAMPLED_EVERY_S):
            outcome.peak_bytes = max(outcome.peak_bytes, tree_bytes(process))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()

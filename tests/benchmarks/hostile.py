"""Hostile uploads against a running service: replies, time and memory of thousands of bad files.

Two are under way at a time, one for each process that decodes, so that a file never waits for
another one and its time is its own.
"""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import httpx
import psutil

from tests.benchmarks.hostile_files import hostile_files
from tests.benchmarks.machine import MIB, anonymous_bytes
from tests.benchmarks.report import Report
from tests.benchmarks.serving import build_indexes, served, wait_until_ready

Tell = Callable[[str], None]

IN_FLIGHT = 2
_EXPECTED = frozenset({200, 400, 413, 415, 422})
_TIMEOUT_S = 60.0
_SAMPLED_EVERY_S = 0.02
_TELLS = 20


@dataclass(slots=True)
class Outcome:
    """What became of some uploads: replies by status, the slowest, and the memory of the service.

    `unexpected` holds the kind of each upload that was answered as no upload may be, or not at
    all.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    slowest_kind: str = ""
    idle_bytes: int = 0
    peak_bytes: int = 0
    alive: bool = False

    @property
    def answered(self) -> int:
        """How many uploads have been answered, one way or another."""
        return self.statuses.total() + len(self.unexpected)


def run(uploads: int, scratch: Path | None, tell: Tell = print) -> Report:
    """Send `uploads` hostile files to a service of its own; `tell` hears how far it is."""
    with (
        tempfile.TemporaryDirectory(prefix="medsearch-hostile-", dir=scratch) as name,
        served(build_indexes(Path(name)), MEDSEARCH_DECODE_WORKERS=str(IN_FLIGHT)) as one,
    ):
        began = time.monotonic()
        outcome = attack(*one, uploads, tell=tell)
        took_s = time.monotonic() - began
    report = Report("Hostile uploads", {"uploads": f"{uploads:,}", "at a time": IN_FLIGHT})
    for status, count in sorted(outcome.statuses.items()):
        report.add(f"answered {status}", count, "")
    report.add("answered otherwise than an upload may be", len(outcome.unexpected), "", "0")
    for kind, count in Counter(outcome.unexpected).most_common():
        report.add(f"of these, {kind}", count, "", "0")
    report.add(f"slowest ({outcome.slowest_kind})", outcome.slowest_s, "s", "6 s or less")
    above = (outcome.peak_bytes - outcome.idle_bytes) / MIB
    report.add("memory of all processes above idle, at most", above, "MiB", "1024 MiB or less")
    report.add("alive and ready at the end", outcome.alive, "", "1")
    report.add("took", took_s, "s")
    return report


def attack(
    process: psutil.Process,
    address: str,
    uploads: int,
    *,
    seed: int = 0,
    tell: Tell = lambda _: None,
) -> Outcome:
    """Send hostile files, `IN_FLIGHT` at a time, and watch the service."""
    outcome = Outcome()
    lock = threading.Lock()
    files = islice(hostile_files(seed), uploads)

    def send_all() -> None:
        with httpx.Client(base_url=address, timeout=_TIMEOUT_S) as client:
            while (one := _take(files, lock)) is not None:
                status, took_s = _send(client, one[1])
                with lock:
                    _note(outcome, one[0], status, took_s)
                    if outcome.answered % max(1, uploads // _TELLS) == 0:
                        tell(f"{outcome.answered:,} of {uploads:,} uploads answered")

    with httpx.Client(base_url=address, timeout=_TIMEOUT_S) as client:
        wait_until_ready(client)
        outcome.idle_bytes = tree_bytes(process)
        with _watching(process, outcome):
            senders = [threading.Thread(target=send_all, daemon=True) for _ in range(IN_FLIGHT)]
            for sender in senders:
                sender.start()
            for sender in senders:
                sender.join()
        outcome.alive = client.get("/readyz").status_code == httpx.codes.OK
    return outcome


def tree_bytes(process: psutil.Process) -> int:
    """Return the memory of a process and its children that is no page of a file."""
    family = (process, *process.children(recursive=True))
    return sum(anonymous_bytes(one.pid) for one in family)


def _take(files: Iterator[tuple[str, bytes]], lock: threading.Lock) -> tuple[str, bytes] | None:
    with lock:
        return next(files, None)


def _send(client: httpx.Client, raw: bytes) -> tuple[int | None, float]:
    """Return the status of the reply, None where there is none, and how long it took."""
    began = time.monotonic()
    try:
        reply = client.post("/v1/search/image", files={"file": ("upload", raw)})
    except httpx.TransportError:
        return None, time.monotonic() - began
    return reply.status_code, time.monotonic() - began


def _note(outcome: Outcome, kind: str, status: int | None, took_s: float) -> None:
    if status in _EXPECTED:
        outcome.statuses[status] += 1
    else:
        outcome.unexpected.append(f"{kind}: {status or 'no reply'}")
    if took_s > outcome.slowest_s:
        outcome.slowest_s, outcome.slowest_kind = took_s, kind


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

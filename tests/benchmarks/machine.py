"""What a benchmark ran on, and what its process costs in memory and time."""

import os
import platform
import statistics
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import psutil

MIB = 1024 * 1024
Input = TypeVar("Input")
Result = TypeVar("Result")
_PACKAGES = ("faiss-cpu", "numpy", "pyarrow", "tantivy", "torch")


def describe_machine() -> dict[str, str]:
    """Return the machine, its load before the run, and the versions that matter."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return {
        "processor": f"{_processor_name()}, {os.cpu_count()} cores",
        "load averages before": load,
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def anonymous_bytes(process: int | str = "self") -> int:
    """Return the resident memory of a process that is no page of a file (Linux, else 0).

    Pages of memory-mapped files are left out: every worker shares them, and the kernel takes them
    back when memory runs short.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii")
    except OSError:
        return 0
    lines = (line.split() for line in status.splitlines())
    return next((int(words[1]) * 1024 for words in lines if words[0] == "RssAnon:"), 0)


def cpu_seconds() -> float:
    """Return the processor time of this process and of its children that have ended.

    On a machine that others use too it says more than the clock.
    """
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: seconds by the clock, and of processor time."""

    seconds: float
    cpu: float


def cost_of(work: Callable[[], object], helpers: Sequence[psutil.Process] = ()) -> Cost:
    """Call `work` and return its cost; the processor time of `helpers`, which live on, counts."""
    start, cpu = time.perf_counter(), cpu_seconds() + _cpu_of(helpers)
    work()
    seconds = time.perf_counter() - start
    return Cost(seconds, cpu_seconds() + _cpu_of(helpers) - cpu)


def _cpu_of(processes: Sequence[psutil.Process]) -> float:
    times = [one.cpu_times() for one in processes]
    return sum(one.user + one.system for one in times)


@dataclass
class PeakMemory:
    """The most anonymous memory seen while a block ran, and before it, in bytes."""

    before: int = 0
    peak: int = 0


@contextmanager
def watch_memory(every_s: float = 0.02) -> Iterator[PeakMemory]:
    """Sample this process's memory from a thread while the block runs."""
    seen = PeakMemory(before=anonymous_bytes())
    seen.peak = seen.before
    done = threading.Event()

    def sample() -> None:
        while not done.wait(every_s):
            seen.peak = max(seen.peak, anonymous_bytes())

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


@dataclass
class Timings:
    """Seconds that repeated calls took, by the clock and of this process's processor time."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def extend(self, other: "Timings") -> None:
        """Append the calls of another."""
        self.seconds += other.seconds
        self.cpu += other.cpu

    @property
    def p50_ms(self) -> float:
        """The median in milliseconds."""
        return 1000 * statistics.median(self.seconds)

    @property
    def p50_cpu_ms(self) -> float:
        """The median of the processor time in milliseconds."""
        return 1000 * statistics.median(self.cpu)

    @property
    def p99_ms(self) -> float:
        """The 99th percentile in milliseconds (nearest rank)."""
        ranked = sorted(self.seconds)
        return 1000 * ranked[min(len(ranked) - 1, int(0.99 * len(ranked)))]


def time_each(
    ask: Callable[[Input], Result], inputs: Iterable[Input]
) -> tuple[Timings, list[Result]]:
    """Call `ask` with each of the inputs; return how long each call took, and the results."""
    timings = Timings()
    results: list[Result] = []
    for one in inputs:
        start, cpu = time.perf_counter(), time.process_time()
        results.append(ask(one))
        timings.seconds.append(time.perf_counter() - start)
        timings.cpu.append(time.process_time() - cpu)
    return timings, results


def _processor_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())

"""The parent's end of one worker: starts it, talks to it within a deadline, and ends it."""

import contextlib
import dataclasses
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from indexer.errors import DecodeError
from indexer.pixels.archives import ArchiveRequest, Unpacked
from indexer.pixels.decode import DecodedImage, DecodeRequest
from indexer.pixels.frames import (
    Part,
    ProtocolError,
    pack_archive_request,
    pack_request,
    read_answer,
    read_files,
)
from indexer.pixels.limits import DecodeLimits, Patience

Answer = TypeVar("Answer")

START_ALLOWANCE_S: Final = 30.0
"""What a worker may take to start on a busy machine, on top of its first request."""

_LATENESS_ALLOWANCE_S: Final = 1.0
"""A worker ends itself at its limit; the parent waits a little longer before it does so."""

_SENT_AHEAD: Final = 2
_PIPE_BYTES: Final = 1 << 20
_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[2]
_KEPT_VARIABLES: Final = ("PATH", "LANG", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")


class WorkerDiedError(Exception):
    """The worker ended before it answered."""


class WorkerTimeoutError(Exception):
    """The worker did not answer in time, and was killed."""


class WorkerProcess:
    """One worker, for one thread at a time."""

    def __init__(self, limits: DecodeLimits) -> None:
        """Start the process; it is ready some 0.3 s later, and requests wait for it."""
        self._limits = limits
        self._allowance_s = START_ALLOWANCE_S
        self._process = subprocess.Popen(  # noqa: S603 - our own module, nothing from outside
            [sys.executable, "-m", "indexer.pixels.worker", json.dumps(dataclasses.asdict(limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_make_environment(),
            bufsize=0,
        )
        if self._process.stdin is None or self._process.stdout is None:
            message = "a worker needs pipes"
            raise RuntimeError(message)
        self._requests = self._process.stdin.fileno()
        self._answers = self._process.stdout.fileno()
        for descriptor in (self._requests, self._answers):
            os.set_blocking(descriptor, False)
            _enlarge_pipe(descriptor)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether the process still runs."""
        return self._process.poll() is None

    def decode(
        self, requests: Sequence[DecodeRequest], patience: Patience
    ) -> Iterator[DecodedImage | DecodeError]:
        """Have the worker decode, yielding for each request its image or why there is none.

        Requests that name files are sent ahead, so that the worker need not wait for us between
        two of them. Uploaded bytes are not: both sides could end up waiting to write.

        Raises
        ------
        WorkerDiedError
            The process ended, or answered nonsense and was killed.
        WorkerTimeoutError
            It took longer than `limits.wall_clock_s`, or than patience lasted, over one image and
            was killed.
        """
        sent = 0
        for position, request in enumerate(requests):
            with self._time_for_one(patience) as (within_s, deadline):
                ahead = position + _SENT_AHEAD
                while sent <= min(ahead, len(requests) - 1) and (
                    sent == position or requests[sent].raw is None
                ):
                    self._send(pack_request(requests[sent], within_s), deadline)
                    sent += 1
                answer = self._read_answer(request, deadline)
            yield answer

    def unpack(self, request: ArchiveRequest, patience: Patience) -> Unpacked | DecodeError:
        """Have the worker read the image files of an archive; return them, or why there are none.

        Raises
        ------
        WorkerDiedError, WorkerTimeoutError
            As `decode`.
        """
        limit_bytes = self._limits.max_inflated_bytes
        with self._time_for_one(patience) as (within_s, deadline):
            self._send(pack_archive_request(request, within_s), deadline)
            return self._answer(
                lambda: read_files(
                    lambda view: self._receive(view, deadline), request.most, limit_bytes
                )
            )

    @contextmanager
    def _time_for_one(self, patience: Patience) -> Iterator[tuple[float, float]]:
        """Yield the seconds that there are for one request, and when to give it up.

        Raises
        ------
        WorkerTimeoutError
            There are none left.
        """
        with patience.spend(self._limits.wall_clock_s) as within_s:
            if within_s == 0:
                raise WorkerTimeoutError
            yield within_s, time.monotonic() + within_s + self._allowance_s
        self._allowance_s = _LATENESS_ALLOWANCE_S

    def kill(self) -> None:
        """End the process at once; whoever waits for its answer learns that it died."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """End the process and close its pipes. Nobody may be waiting for an answer."""
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _read_answer(self, request: DecodeRequest, deadline: float) -> DecodedImage | DecodeError:
        """Read one answer."""
        return self._answer(
            lambda: read_answer(lambda view: self._receive(view, deadline), request.px)
        )

    def _answer(self, read: Callable[[], Answer]) -> Answer | DecodeError:
        """Read an answer; a worker that does not keep to the protocol is ended."""
        try:
            return read()
        except DecodeError as error:
            return error
        except ProtocolError as error:
            self.kill()
            raise WorkerDiedError from error

    def _send(self, parts: list[Part], deadline: float) -> None:
        """Write a request."""
        views = [memoryview(part) for part in parts if len(part)]
        while views:
            try:
                written = os.writev(self._requests, views)
            except BlockingIOError:
                self._wait(self._requests, select.POLLOUT, deadline)
                continue
            except OSError as error:
                raise self._ended() from error
            while views and written >= len(views[0]):
                written -= len(views.pop(0))
            if views:
                views[0] = views[0][written:]

    def _receive(self, view: memoryview, deadline: float) -> None:
        """Fill a buffer from the answer."""
        filled = 0
        while filled < len(view):
            try:
                count = os.readv(self._answers, [view[filled:]])
            except BlockingIOError:
                self._wait(self._answers, select.POLLIN, deadline)
                continue
            except OSError as error:
                raise self._ended() from error
            if count == 0:
                raise self._ended()
            filled += count

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        """Wait until a pipe is ready, or kill the worker at the deadline."""
        poller = select.poll()
        poller.register(descriptor, event)
        remaining_ms = max(0.0, deadline - time.monotonic()) * 1000
        if not poller.poll(remaining_ms):
            self.kill()
            raise WorkerTimeoutError

    def _ended(self) -> WorkerDiedError | WorkerTimeoutError:
        """Return the error that fits how the process ended; its own alarm is a timeout."""
        self.kill()
        timed_out = self._process.returncode == -signal.SIGALRM
        return WorkerTimeoutError() if timed_out else WorkerDiedError()


def _make_environment() -> dict[str, str]:
    """Return the few variables that a worker needs: no keys, and one thread a library."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(_PACKAGE_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
    }


def _enlarge_pipe(descriptor: int) -> None:
    """Make room for a whole image in a pipe, where the system lets us: fewer wake-ups."""
    set_size = getattr(fcntl, "F_SETPIPE_SZ", None)
    if set_size is not None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, set_size, _PIPE_BYTES)

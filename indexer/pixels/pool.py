"""Decodes foreign bytes in processes that may be killed, without the caller being hurt."""

import os
import queue
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.decode import DecodedImage, DecodeRequest
from indexer.pixels.limits import BUILD_LIMITS, DecodeLimits
from indexer.pixels.worker_process import WorkerDiedError, WorkerProcess, WorkerTimeoutError

LOOK_AHEAD_PER_WORKER: Final = 4
_ATTEMPTS: Final = 2


class DecodePool:
    """A fixed number of worker processes behind one thread-safe door. A context manager.

    A worker that dies or takes too long is replaced; only the request that it was busy with can
    fail. Workers start when first needed.
    """

    def __init__(self, workers: int, limits: DecodeLimits = BUILD_LIMITS) -> None:
        """Prepare the pool; `workers` is how many images are decoded at once."""
        if workers < 1:
            message = f"a DecodePool needs at least one worker, not {workers}"
            raise ValueError(message)
        self._limits = limits
        self._workers = workers
        self._slots: queue.LifoQueue[WorkerProcess | None] = queue.LifoQueue()
        for _ in range(workers):
            self._slots.put(None)
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="decode")
        self._live: set[WorkerProcess] = set()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """The process ids of the workers that run now."""
        with self._lock:
            return tuple(sorted(worker.pid for worker in self._live))

    def decode(self, requests: Iterable[DecodeRequest]) -> Iterator[DecodedImage | DecodeError]:
        """Decode a stream, yielding for each request, in order, its image or why there is none.

        Looks ahead by four images a worker and no further: memory does not grow with the stream.
        """
        pending: deque[Future[DecodedImage | DecodeError]] = deque()
        try:
            for request in requests:
                pending.append(self._executor.submit(self._attempt, request))
                if len(pending) >= LOOK_AHEAD_PER_WORKER * self._workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()

    def decode_one(self, request: DecodeRequest) -> DecodedImage:
        """Decode one image, waiting for a free worker. Safe to call from any thread.

        Raises
        ------
        NotAnImageError
            A DICOM object without an image of its own.
        LimitExceededError
            Larger than the limits allow, or its decoding took too long.
        DecodeError
            Not a readable image, or one that its decoder died of.
        """
        worker = self._slots.get()
        try:
            for _ in range(_ATTEMPTS):
                worker = self._renew(worker)
                try:
                    return worker.decode(request)
                except WorkerTimeoutError as error:
                    raise LimitExceededError(
                        f"Decoding took longer than {self._limits.wall_clock_s:g} s."
                    ) from error
                except WorkerDiedError:
                    continue  # killed from outside, perhaps: one more try in a fresh process
            raise DecodeError("The image is damaged: its decoder died of it.")
        finally:
            self._slots.put(worker)

    def close(self) -> None:
        """End all workers. Requests that are being decoded fail."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for worker in self._live:
                worker.kill()
        self._executor.shutdown(wait=True, cancel_futures=True)
        for _ in range(self._workers):
            self._slots.get()  # whoever still waits for an answer learns first that there is none
        for worker in self._live:
            worker.close()
        self._slots.put(None)  # so that a late caller is told, and does not wait for ever

    def _attempt(self, request: DecodeRequest) -> DecodedImage | DecodeError:
        """Decode, with the error as a value."""
        try:
            return self.decode_one(request)
        except DecodeError as error:
            return error

    def _renew(self, worker: WorkerProcess | None) -> WorkerProcess:
        """Return a live worker: this one, or a new one in its place."""
        if worker is not None and worker.is_alive():
            return worker
        with self._lock:
            if worker is not None:
                self._live.discard(worker)
                worker.close()
            if self._closed:
                raise DecodeError("The decode pool is closed.")
            fresh = WorkerProcess(self._limits)
            self._live.add(fresh)
        return fresh


def default_workers() -> int:
    """Return how many workers suit this machine: one for each core that this process may use."""
    return max(1, len(os.sched_getaffinity(0)))

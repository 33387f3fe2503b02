"""Decodes foreign bytes in processes that may be killed, without the caller being hurt."""

import queue
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Final, Self, TypeVar

from indexer.errors import DecodeError, LimitExceededError
from indexer.pixels.archives import ArchiveRequest, Unpacked
from indexer.pixels.decode import DecodedImage, DecodeRequest
from indexer.pixels.limits import BUILD_LIMITS, DecodeLimits, Patience
from indexer.pixels.worker_process import WorkerDiedError, WorkerProcess, WorkerTimeoutError

T = TypeVar("T")

BATCH_IMAGES: Final = 8
BATCHES_AHEAD: Final = 2
MAX_DEATHS: Final = 2


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

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """The process ids of the workers that run now."""
        with self._lock:
            return tuple(sorted(worker.pid for worker in self._live))

    def decode(
        self, requests: Iterable[DecodeRequest], patience: Patience | None = None
    ) -> Iterator[DecodedImage | DecodeError]:
        """Decode a stream, yielding for each request, in order, its image or why there is none.

        Looks ahead by two batches of eight a worker and no further, so memory does not grow with
        the stream. What it takes is taken from `patience`, as `decode_one` does.
        """
        pairs = ((None, request) for request in requests)
        for _, outcome in self.decode_pairs(pairs, patience):
            if outcome is not None:
                yield outcome

    def decode_pairs(
        self,
        pairs: Iterable[tuple[T, DecodeRequest | None]],
        patience: Patience | None = None,
    ) -> Iterator[tuple[T, DecodedImage | DecodeError | None]]:
        """Decode a stream as `decode` does, with whatever goes along with each request.

        What has no request keeps its place in the stream, with None for its image.
        """
        pending: deque[tuple[list[T], Future[list[DecodedImage | DecodeError | None]]]] = deque()
        stream = iter(pairs)
        try:
            while batch := list(islice(stream, BATCH_IMAGES)):
                requests = [request for _, request in batch]
                future = self._executor.submit(self._decode_present, requests, patience)
                pending.append(([companion for companion, _ in batch], future))
                if len(pending) >= BATCHES_AHEAD * self._workers:
                    companions, future = pending.popleft()
                    yield from zip(companions, future.result(), strict=True)
            for companions, future in pending:
                yield from zip(companions, future.result(), strict=True)
        finally:
            for _, future in pending:
                future.cancel()

    def decode_one(self, request: DecodeRequest, patience: Patience | None = None) -> DecodedImage:
        """Decode one image, waiting for a free worker. Safe to call from any thread.

        What it takes is taken from `patience`, which others may have used before.

        Raises
        ------
        NotAnImageError
            A DICOM object without an image of its own.
        LimitExceededError
            Larger than the limits allow, or its decoding took too long.
        DecodeError
            Not a readable image, or one that its decoder died of.
        """
        (outcome,) = self._decode_batch([request], patience)
        if isinstance(outcome, DecodeError):
            raise outcome
        return outcome

    def unpack(self, request: ArchiveRequest, patience: Patience | None = None) -> Unpacked:
        """Read the image files of a zip archive, as `decode_one` does an image.

        Raises
        ------
        LimitExceededError, DecodeError
            As `indexer.pixels.archives.read_images`, or the worker died of it or took too long.
        """
        worker = self._slots.get()
        try:
            worker = self._renew(worker)
            outcome = worker.unpack(request, patience or Patience())
        except WorkerTimeoutError:
            raise LimitExceededError(f"Unpacking took {self._too_long}.") from None
        except WorkerDiedError:
            raise DecodeError("The archive is damaged: decoders die of it.") from None
        finally:
            self._put_back(worker)
        if isinstance(outcome, DecodeError):
            raise outcome
        return outcome

    def _decode_present(
        self, requests: Sequence[DecodeRequest | None], patience: Patience | None
    ) -> list[DecodedImage | DecodeError | None]:
        """Decode those requests of a batch that there are."""
        present = [request for request in requests if request is not None]
        outcomes = iter(self._decode_batch(present, patience) if present else ())
        return [None if request is None else next(outcomes) for request in requests]

    def _decode_batch(
        self, requests: Sequence[DecodeRequest], patience: Patience | None = None
    ) -> list[DecodedImage | DecodeError]:
        """Decode a few images with one worker, or with its successors where it dies."""
        outcomes: list[DecodedImage | DecodeError] = []
        deaths = 0
        patience = patience or Patience()
        worker = self._slots.get()
        try:
            while len(outcomes) < len(requests):
                try:
                    worker = self._renew(worker)
                    for outcome in worker.decode(requests[len(outcomes) :], patience):
                        outcomes.append(outcome)
                        deaths = 0
                except WorkerTimeoutError:
                    outcomes.append(LimitExceededError(f"Decoding took {self._too_long}."))
                except WorkerDiedError:
                    deaths += 1  # once may be chance (killed from outside); twice is the image
                    if deaths == MAX_DEATHS:
                        outcomes.append(DecodeError("The image is damaged: decoders die of it."))
                        deaths = 0
        finally:
            self._put_back(worker)
        return outcomes

    def _put_back(self, worker: WorkerProcess | None) -> None:
        """Free a worker for others; where it died, its successor starts before anybody needs it."""
        with suppress(DecodeError):  # the pool is being closed
            worker = self._renew(worker)
        self._slots.put(worker)

    @property
    def _too_long(self) -> str:
        return f"longer than {self._limits.wall_clock_s:g} s"

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

"""The rerankers of a running service: each loaded once, when it is first asked for."""

import threading
import time
from collections.abc import Callable

from indexer.encoders.base import Reranker
from indexer.encoders.rerankers import RERANKERS
from indexer.errors import EncoderError, UnknownNameError

_FAILURE_KEPT_S = 10.0


class Rerankers:
    """Loads rerankers by their catalogue keys; clients name them, so no folders. Thread-safe."""

    def __init__(
        self, load: Callable[[str], Reranker], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._loaded: dict[str, Reranker] = {}
        self._failed: dict[str, tuple[float, EncoderError]] = {}

    def get(self, key: str) -> Reranker:
        """Return a reranker, loading it first if need be (seconds: outside any time budget).

        Raises
        ------
        UnknownNameError
            The catalogue has no reranker of that name.
        EncoderError
            It cannot be loaded here. The reason is kept for some seconds and not tried again.
        """
        if key not in RERANKERS:
            raise UnknownNameError("reranker", key, RERANKERS)
        with self._lock:
            if key not in self._loaded:
                self._raise_recent_failure(key)
                try:
                    self._loaded[key] = self._load(key)
                except EncoderError as error:
                    self._failed[key] = (self._clock(), error)
                    raise
            return self._loaded[key]

    def _raise_recent_failure(self, key: str) -> None:
        if key in self._failed:
            failed_at, failure = self._failed[key]
            if self._clock() - failed_at < _FAILURE_KEPT_S:
                raise failure.with_traceback(None)

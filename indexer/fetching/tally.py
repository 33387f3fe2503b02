"""Summing up the bytes of several downloads that run at once, and stopping them together."""

import threading
from collections.abc import Callable

from indexer.errors import FetchError
from indexer.fetching.base import OnProgress


class Tally:
    """Adds up what several threads have received, for one listener."""

    def __init__(self, on_progress: OnProgress) -> None:
        """Start at zero."""
        self._on_progress = on_progress
        self._bytes: dict[str, int] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let every download end at its next bytes."""
        self._stopped.set()

    def listen(self, key: str, label: str) -> Callable[[int], None]:
        """Return what one download calls with the bytes that it has by now.

        The call raises `FetchError` once the downloads are to stop.
        """

        def report(size_bytes: int) -> None:
            if self._stopped.is_set():
                raise FetchError(
                    f"{label} was stopped.", remedy="The same command goes on where it stopped."
                )
            with self._lock:
                self._bytes[key] = size_bytes
                self._on_progress(label, sum(self._bytes.values()))

        return report

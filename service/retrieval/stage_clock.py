"""Times the stages of one query."""

import time


class StageClock:
    """Starts when made; `stages_ms` grows with each `mark`."""

    def __init__(self) -> None:
        self._began = self._last = time.perf_counter()
        self.stages_ms: dict[str, float] = {}

    def mark(self, stage: str) -> None:
        """End a stage here."""
        now = time.perf_counter()
        self.stages_ms[stage] = round((now - self._last) * 1000, 3)
        self._last = now

    def total_ms(self) -> float:
        """Return the time since the start."""
        return round((time.perf_counter() - self._began) * 1000, 3)

"""What a run shows while it goes on."""

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LOG_EVERY_S = 60.0


class RunProgress:
    """A progress bar on a terminal; a line a minute where the output is a file."""

    def __init__(self, *, shown: bool) -> None:
        self._console = Console(stderr=True, quiet=not shown)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not (shown and self._console.is_terminal),
        )
        self._tasks = {"": self._bar.add_task("training", total=None, visible=False)}
        self._loss = 0.0
        self._begun: tuple[int, float] | None = None
        self._logged = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def prepared(self, what: str, done: int) -> None:
        """Show how much of the corpus is prepared: `what` is "images" or "texts"."""
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(f"preparing {what}", total=None)
        self._bar.update(self._tasks[what], completed=done)
        self._log(f"prepared {done} {what}")

    def stepped(self, step: int, steps: int, loss: float, images: int) -> None:
        """Show a finished step, the running mean of the loss and the images seen a second."""
        now = time.monotonic()
        if self._begun is None:
            self._begun, self._loss = (step, now), loss
        self._loss += 0.05 * (loss - self._loss)
        first, begun = self._begun
        rate = (step - first) * images / max(now - begun, 1e-9)
        line = f"step {step}/{steps}  loss {self._loss:.4f}  {rate:.0f} images/s"
        self._bar.update(
            self._tasks[""], completed=step, total=steps, description=line, visible=True
        )
        if step == steps:
            self._logged = 0.0
        self._log(line)

    def _log(self, line: str) -> None:
        if not self._console.is_terminal and time.monotonic() - self._logged >= _LOG_EVERY_S:
            self._logged = time.monotonic()
            self._console.print(line, highlight=False)

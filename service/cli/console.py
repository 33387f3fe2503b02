"""The two consoles: answers go to standard output, progress and errors to standard error."""

from functools import cache

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


@cache
def answers_console() -> Console:
    """Return the console for what was asked for."""
    return Console()


@cache
def errors_console() -> Console:
    """Return the console for progress, warnings and errors."""
    return Console(stderr=True)


def progress_bars() -> Progress:
    """Return a progress display with a bar, counts and elapsed time, on standard error."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors_console(),
    )


def byte_bars() -> Progress:
    """Return a progress display of a download: bytes, rate and time left, on standard error."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=errors_console(),
    )

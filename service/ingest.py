"""Takes in what a PACS announces: studies wait in line for `medsearch index pacs`, one at a time.

The command runs in a process of its own, at a low priority, so searching never waits for it. What
it publishes is noticed as any new build is. Studies of a run that failed go back into the line; and
whatever was announced while the service was away is found by the first run after its start, which
compares everything.
"""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from service.errors import NotReadyError
from service.settings import Settings

LOGGER = logging.getLogger("medsearch.service")

MAX_WAITING = 100_000
RETRY_S = (30.0, 120.0, 600.0)
"""Waits after a first, a second and any further failed run in a row."""

_NICENESS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestRun:
    """One run that has ended; `error` is a code, the numbers are None where it failed early."""

    started_at: str
    took_s: float
    error: str | None
    fetched: int | None = None
    deleted: int | None = None
    stored: int | None = None
    refused: int | None = None
    records: int | None = None


class Ingest:
    """The line of one service, and the one process that works it off."""

    def __init__(self, command: Sequence[str], retry_s: Sequence[float] = RETRY_S) -> None:
        self._command = tuple(command)
        self._retry_s = tuple(retry_s)
        self._waiting: dict[str, None] = {}
        self._everything = True
        self._wake = asyncio.Event()
        self._wake.set()
        self._running_since: str | None = None
        self._last: IngestRun | None = None
        self._failures = 0

    @classmethod
    def from_settings(cls, settings: Settings) -> "Ingest | None":
        """Return the line, or None where nothing may be taken in."""
        if not settings.api_keys or settings.pacs_url is None or settings.pacs_mirror is None:
            return None
        options = {
            "--dicomweb": settings.pacs_url,
            "--name": settings.pacs_name,
            "--indexes": str(settings.indexes_dir),
            "--user": settings.pacs_user,
            "--since": settings.pacs_since and f"{settings.pacs_since:%Y-%m-%d}",
            "--ca-file": settings.pacs_ca_file and str(settings.pacs_ca_file),
            "--device": settings.device,
        }
        given = [word for name, value in options.items() if value for word in (name, value)]
        given += [word for encoder in settings.pacs_encoders for word in ("--encoder", encoder)]
        program = (sys.executable, "-m", "service", "index", f"pacs={settings.pacs_mirror}")
        return cls((*program, "--if-changed", "--json", *given))

    def add(self, uid: str) -> None:
        """Put a study or series in the line; one that waits already does not wait twice.

        Raises
        ------
        NotReadyError
            There is no room.
        """
        if len(self._waiting) >= MAX_WAITING and uid not in self._waiting:
            raise NotReadyError(
                "Too many studies are waiting.", remedy="Try again when a run has ended."
            )
        self._waiting[uid] = None
        self._wake.set()

    def add_everything(self) -> None:
        """Let the next run compare all that the PACS lists: that finds what was deleted, too."""
        self._everything = True
        self._wake.set()

    def status(self) -> dict[str, Any]:
        """Return what waits, what runs and how the last run ended; no identifiers."""
        state: Literal["running", "waiting", "idle"] = "idle"
        if self._running_since is not None:
            state = "running"
        elif self._waiting or self._everything:
            state = "waiting"
        last = self._last
        return {
            "state": state,
            "waiting": len(self._waiting),
            "running_since": self._running_since,
            "failures_in_a_row": self._failures,
            "last": None
            if last is None
            else {name: getattr(last, name) for name in last.__slots__},
        }

    @asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """Work the line off while the body runs; a run that is on is stopped at the end."""
        working = asyncio.create_task(self._work())
        try:
            yield
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            uids, everything = list(self._waiting), self._everything
            self._waiting.clear()
            self._everything = False
            run = await self._run(uids, everything=everything)
            self._last = run
            if run.error is None:
                self._failures = 0
                continue
            LOGGER.warning("ingest failed: %s", run.error)
            self._waiting = dict.fromkeys(uids) | self._waiting
            self._everything |= everything
            self._wake.set()
            pause_s = self._retry_s[min(self._failures, len(self._retry_s) - 1)]
            self._failures += 1
            await asyncio.sleep(pause_s)

    async def _run(self, uids: Sequence[str], *, everything: bool) -> IngestRun:
        """Run the command once, for these UIDs or for all that the PACS lists."""
        started = time.monotonic()
        self._running_since = started_at = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            output = await self._call(uids, everything=everything)
        except OSError:
            # No process could be had: told like a crash, and tried again.
            output = b""
        finally:
            self._running_since = None
        took_s = round(time.monotonic() - started, 3)
        return IngestRun(started_at=started_at, took_s=took_s, **_read_outcome(output))

    async def _call(self, uids: Sequence[str], *, everything: bool) -> bytes:
        """Return what the command prints; UIDs go in by its standard input, where none can look."""
        words = self._command if everything else (*self._command, "--only", "-")
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
            output, _ = await process.communicate("\n".join(uids).encode())
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        return output


def _read_outcome(output: bytes) -> dict[str, Any]:
    """Return what the command's line of JSON says; a command that says nothing has crashed."""
    try:
        said = json.loads(output)
        indexes, pacs = said["indexes"], said["pacs"] or {}
    except (ValueError, KeyError, TypeError):
        return {"error": "crashed"}
    numbers = {name: pacs.get(name) for name in ("fetched", "deleted", "stored", "refused")}
    built = indexes[0] if indexes else {"records": 0}
    return numbers | {"error": built.get("error"), "records": built.get("records")}

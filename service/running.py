"""A running service: opens its indexes in the background, watches for new builds, does the work."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from service.errors import NotReadyError
from service.ingest import Ingest
from service.metrics import Metrics
from service.opening import Opened, Opener, open_indexes
from service.prompting.llm import Endpoint, Llm
from service.settings import Settings
from service.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from indexer.errors import MedsearchError

Result = TypeVar("Result")
LOGGER = logging.getLogger("medsearch.service")


class RunningService:
    """One service from start to stop. Blocking work runs on its own threads."""

    def __init__(self, settings: Settings, opener: Opener = open_indexes) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.problems: tuple[MedsearchError, ...] = ()
        self.ready = False
        self.viewer = Viewer.from_settings(settings)
        self.ingest = Ingest.from_settings(settings)
        self.llm = _llm(settings)
        self._opener = opener
        self._opened: Opened | None = None
        self._threads = ThreadPoolExecutor(settings.search_threads, "medsearch-search")

    @property
    def opened_or_none(self) -> Opened | None:
        """The open indexes, or None if they are still being opened."""
        return self._opened

    @property
    def opened(self) -> Opened:
        """The open indexes and what searches them.

        Raises
        ------
        NotReadyError
            Not yet.
        """
        if self._opened is None:
            raise NotReadyError("The indexes are being opened.", remedy="Try again in a moment.")
        return self._opened

    @property
    def searching(self) -> Opened:
        """As `opened`, but only once encoders are loaded, so that no request waits for them.

        Raises
        ------
        NotReadyError
            Not yet, or there is no index that can be searched.
        """
        opened = self.opened
        if self.ready:
            return opened
        failures = opened.indexes.failures
        if not opened.indexes.snapshot() and failures:
            raise NotReadyError(
                f"None of the indexes can be opened: {', '.join(sorted(failures))}.",
                remedy=" ".join(failure.remedy for failure in failures.values()),
            )
        if not opened.indexes.snapshot():
            raise NotReadyError(
                "There is no index to search.", remedy="Build one: `medsearch index`."
            )
        reasons = [f"{problem.message} {problem.remedy}" for problem in self.problems]
        raise NotReadyError(
            "No index can be searched yet.", remedy=" ".join(reasons) or "Try again in a moment."
        )

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run blocking work on the service's threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    @asynccontextmanager
    async def started(self) -> "AsyncIterator[None]":
        """Open, load and watch in the background while the body runs, then put all away."""
        with ExitStack() as stack:
            stack.callback(self._threads.shutdown, wait=True, cancel_futures=True)
            watching = asyncio.create_task(self._watch(stack))
            try:
                yield
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                if self.llm is not None:
                    await self.llm.close()

    async def _watch(self, stack: ExitStack) -> None:
        """Open the indexes, then look for new builds for as long as the service runs."""
        live: dict[str, str] | None = None
        while True:
            try:
                live = await asyncio.to_thread(self._look, stack, live)
            except Exception as error:  # noqa: BLE001 - what is open goes on serving
                LOGGER.warning("looking for new builds failed: %s", type(error).__name__)
            await asyncio.sleep(self.settings.refresh_s)

    def _look(self, stack: ExitStack, seen: dict[str, str] | None) -> dict[str, str]:
        """Open or refresh the indexes; where builds changed, load encoders and ask a canary."""
        if self._opened is None:
            self._opened = self._opener(self.settings, stack)
        else:
            self._opened.indexes.refresh()
        snapshot = self._opened.indexes.snapshot()
        live = {name: reader.build_id for name, reader in snapshot.items()}
        if live != seen:
            warmth = self._opened.retriever.warm()
            self.problems = warmth.problems
            self.ready = warmth.answered > 0
            self.problems += self._opened.retriever.warm_chinese()
            for problem in self.problems:
                LOGGER.warning("%s: %s", problem.code, problem.message)
        return live


def _llm(settings: Settings) -> Llm | None:
    if settings.llm_url is None or settings.llm_model is None:
        return None
    key = settings.llm_key
    return Llm(
        Endpoint(
            url=settings.llm_url,
            model=settings.llm_model,
            key=None if key is None else key.get_secret_value(),
            silence_s=settings.llm_silence_s,
            total_s=settings.llm_total_s,
            retries=settings.llm_retries,
        )
    )

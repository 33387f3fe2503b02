"""The page in a real browser: its weight, when it can be used, first results, memory of the tab.

Chromium (`apt-get install chromium`) opens the page of a real service on an index of many images
with thumbnails. Times are the browser's own, from the start of the navigation, or from the key that
was pressed, until something is painted. A query's own time is what its request took in the same
browser. A line of plain text, opened in the same way, tells what any page takes. All of it on one
machine: nothing crosses a network.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.benchmarks import many_images
from tests.benchmarks.machine import MIB
from tests.benchmarks.report import Report
from tests.benchmarks.serving import served, wait_until_ready

_ROUNDS = 15
_SHOWN = 2000
_MILESTONES = (24, 500, 1000, 1500, _SHOWN)
_STEP_MS = 60
_STEP_TIMEOUT_S = 30
_DROPPING_MS = 1000
_RESTING_MS = 300
_VIEW = {"width": 1280, "height": 860}
_SUBJECTS = ("nodule of the lung", "fracture of the wrist", "cyst of the pelvis", "brain abscess")

# Notes when the box, the first of new results and the text of a plain reply are painted, and when
# Enter was pressed; `performance.now()` counts from the start of the navigation.
_WATCH = """
    window.painted = {};
    const seen = {};
    const note = (name, selector) => {
        const element = document.querySelector(selector);
        if (!element || element === seen[name]) return;
        seen[name] = element;
        requestAnimationFrame(() => setTimeout(() => {
            painted[name] = performance.now();
            dispatchEvent(new Event('painted'));
        }));
    };
    const look = () => { note('box', '#q'); note('result', '.card'); note('plain', 'pre'); };
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
    addEventListener('keydown', () => { painted.pressed = performance.now(); }, true);
"""
_PAINTED = """([name, since, timeoutMs]) => new Promise((resolve, reject) => {
    const from = since ? painted[since] : 0;
    const look = () => { if (painted[name] >= from) resolve(painted[name] - from); };
    addEventListener('painted', look);
    setTimeout(() => reject(new Error(`${name} was not painted`)), timeoutMs);
    look();
})"""
_SEARCHES = """() => performance.getEntriesByType('resource')
    .filter((one) => one.name.includes('/v1/search/')).map((one) => one.duration)"""


def run(records: int, scratch: Path | None) -> Report:
    """Measure the page on an index of `records` drawn images."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        message = "the benchmark of the page needs Chromium: `apt-get install chromium`"
        raise FileNotFoundError(message)
    report = Report("Page", {"records": f"{records:,}", "rounds": _ROUNDS})
    with (
        tempfile.TemporaryDirectory(prefix="medsearch-page-", dir=scratch) as folder,
        served(many_images.build(Path(folder), records)) as (_, address),
        httpx.Client(base_url=address, timeout=60) as client,
        sync_playwright() as playwright,
    ):
        wait_until_ready(client)
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        _measure_weight(report, browser, address)
        _measure_opening(report, browser, address)
        _measure_typing(report, browser, address)
        _measure_memory(report, browser, address)
        browser.close()
    return report


@contextmanager
def _tab(browser: Browser) -> Iterator[Page]:
    """A tab of a browser that has kept nothing."""
    context: BrowserContext = browser.new_context(viewport=_VIEW)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        page.add_init_script(_WATCH)
        page.wait_for_timeout(_RESTING_MS)  # the tab before it is still being put away
        yield page
    finally:
        context.close()


def _measure_weight(report: Report, browser: Browser, address: str) -> None:
    """Add up what crosses the wire until the first page stands, headers included."""
    with _tab(browser) as page:
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[float] = []
        session.on("Network.loadingFinished", lambda one: sizes.append(one["encodedDataLength"]))
        page.goto(f"{address}/")
        page.wait_for_selector(".collection")
        page.wait_for_load_state("networkidle")
    report.add("first page, compressed", sum(sizes) / 1000, "kB", "150 kB or less")
    report.add("first page, requests", len(sizes), "")


def _measure_opening(report: Report, browser: Browser, address: str) -> None:
    """Open the page cold, the address of a search cold, and what any browser needs for anything."""
    plain, usable, shown, added = [], [], [], []
    for number in range(_ROUNDS):
        with _tab(browser) as page:
            page.goto(f"{address}/healthz", wait_until="commit")
            plain.append(_painted(page, "plain"))
        with _tab(browser) as page:
            page.goto(f"{address}/", wait_until="commit")
            usable.append(_painted(page, "box"))
        with _tab(browser) as page:
            page.goto(f"{address}/#q={quote(_words(number))}", wait_until="commit")
            shown.append(_painted(page, "result"))
            added.append(shown[-1] - page.evaluate(_SEARCHES)[0])
    report.add("a line of plain text opened: painted, p50", statistics.median(plain), "ms")
    report.add("opened: the box can be used, p50", statistics.median(usable), "ms", "1000 or less")
    report.add("opened: worst", max(usable), "ms", "1000 or less")
    report.add("address of a search opened: first results, p50", statistics.median(shown), "ms")
    report.add("  beyond the query's own time, p50", statistics.median(added), "ms", "100 or less")
    report.add("  beyond the query's own time, worst", max(added), "ms", "100 or less")


def _measure_typing(report: Report, browser: Browser, address: str) -> None:
    """Ask one query after the other in an open page."""
    own, added = [], []
    with _tab(browser) as page:
        page.goto(f"{address}/")
        page.wait_for_selector(".collection")
        for number in range(_ROUNDS):
            page.evaluate("performance.clearResourceTimings()")
            page.fill("#q", _words(100 + number))
            page.press("#q", "Enter")
            shown = _painted(page, "result", since="pressed")
            own.append(page.evaluate(_SEARCHES)[0])
            added.append(shown - own[-1])
    report.add("typed: the query's own time, p50", statistics.median(own), "ms")
    report.add("  first results beyond it, p50", statistics.median(added), "ms", "100 or less")
    report.add("  first results beyond it, worst", max(added), "ms", "100 or less")


def _measure_memory(report: Report, browser: Browser, address: str) -> None:
    """Scroll through as many results as the page shows, and back to the top."""
    with _tab(browser) as page:
        page.goto(f"{address}/#q={quote('nodule')}&group=none")
        page.wait_for_selector(".card")
        for results in _MILESTONES:
            _scroll_until(page, results)
            _report_memory(report, page, f"{results:,} results")
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(1000)
        _report_memory(report, page, "back at the top")
        session = page.context.new_cdp_session(page)
        session.send("Memory.simulatePressureNotification", {"level": "critical"})
        page.wait_for_timeout(_DROPPING_MS)
        dropped = _renderer_bytes() / MIB
        report.add("when memory runs short: memory of the tab", dropped, "MiB")


def _scroll_until(page: Page, results: int) -> None:
    """Scroll by screens, so that every thumbnail comes by, until so many results are there."""
    deadline = time.monotonic() + _STEP_TIMEOUT_S
    seen = 0
    while True:
        page.evaluate("scrollBy(0, innerHeight)")
        page.wait_for_timeout(_STEP_MS)
        count, at_end = page.evaluate(
            "[document.querySelectorAll('.card').length,"
            " scrollY + innerHeight > document.documentElement.scrollHeight - 5]"
        )
        if count >= results and (at_end or results < _SHOWN):
            return
        if count > seen:
            seen, deadline = count, time.monotonic() + _STEP_TIMEOUT_S
        if time.monotonic() > deadline:
            message = f"no more than {count} results came"
            raise TimeoutError(message)


def _report_memory(report: Report, page: Page, name: str) -> None:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    page.wait_for_timeout(300)
    heap = session.send("Runtime.getHeapUsage")["usedSize"]
    nodes = session.send("Memory.getDOMCounters")["nodes"]
    report.add(f"{name}: memory of the tab", _renderer_bytes() / MIB, "MiB")
    report.add(f"{name}: JavaScript heap", heap / MIB, "MiB")
    report.add(f"{name}: nodes", nodes, "")


def _renderer_bytes() -> int:
    """Return the memory of the busiest renderer that is its own (no pages of files)."""
    renderers = [
        one
        for one in psutil.Process().children(recursive=True)
        if "--type=renderer" in _quietly(one.cmdline, [])
    ]
    return max(_quietly(one.memory_full_info, None).uss for one in renderers)


def _quietly(ask: Callable[[], Any], default: Any) -> Any:
    try:
        return ask()
    except psutil.Error:
        return default


def _painted(page: Page, name: str, since: str = "") -> float:
    """Wait until something is painted; return when, in milliseconds (from another event on)."""
    return float(page.evaluate(_PAINTED, [name, since, 1000 * _STEP_TIMEOUT_S]))


def _words(number: int) -> str:
    """Return words that no other query has, so that no embedding is found in a cache."""
    return f"{_SUBJECTS[number % 4]} of {number + 3} mm, patient aged {20 + number % 70}"

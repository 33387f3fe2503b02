"""A real browser on a real service over the sample indexes."""

import base64
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[3]
TIMEOUT_MS = 15_000
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PAPER = {"light": "rgb(248, 248, 246)", "dark": "rgb(15, 18, 20)"}
expect.set_options(timeout=TIMEOUT_MS)


@contextmanager
def serving(indexes: Path, **environment: str) -> Iterator[str]:
    """Run `medsearch serve` in a process of its own; give its address as soon as it listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "serve", "--indexes", str(indexes), "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                yield found[0]
                break
        else:
            pytest.fail("the service ended before it listened")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def _wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + 60
    while httpx.get(f"{address}/readyz").status_code != 200:
        assert time.monotonic() < deadline, "the service never became ready"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def address(indexes: Path) -> Iterator[str]:
    with serving(indexes) as found:
        _wait_until_ready(found)
        yield found


@pytest.fixture(scope="session")
def start_service() -> Callable[..., object]:
    return serving


# No longer than one file: until it is stopped, Playwright keeps an event loop
# running in this thread, in which other tests could not start theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("NO BROWSER: the page is NOT tested. `apt-get install chromium` provides one.")
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=flags)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open the page; in the end no script may have failed and nothing have left the machine."""
    contexts, wrongs = [], []

    def watch(message: ConsoleMessage) -> None:
        # The browser itself reports every refusal of the service, which tests ask for.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            wrongs.append(message.text)

    def start(fragment: str = "", *, at: str = address, **settings: object) -> Page:
        context = browser.new_context(**({"locale": "en-GB"} | settings))  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("console", watch)
        page.on("pageerror", lambda error: wrongs.append(str(error)))
        page.on(
            "request",
            lambda sent: None if sent.url.startswith((at, "blob:")) else wrongs.append(sent.url),
        )
        page.goto(f"{at}/{fragment}")
        return page

    yield start
    for context in contexts:
        context.close()
    assert not wrongs


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """The page as one finds it, its indexes listed."""
    page = open_page()
    page.wait_for_selector(".collection")
    return page


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Page, str], None]:
    """Wait until an expression holds. (Playwright's own waiting evaluates text in the page.)"""

    def waiting(page: Page, expression: str) -> None:
        deadline = time.monotonic() + TIMEOUT_MS / 1000
        while not page.evaluate(expression):
            assert time.monotonic() < deadline, expression
            page.wait_for_timeout(20)

    return waiting


@pytest.fixture(scope="session")
def drop() -> Callable[[Page, Sequence[Path]], None]:
    """Drop files on the page as a file manager does."""

    def dropping(page: Page, paths: Sequence[Path]) -> None:
        files = [[base64.b64encode(path.read_bytes()).decode(), path.name] for path in paths]
        transfer = page.evaluate_handle(
            """(files) => {
                const transfer = new DataTransfer();
                for (const [content, name] of files) {
                    const bytes = Uint8Array.from(atob(content), (mark) => mark.charCodeAt(0));
                    transfer.items.add(new File([bytes], name));
                }
                return transfer;
            }""",
            files,
        )
        page.dispatch_event("body", "dragenter", {"dataTransfer": transfer})
        page.dispatch_event("body", "drop", {"dataTransfer": transfer})

    return dropping


@pytest.fixture(scope="session")
def serious() -> Callable[[Page], list[str]]:
    """What axe-core holds against a page as it stands, light and dark, and finds serious."""

    def looking(page: Page) -> list[str]:
        found = []
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == PAPER[theme]
            found += [
                f"{theme}: {one['id']}: {one['nodes'][0]['html'][:200]}"
                for one in Axe().run(page).response["violations"]
                if one["impact"] in {"serious", "critical"}
            ]
        return found

    return looking

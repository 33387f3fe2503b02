"""Commands are run in the tests' own process, whose consoles would keep the width of the first."""

from collections.abc import Iterator

import pytest

from service.cli.console import answers_console, errors_console


@pytest.fixture(autouse=True)
def fresh_consoles() -> Iterator[None]:
    for console in (answers_console, errors_console):
        console.cache_clear()
    yield
    for console in (answers_console, errors_console):
        console.cache_clear()

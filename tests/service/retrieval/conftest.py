"""Asking the small real indexes."""

from collections.abc import Callable

import pytest

from service.opening import Opened
from service.retrieval.query import Query
from service.retrieval.reply import SearchReply


@pytest.fixture
def ask(opened: Opened) -> Callable[..., SearchReply]:
    """Search the indexes of `indexes_dir` for a target by a source, with any further options."""
    return lambda target, source, **options: opened.retriever.search(
        Query(target=target, source=source, **options)
    )

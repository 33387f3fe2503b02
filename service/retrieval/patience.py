"""How long the images of one query may take to decode, all together: a series is many images."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from indexer.pixels.limits import UPLOAD_LIMITS, Patience

_CURRENT: Final[ContextVar[Patience | None]] = ContextVar("patience", default=None)


@contextmanager
def patience_of_a_query() -> Iterator[None]:
    """Have all images that are decoded in the block share what one of them may take."""
    token = _CURRENT.set(Patience(UPLOAD_LIMITS.wall_clock_s))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_patience() -> Patience | None:
    """Return what is left of the patience of the query that is being answered; None outside one."""
    return _CURRENT.get()

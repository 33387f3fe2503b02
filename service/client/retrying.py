"""When to ask again: the service says so by 429 or 503, and by Retry-After for how long to wait."""

import math
import time
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

_ASK_AGAIN = frozenset({429, 503})


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """At most `count` further attempts, none after a wait of more than `max_wait_s`.

    Where the service does not say how long, the wait doubles from `first_wait_s` on. Searches
    change nothing, so that asking twice does no harm.
    """

    count: int = 2
    first_wait_s: float = 0.5
    max_wait_s: float = 30.0

    def wait_s(self, response: httpx.Response, attempt: int) -> float | None:
        """Return how long to wait before the next attempt, or None to give up.

        `attempt` counts from 0.
        """
        if response.status_code not in _ASK_AGAIN or attempt >= self.count:
            return None
        stated = _stated_wait_s(response.headers.get("retry-after"))
        wait_s = self.first_wait_s * 2**attempt if stated is None else stated
        return wait_s if wait_s <= self.max_wait_s else None


def _stated_wait_s(header: str | None) -> float | None:
    """Return what Retry-After says (RFC 9110, 10.2.3): seconds, or a date; None if unreadable."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = moment.timestamp() - time.time()
    return max(seconds, 0.0) if math.isfinite(seconds) else None

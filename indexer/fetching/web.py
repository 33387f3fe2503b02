"""HTTP with patience: bounded waits, retries with back-off, downloads that resume."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from indexer.errors import (
    AccessDeniedError,
    DamagedDownloadError,
    SourceFailedError,
    SourceUnreachableError,
)
from indexer.fetching.base import Patience

if TYPE_CHECKING:
    import httpx

OnBytes = Callable[[int], None]
"""Hears how many bytes of one file are there."""

_OK, _PARTIAL, _BAD_RANGE = 200, 206, 416
_DENIED = frozenset({401, 403})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which the same request may well succeed (RFC 9110 and 6585)."""

Query = Mapping[str, str]


class Web:
    """A client for one service; use it as a context manager."""

    def __init__(self, patience: Patience, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Open a client; no connection is made."""
        import httpx

        self._patience = patience
        self._sleep = sleep
        self._client = httpx.Client(
            timeout=httpx.Timeout(patience.answer_s, connect=patience.connect_s),
            follow_redirects=True,
            headers={"User-Agent": "medsearch"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str, query: Query | None = None) -> "httpx.Response":
        """Return the answer to a question of the service, read whole.

        Only answers that may pass (429, 5xx) are asked for again: where there is no connection
        the user should hear it at once.

        Raises
        ------
        SourceUnreachableError, SourceFailedError, AccessDeniedError
        """
        import httpx

        for attempt in range(1, self._patience.attempts + 1):
            try:
                response = self._client.get(url, params=query)
            except (httpx.RequestError, httpx.InvalidURL, UnicodeError) as error:
                raise _unreachable(url, error) from error
            if response.status_code not in _PASSING or attempt == self._patience.attempts:
                break
            self._wait(attempt, response)
        _check(response)
        return response

    def get_json(self, url: str, query: Query | None = None) -> Any:
        """Return a JSON answer; None for an empty one, as NBIA says "nothing found".

        Raises
        ------
        SourceUnreachableError, SourceFailedError, AccessDeniedError
        """
        response = self.get(url, query)
        if not response.content.strip():
            return None
        try:
            return response.json()
        except ValueError as error:
            raise SourceFailedError(
                f"{_host(url)} answered with something that is not JSON.",
                remedy="Check --base-url; a proxy or a login page may stand in between.",
            ) from error

    def download(
        self,
        url: str,
        target: Path,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        on_bytes: OnBytes,
        limit_bytes: int,
        resume: bool,
    ) -> None:
        """Write an answer's body to `target` and sync it; with `resume` go on after what is there.

        Failures that may pass are tried again; an attempt that brought bytes to keep does not
        count. `target` is to be a name that nobody takes for a whole file.

        Raises
        ------
        SourceUnreachableError, SourceFailedError, AccessDeniedError, DamagedDownloadError
        """
        import httpx

        attempt = 0
        while True:
            start = target.stat().st_size if resume and target.exists() else 0
            response: httpx.Response | None = None
            try:
                asked = {"Accept-Encoding": "identity", **(headers or {})}
                if start:
                    asked["Range"] = f"bytes={start}-"
                with self._client.stream("GET", url, params=query, headers=asked) as response:
                    if response.status_code not in _PASSING:
                        _receive(response, target, start, on_bytes, limit_bytes)
                        return
            except (httpx.RequestError, httpx.InvalidURL, UnicodeError, _StartAgainError) as error:
                failure: Exception = _unreachable(url, error)
            else:
                failure = _failed(response)
            grew = resume and target.exists() and target.stat().st_size > start
            attempt = 1 if grew else attempt + 1
            if attempt >= self._patience.attempts:
                raise failure
            self._wait(attempt, response)

    def _wait(self, attempt: int, response: "httpx.Response | None") -> None:
        """Wait before the next attempt, as long as the service asks for within what is allowed."""
        wait_s = self._patience.first_wait_s * 2 ** (attempt - 1)
        asked = response.headers.get("Retry-After", "") if response is not None else ""
        if asked.isdigit():
            wait_s = max(wait_s, float(asked))
        self._sleep(min(wait_s, self._patience.longest_wait_s))


class _StartAgainError(Exception):
    """The server does not go on where it was asked to; the file was emptied."""


def _receive(
    response: "httpx.Response", target: Path, start: int, on_bytes: OnBytes, limit_bytes: int
) -> None:
    """Write the body, after what is there if the server agrees to that."""
    if start and not _goes_on(response, start):
        if response.status_code in {_PARTIAL, _BAD_RANGE}:
            target.unlink()
            raise _StartAgainError("the server cannot go on in the middle")
        start = 0
    _check(response)
    done = start
    with target.open("ab" if start else "wb") as stream:
        for block in response.iter_bytes():
            done += len(block)
            if done > limit_bytes:
                raise DamagedDownloadError(
                    f"{_host(str(response.url))} sends more than the {limit_bytes:,} bytes that "
                    "it may.",
                    remedy="Try again later; if it stays so, tell the publisher.",
                )
            stream.write(block)
            on_bytes(done)
        stream.flush()
        os.fsync(stream.fileno())


def _goes_on(response: "httpx.Response", start: int) -> bool:
    said = response.headers.get("Content-Range", "")
    return response.status_code == _PARTIAL and said.startswith(f"bytes {start}-")


def _check(response: "httpx.Response") -> None:
    if response.status_code in _DENIED:
        raise AccessDeniedError(
            f"{_host(str(response.url))} denies access (HTTP {response.status_code}).",
            remedy="It may want an account, a key or an accepted licence.",
        )
    if not response.is_success:
        raise _failed(response)


def _failed(response: "httpx.Response") -> SourceFailedError:
    return SourceFailedError(
        f"{_host(str(response.url))} answered with HTTP {response.status_code}.",
        remedy="Try again later: what was finished is kept. If it stays so, check --base-url.",
        status=response.status_code,
    )


def _unreachable(url: str, error: Exception) -> SourceUnreachableError:
    reason = str(error) or type(error).__name__
    return SourceUnreachableError(
        f"No answer from {_host(url)}: {reason}",
        remedy="Check the connection and the proxy (HTTPS_PROXY), or name a mirror with "
        "--base-url. What was finished is kept; the same command goes on.",
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc or "the service"
    except ValueError:
        return "the service"

"""What can go wrong between a program and a service.

ClientError
├── RefusedError                      the service answered that it will not (4xx)
│   ├── UnauthorisedError             401, 403: the key is missing or wrong
│   ├── NotFoundError (LookupError)   404: no such index or record
│   ├── TooLargeError (ValueError)    413
│   ├── UndecodableError (ValueError) 415: no readable image
│   ├── BadQueryError (ValueError)    422: unknown field, value, filter ...
│   └── RateLimitedError              429
├── ServerError                       the service could not (5xx)
│   └── NotReadyError                 503
├── UnreachableError (ConnectionError)
│   └── TimedOutError (TimeoutError)
└── ReplyError (ValueError)           the answer is not one of a medsearch service
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import httpx


class ClientError(Exception):
    """Base of all: `message` says what, `remedy` what to do, `code` is stable for programs."""

    def __init__(self, message: str, *, code: str = "error", remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".rstrip())
        self.message = message
        self.code = code
        self.remedy = remedy


class AnsweredError(ClientError):
    """The service answered with an error: `status` of HTTP, its `request_id`, and `details`."""

    def __init__(self, response: httpx.Response) -> None:
        said = _said(response)
        super().__init__(
            str(said.get("message") or f"The service answered {response.status_code}."),
            code=str(said.get("code") or "error"),
            remedy=str(said.get("remedy") or ""),
        )
        self.status = response.status_code
        self.request_id = response.headers.get("x-request-id", "")
        self.details: list[dict[str, str]] = said.get("details") or []


class RefusedError(AnsweredError):
    """The request will not be answered as it stands."""


class UnauthorisedError(RefusedError):
    """A key is needed, or the one that was sent is not valid."""


class NotFoundError(RefusedError, LookupError):
    """There is no such index or record."""


class TooLargeError(RefusedError, ValueError):
    """The request is larger than the service accepts."""


class UndecodableError(RefusedError, ValueError):
    """The bytes that were sent are no readable image."""


class BadQueryError(RefusedError, ValueError):
    """The query is not valid; `details` say where."""


class RateLimitedError(RefusedError):
    """Too many requests."""


class ServerError(AnsweredError):
    """The service failed."""


class NotReadyError(ServerError):
    """The service is up, but cannot answer yet."""


class UnreachableError(ClientError, ConnectionError):
    """No answer came: nothing listens at the address, or the connection broke."""


class TimedOutError(UnreachableError, TimeoutError):
    """No answer came in time."""


class ReplyError(ClientError, ValueError):
    """The answer has not the shape of a medsearch service's."""


_BY_STATUS: Mapping[int, type[AnsweredError]] = MappingProxyType(
    {
        401: UnauthorisedError,
        403: UnauthorisedError,
        404: NotFoundError,
        413: TooLargeError,
        415: UndecodableError,
        422: BadQueryError,
        429: RateLimitedError,
        503: NotReadyError,
    }
)


def error_of(response: httpx.Response) -> AnsweredError:
    """Return the error that a response (status 400 or above) tells of."""
    otherwise = ServerError if response.status_code >= 500 else RefusedError
    return _BY_STATUS.get(response.status_code, otherwise)(response)


def unreachable(error: httpx.TransportError) -> UnreachableError:
    """Return why no answer came, as an error of this package."""
    if isinstance(error, httpx.TimeoutException):
        return TimedOutError(
            "The service did not answer in time.", code="timed_out", remedy="Raise timeout_s."
        )
    return UnreachableError(
        f"The service cannot be reached ({type(error).__name__}).",
        code="unreachable",
        remedy="Check the address, and that `medsearch serve` runs there.",
    )


def _said(response: httpx.Response) -> dict[str, Any]:
    """Return the error's body; that of a proxy in between may be anything."""
    try:
        said = json.loads(response.content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}

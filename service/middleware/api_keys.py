"""Lets only holders of a key in, where keys are set."""

import hashlib
import hmac
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import error_response

# Probes of an orchestrator carry no keys and learn nothing from these. The page is the same for
# everybody; it asks its reader for a key.
OPEN_PATHS = frozenset({"/", "/healthz", "/readyz"})
_OPEN_FOLDER = "/web/"


class ApiKeys:
    """Asks for a key as `Authorization: Bearer KEY` or `X-API-Key: KEY`."""

    def __init__(self, app: ASGIApp, keys: Iterable[str]) -> None:
        self._app = app
        self._digests = [_digest(key.encode()) for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as ASGI wants it."""
        if scope["type"] != "http" or _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        given = _given_key(Headers(scope=scope))
        if given is None:
            response = error_response(
                401, "unauthorised", "An API key is needed.", "Send Authorization: Bearer KEY."
            )
            response.headers["WWW-Authenticate"] = "Bearer"
            await response(scope, receive, send)
        elif not self._is_known(given):
            response = error_response(403, "forbidden", "The API key is not valid.")
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_known(self, given: bytes) -> bool:
        """Compare with every key in constant time, so that timing tells nothing."""
        digest = _digest(given)
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return any(matches)


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(_OPEN_FOLDER)


def _given_key(headers: Headers) -> bytes | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    key = token.strip() if scheme.casefold() == "bearer" else headers.get("x-api-key")
    return key.encode("latin-1", "replace") if key else None


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()

"""Puts errors of the OpenAI-compatible routes into the envelope that OpenAI's clients open."""

import json
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.json_response import dump_json

_PREFIXES = ("/v1/vector_stores", "/v1/embeddings")


class OpenAiErrors:
    """Rewrites {code, message, remedy} as {error: {message, type, param, code, remedy}}.

    Stands outside of everything that may refuse a request, so that a missing key looks like any
    other error. Successful replies pass untouched.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request as ASGI wants it."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIXES):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = bytearray()

        async def rewriting(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] >= 400:
                start = message
            elif start is None:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    content = dump_json({"error": _envelope(start["status"], bytes(body))})
                    MutableHeaders(scope=start)["content-length"] = str(len(content))
                    await send(start)
                    await send({"type": "http.response.body", "body": content})

        await self._app(scope, receive, rewriting)


def _envelope(status: int, body: bytes) -> dict[str, Any]:
    error = json.loads(body)
    details = error.get("details") or []
    remedy = error["remedy"]
    problems = "; ".join(f"{one['where']}: {one['problem']}" for one in details)
    return {
        "message": problems or f"{error['message']} {remedy}".rstrip(),
        "type": _type(status),
        "param": details[0]["where"] if details else None,
        "code": error["code"],
        "remedy": remedy,
    }


def _type(status: int) -> str:
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 else "invalid_request_error"

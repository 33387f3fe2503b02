"""The two ways to reach the tools: streamable HTTP below the service, and standard streams."""

import asyncio
import contextlib
import importlib.util
import sys
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING

from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from service.errors import ExtraMissingError, NotReadyError

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp.server.transport_security import TransportSecuritySettings

    from service.running import RunningService

# Chat clients start a server and ask at once; loading the largest encoder takes about this long.
_STDIO_PATIENCE_S = 60.0
_LOOPBACK = ("127.0.0.1", "127.0.0.1:*", "localhost", "localhost:*", "[::1]", "[::1]:*")


class CountedRoute(Route):
    """A route to a foreign application that names itself, so that requests are counted under it."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match as any route does, and say which route it was (FastAPI's own routes do)."""
        match, child_scope = super().matches(scope)
        return match, {**child_scope, "route": self}


def is_installed() -> bool:
    """Return whether the packages of the extra `mcp` are there, without importing them."""
    return importlib.util.find_spec("mcp") is not None


class HttpEndpoint:
    """The ASGI application at `/mcp`; the first request loads the SDK, for who asks only.

    No sessions are kept: each request stands alone, so that any worker can answer it.
    """

    def __init__(self, service: "RunningService") -> None:
        self._service = service
        self._wanted = asyncio.Event()
        self._sessions: asyncio.Future[StreamableHTTPSessionManager] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises
        ------
        NotReadyError
            The service has not started.
        """
        if self._sessions is None:
            raise NotReadyError("The service has not started.", remedy="Try again in a moment.")
        self._wanted.set()
        sessions = await asyncio.shield(self._sessions)
        await sessions.handle_request(scope, receive, send)

    @contextlib.asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """Answer requests while the body runs."""
        self._sessions = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(self._serve(self._sessions))
        try:
            yield
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    async def _serve(self, sessions: "asyncio.Future[StreamableHTTPSessionManager]") -> None:
        await self._wanted.wait()
        try:
            manager = await asyncio.to_thread(_session_manager, self._service)
            async with manager.run():
                sessions.set_result(manager)
                await asyncio.Event().wait()  # until cancelled
        except Exception as error:
            if sessions.done():
                raise
            sessions.set_exception(error)


def allowed_callers(hosts: Iterable[str]) -> "TransportSecuritySettings":
    """Return which Host and Origin headers are taken: the loopback's, and those of `hosts`.

    A page of another site can make a browser send requests to a service on this machine, under a
    name of its own that resolves to the loopback; it cannot choose these headers.
    """
    from mcp.server.transport_security import TransportSecuritySettings

    known = [*_LOOPBACK, *hosts]
    origins = [f"{scheme}://{host}" for scheme in ("http", "https") for host in known]
    return TransportSecuritySettings(allowed_hosts=known, allowed_origins=origins)


async def serve_stdio(service: "RunningService") -> None:
    """Serve the tools over standard input and output until the input ends.

    Raises
    ------
    ExtraMissingError
        The extra `mcp` is not installed.
    """
    if not is_installed():
        raise ExtraMissingError("mcp")
    from mcp.server.stdio import stdio_server

    from service.mcp.server import build_server

    server = build_server(service, patience_s=_STDIO_PATIENCE_S)
    # The transport takes the descriptors for itself first; what Python still prints goes to
    # standard error too, or it would reach the wire when the interpreter flushes its buffers.
    async with stdio_server() as (incoming, outgoing):
        with contextlib.redirect_stdout(sys.stderr):
            async with service.started():
                await server.run(incoming, outgoing, server.create_initialization_options())


def _session_manager(service: "RunningService") -> "StreamableHTTPSessionManager":
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from service.mcp.server import build_server

    settings = service.settings
    return StreamableHTTPSessionManager(
        build_server(service),
        json_response=True,
        stateless=True,
        security_settings=allowed_callers(settings.mcp_hosts),
        max_request_body_size=settings.max_body_bytes,
    )

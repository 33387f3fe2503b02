"""`medsearch serve`: the HTTP service on this machine's loopback unless told otherwise."""

import asyncio
import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.errors import ListenError
from service.cli.console import answers_console, errors_console

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from service.running import RunningService

_READY_POLL_S = 0.1
_BACKLOG = 2048
_EXAMPLES = {
    "image": ("images by words", "/v1/search/text", "chest CT with contrast"),
    "text": ("questions", "/v1/search/questions", "How is anaphylaxis treated first?"),
}


def serve(
    indexes: Annotated[Path, typer.Option(help="Where indexes live.")] = Path("indexes"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 picks a free one.")
    ] = 8000,
) -> None:
    """Serve searches, prompts and records over HTTP."""
    import uvicorn

    from service.app import create_app
    from service.settings import Settings

    app = create_app(Settings(indexes_dir=indexes, host=host, port=port))
    server = uvicorn.Server(server_config(app, host, port))
    with listen(host, port) as listener:
        asyncio.run(_serve(server, app.state.service, listener))


def server_config(app: "FastAPI", host: str, port: int) -> "uvicorn.Config":
    """Return how uvicorn serves the application."""
    import uvicorn

    return uvicorn.Config(
        app,
        host=host,
        port=port,
        # Left to itself, uvicorn takes httptools where that is installed, which reads headers
        # without end: measured, 300 MiB of one header took 500 MiB of memory. It would save .4 ms.
        http="h11",
        # Its access log prints query strings, which may hold what a patient suffers from.
        access_log=False,
        log_level="warning",
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the address, before anything heavy is started.

    Raises
    ------
    ListenError
        The address is taken, not this machine's, or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the socket names its protocol; left on, every
    # reply waits 40 ms for the client's delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ListenError(
            f"The service cannot listen on {host}:{port} ({error.strerror}).",
            remedy="Another program may hold that port; another one: `make serve PORT=8001`.",
        ) from error
    return listener


async def _serve(
    server: "uvicorn.Server", service: "RunningService", listener: socket.socket
) -> None:
    """Run the server; say where it is once it listens, and what to ask once it can answer."""
    announcing = asyncio.create_task(_announce(server, service, listener))
    try:
        await server.serve(sockets=[listener])
    finally:
        announcing.cancel()
        await asyncio.gather(announcing, return_exceptions=True)


async def _announce(
    server: "uvicorn.Server", service: "RunningService", listener: socket.socket
) -> None:
    console = answers_console()
    while not server.started:
        await asyncio.sleep(_READY_POLL_S)
    host, port = listener.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    console.print(f"\n[bold]medsearch[/] listens at {address}   (documentation: {address}/docs)")
    console.print("Research use only; not a diagnostic device. Stop with Ctrl-C.")
    told: set[str] = set()
    with console.status("Opening indexes and loading encoders"):
        while not service.ready:
            _tell_problems(service, told)
            await asyncio.sleep(_READY_POLL_S)
    _tell_problems(service, told)
    kinds = {reader.manifest.kind for reader in service.opened.indexes.snapshot().values()}
    console.print("Ready. Try:\n")
    for kind in sorted(kinds):
        what, route, query = _EXAMPLES[kind]
        body = json.dumps({"query": query, "k": 3})
        command = f"curl -s {address}{route} -H 'content-type: application/json' -d '{body}'"
        console.print(f"  # {what}\n  {command}\n", soft_wrap=True, highlight=False, markup=False)


def _tell_problems(service: "RunningService", told: set[str]) -> None:
    """Print why an index or an encoder cannot be used; each reason once."""
    opened = service.opened_or_none
    if opened is None:
        return
    for problem in (*opened.indexes.failures.values(), *service.problems):
        if str(problem) not in told:
            told.add(str(problem))
            errors_console().print(f"[yellow]Left out:[/] {problem}", highlight=False)

"""`medsearch serve`: the HTTP service on this machine's loopback unless told otherwise."""

import json
from pathlib import Path
from typing import Annotated

import typer

from service.cli.console import answers_console


def serve(
    indexes: Annotated[Path, typer.Option(help="Where indexes live.")] = Path("indexes"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Serve searches, prompts and records over HTTP."""
    import uvicorn

    from service.app import create_app
    from service.settings import Settings

    settings = Settings(indexes_dir=indexes, host=host, port=port)
    _print_first_queries(f"http://{host}:{port}")
    # Uvicorn's own access log prints query strings, which may hold what a patient suffers from.
    uvicorn.run(create_app(settings), host=host, port=port, access_log=False, log_level="warning")


def _print_first_queries(address: str) -> None:
    """Print the address and two queries that can be pasted as they stand."""
    console = answers_console()
    image = json.dumps({"query": "chest CT with contrast", "k": 3})
    question = json.dumps({"query": "What is the first-line treatment of anaphylaxis?", "k": 3})
    console.print(f"\n[bold]medsearch[/] at {address}   (documentation: {address}/docs)")
    console.print("Research use only; not a diagnostic device. Stop with Ctrl-C. Try:\n")
    for path, body in (("images by words", image), ("questions", question)):
        route = "text" if path.startswith("images") else "questions"
        console.print(
            f"  curl -s {address}/v1/search/{route} -H 'content-type: application/json' "
            f"-d '{body}'",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
    console.print()

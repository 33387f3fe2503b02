"""`medsearch mcp`: the tools for chat clients that start their servers themselves."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer


def mcp(
    indexes: Annotated[Path, typer.Option(help="Where indexes live.")] = Path("indexes"),
) -> None:
    """Serve searches, records and prompts as MCP tools over standard input and output.

    The same tools are at `/mcp` of `medsearch serve`.
    """
    from service.mcp.transports import serve_stdio
    from service.running import RunningService
    from service.settings import Settings

    asyncio.run(serve_stdio(RunningService(Settings(indexes_dir=indexes))))

"""The HTTP service: `create_app` puts settings, routes, limits and handlers together."""

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI

from service.errors import install_error_handlers
from service.mcp.transports import CountedRoute, HttpEndpoint, is_installed
from service.middleware.api_keys import ApiKeys
from service.middleware.body_limit import BodyLimit
from service.middleware.observer import Observer
from service.middleware.openai_errors import OpenAiErrors
from service.opening import Opener, open_indexes
from service.routes import (
    answers,
    embeddings,
    health,
    indexes,
    ingest,
    maps,
    page,
    previews,
    prompts,
    records,
    search,
    vector_stores,
)
from service.running import RunningService
from service.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DESCRIPTION = """Search public medical datasets by words, by picture or by question, and turn
what is found into cited prompts for language models. **For research; not a diagnostic device.**"""


def create_app(settings: Settings | None = None, *, opener: Opener = open_indexes) -> FastAPI:
    """Return the ASGI application; indexes are opened when it starts, in the background.

    Settings left out come from the environment (`MEDSEARCH_...`); `opener` is how indexes are
    opened.
    """
    service = RunningService(settings or Settings(), opener)
    tools = HttpEndpoint(service) if service.settings.mcp and is_installed() else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> "AsyncIterator[None]":
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(service.started())
            if service.ingest is not None:
                await stack.enter_async_context(service.ingest.started())
            if tools is not None:
                await stack.enter_async_context(tools.started())
            yield

    app = FastAPI(
        title="medsearch", summary="Multimodal medical retrieval", description=DESCRIPTION,
        version="0.1.0", lifespan=lifespan,
    )  # fmt: skip
    app.state.service = service
    install_error_handlers(app)
    for routes in (
        page,
        health,
        search,
        previews,
        prompts,
        answers,
        records,
        indexes,
        maps,
        vector_stores,
        embeddings,
        ingest,
    ):
        app.include_router(routes.router)
    if tools is not None:
        # No GET: the stream that it opens is for what a server says unasked, and would keep the
        # service from stopping for as long as a client holds it.
        app.router.routes.append(CountedRoute("/mcp", tools, methods=["POST"]))
    # The last one added stands outermost.
    app.add_middleware(BodyLimit, max_bytes=service.settings.max_body_bytes)
    if service.settings.api_keys:
        keys = [key.get_secret_value() for key in service.settings.api_keys]
        app.add_middleware(ApiKeys, keys=keys)
    app.add_middleware(Observer, metrics=service.metrics)
    app.add_middleware(OpenAiErrors)
    return app

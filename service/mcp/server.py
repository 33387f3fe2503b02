"""The MCP server over a running service, for any transport. Needs the extra `mcp`."""

import asyncio
import time
from typing import Any
from urllib.parse import unquote

from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    BlobResourceContents,
    CallToolRequestParams,
    CallToolResult,
    ImageContent,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from mcp_types import Tool as ProtocolTool
from pydantic import ValidationError

from indexer.errors import RecordNotFoundError
from service.errors import error_content, validation_content
from service.json_response import dump_json
from service.mcp.documents import RECORD_SCHEME, Links
from service.mcp.tools import INSTRUCTIONS, TOOLS, Desk, Outcome, Tool, image_base64, show_record
from service.running import RunningService

_POLL_S = 0.05


class Handlers:
    """Answers the protocol's requests from one service.

    A call waits up to `patience_s` for indexes that are still being opened: a chat client starts
    its servers as it starts itself, and does not ask twice.
    """

    def __init__(self, service: RunningService, *, patience_s: float = 0.0) -> None:
        self._service = service
        self._patience_s = patience_s

    async def list_tools(
        self, _: ServerRequestContext, __: PaginatedRequestParams | None
    ) -> ListToolsResult:
        """List the tools."""
        return ListToolsResult(tools=[_described(tool) for tool in TOOLS.values()])

    async def call_tool(
        self, context: ServerRequestContext, asked: CallToolRequestParams
    ) -> CallToolResult:
        """Run a tool; what goes wrong is told to the model, with the remedy."""
        tool = TOOLS.get(asked.name)
        if tool is None:
            known = ", ".join(TOOLS)
            raise MCPError(INVALID_PARAMS, f"There is no tool of that name. Known: {known}.")
        try:
            arguments = tool.arguments.model_validate(asked.arguments or {})
            await self._wait_until_ready()
            outcome = await tool.work(self._desk(context), arguments)
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False, include_context=True)
            failure = validation_content(problems)
        except Exception as error:  # noqa: BLE001 - whatever it is, the model is told no details
            failure = error_content(error, f"mcp:{tool.name}")
        else:
            return _result(outcome)
        return CallToolResult(
            content=[TextContent(text=dump_json(failure).decode())], is_error=True
        )

    async def list_resources(
        self, _: ServerRequestContext, __: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """List no resources: records are too many, and are reached by their template."""
        return ListResourcesResult(resources=[])

    async def list_templates(
        self, _: ServerRequestContext, __: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        """List the template of records."""
        record = ResourceTemplate(
            name="record",
            title="A record",
            uri_template=f"{RECORD_SCHEME}{{id}}",
            description="A record as JSON, with the thumbnail of an image. Hits carry the id.",
            mime_type="application/json",
        )
        return ListResourceTemplatesResult(resource_templates=[record])

    async def read_resource(
        self, context: ServerRequestContext, asked: ReadResourceRequestParams
    ) -> ReadResourceResult:
        """Read a record."""
        uri = str(asked.uri)
        try:
            await self._wait_until_ready()
            outcome = await show_record(self._desk(context), _record_id(uri))
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told no details
            told = error_content(error, "mcp:resource")
            code = INVALID_PARAMS if isinstance(error, RecordNotFoundError) else INTERNAL_ERROR
            raise MCPError(code, f"{told['message']} {told['remedy']}".rstrip(), told) from None
        contents: list[TextResourceContents | BlobResourceContents] = [
            TextResourceContents(
                uri=uri, mime_type="application/json", text=dump_json(outcome.content).decode()
            )
        ]
        if outcome.jpeg is not None:
            blob = image_base64(outcome.jpeg)
            contents.append(BlobResourceContents(uri=uri, mime_type="image/jpeg", blob=blob))
        return ReadResourceResult(contents=contents)

    def _desk(self, context: ServerRequestContext) -> Desk:
        """Return where to work; over HTTP, records are addressed as the client addresses us."""
        base_url = self._service.settings.public_url or ""
        if not base_url and context.request is not None:
            base_url = str(context.request.base_url)
        return Desk(self._service, Links(base_url))

    async def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._patience_s
        while not self._service.ready and time.monotonic() < deadline:
            await asyncio.sleep(_POLL_S)


def build_server(service: RunningService, *, patience_s: float = 0.0) -> Server[Any]:
    """Return the protocol server of a service, for any transport."""
    handlers = Handlers(service, patience_s=patience_s)
    return Server(
        "medsearch",
        version="0.1.0",
        title="medsearch",
        instructions=INSTRUCTIONS,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
    )


def _record_id(uri: str) -> str:
    """Return the record that a resource address names; its slashes may be escaped or not."""
    if not uri.startswith(RECORD_SCHEME):
        raise RecordNotFoundError("There is no such resource.", remedy=f"Read {RECORD_SCHEME}ID.")
    return unquote(uri.removeprefix(RECORD_SCHEME))


def _described(tool: Tool) -> ProtocolTool:

    return ProtocolTool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        output_schema=tool.reply.model_json_schema() if tool.reply else None,
        annotations=ToolAnnotations(
            title=tool.title, read_only_hint=True, idempotent_hint=True, open_world_hint=False
        ),
    )


def _result(outcome: Outcome) -> CallToolResult:

    text = TextContent(text=dump_json(outcome.content).decode())
    if outcome.jpeg is None:
        return CallToolResult(content=[text], structured_content=outcome.content)
    image = ImageContent(data=image_base64(outcome.jpeg), mime_type="image/jpeg")
    return CallToolResult(content=[text, image], structured_content=outcome.content)

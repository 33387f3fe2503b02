"""The tools over streamable HTTP, driven by the SDK's own client against a running service."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ImageContent, TextContent

from service.mcp.tools import TOOLS

Visit = Callable[[Client], Awaitable[Any]]


def visit(address: str, work: Visit, mode: str = "auto") -> Any:
    """Connect, do some work, leave; `mode` is the protocol's generation."""

    async def connected() -> Any:
        async with Client(f"{address}/mcp", mode=mode) as client:
            try:
                return await work(client)
            except MCPError as error:
                return error  # raised in here, it would come out wrapped in groups

    result = asyncio.run(connected())
    if isinstance(result, MCPError):
        raise result
    return result


def call(address: str, tool: str, mode: str = "auto", **arguments: object) -> CallToolResult:
    return visit(address, lambda client: client.call_tool(tool, arguments), mode)


def content_of(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    first = result.content[0]
    assert isinstance(first, TextContent)
    assert json.loads(first.text) == result.structured_content
    return result.structured_content


def failure_of(result: CallToolResult) -> dict[str, Any]:
    assert result.is_error
    [told] = result.content
    assert isinstance(told, TextContent)
    return json.loads(told.text)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_both_generations_of_the_protocol_are_spoken(address: str, mode: str) -> None:
    async def work(client: Client) -> tuple[Any, Any]:
        return await client.list_tools(), await client.call_tool("search", {"query": "disease 3"})

    listed, found = visit(address, work, mode)
    assert {tool.name for tool in listed.tools} == set(TOOLS)
    assert content_of(found)["results"]


def test_every_tool_says_what_its_text_is_and_changes_nothing(address: str) -> None:
    listed = visit(address, lambda client: client.list_tools())
    for tool in listed.tools:
        assert "research use" in tool.description
        assert "not instructions" in tool.description
        assert tool.annotations.read_only_hint
        assert tool.input_schema["type"] == "object"
        assert tool.input_schema["additionalProperties"] is False


def test_words_find_images(address: str) -> None:
    reply = content_of(call(address, "search_images", query="grey 31", k=2))
    first = reply["hits"][0]
    assert first["id"] == "films/train/31"
    assert first["url"] == f"{address}/v1/records/films/train/31"
    assert first["title"] == "XR, hand: grey 31"
    assert first["licence"] == "CC0-1.0"
    assert httpx2.get(first["url"]).json()["record_id"] == "films/train/31"
    assert "diagnostic" in reply["disclaimer"]


@pytest.mark.parametrize(
    "like",
    [
        {"record_id": "scans/train/5"},
        {"image_base64": base64.b64encode(b"grey 5").decode()},
        {"image_base64": "data:image/png;base64," + base64.b64encode(b"grey 5").decode()},
    ],
)
def test_an_image_finds_its_like(address: str, like: dict[str, str]) -> None:
    reply = content_of(call(address, "search_similar_images", **like, indexes=["scans"]))
    assert reply["hits"][0]["id"] == "scans/train/5"


@pytest.mark.parametrize("as_text", [False, True])
def test_filters_may_come_as_objects_or_as_json_in_a_string(address: str, as_text: bool) -> None:
    filters: object = {"type": "eq", "key": "modality", "value": "CT"}
    indexes: object = ["scans"]
    if as_text:
        filters, indexes = json.dumps(filters), json.dumps(indexes)
    reply = content_of(
        call(address, "search_images", query="grey 5", filters=filters, indexes=indexes)
    )
    assert {hit["modality"] for hit in reply["hits"]} == {"CT"}


def test_questions_come_with_answers(address: str) -> None:
    question = "How is anaphylaxis treated first?"
    reply = content_of(call(address, "search_questions", query=question, k=1))
    assert reply["hits"][0]["text"].splitlines()[:2] == [
        f"Question: {question}",
        "Answer: A. Adrenaline",
    ]


def test_a_record_comes_with_its_thumbnail(address: str) -> None:
    result = call(address, "get_record", id="scans/train/5")
    assert content_of(result)["slice_number"] == 5
    image = result.content[1]
    assert isinstance(image, ImageContent)
    assert image.mime_type == "image/jpeg"
    assert base64.b64decode(image.data).startswith(b"\xff\xd8")
    assert len(call(address, "get_record", id="asked/train/0").content) == 1


def test_a_prompt_cites_what_it_shows(address: str) -> None:
    question = "How is anaphylaxis treated first?"
    prompt = content_of(
        call(
            address,
            "build_prompt",
            question=question,
            record_id="films/train/31",
            budget_tokens=900,
        )
    )
    cited = {citation["record_id"] for citation in prompt["citations"]}
    assert {"asked/train/0", "films/train/31"} <= cited
    assert [message["role"] for message in prompt["messages"]] == ["system", "user"]
    assert prompt["tokens"] <= 900


def test_search_and_fetch_have_the_shape_that_chat_clients_expect(address: str) -> None:
    """One text item of JSON each: {results: [{id, title, url}]}, {id, title, text, url, ...}."""
    found = call(address, "search", query="disease 3")
    assert len(found.content) == 1
    results = content_of(found)["results"]
    assert all(set(result) == {"id", "title", "url"} for result in results)
    assert {result["id"].split("/")[0] for result in results} >= {"asked", "scans"}
    wanted = next(result for result in results if result["id"] == "asked/train/3")
    fetched = call(address, "fetch", id="asked/train/3")
    assert len(fetched.content) == 1
    document = content_of(fetched)
    assert set(document) == {"id", "title", "text", "url", "metadata"}
    assert {name: document[name] for name in wanted} == wanted
    assert "Answer: It is called number 3." in document["text"]
    assert document["metadata"]["licence"] == "MIT"


@pytest.mark.parametrize("uri", ["scans/train/5", "scans%2Ftrain%2F5"])
def test_records_are_resources(address: str, uri: str) -> None:
    async def work(client: Client) -> tuple[Any, Any, Any]:
        return (
            await client.list_resource_templates(),
            await client.read_resource(f"medsearch://record/{uri}"),
            await client.list_resources(),
        )

    templates, read, listed = visit(address, work)
    assert [one.uri_template for one in templates.resource_templates] == ["medsearch://record/{id}"]
    assert listed.resources == []
    text, picture = read.contents
    assert json.loads(text.text)["record_id"] == "scans/train/5"
    assert base64.b64decode(picture.blob).startswith(b"\xff\xd8")


@pytest.mark.parametrize("uri", ["medsearch://record/a/b/c", "ftp://another/scheme"])
def test_an_unknown_resource_is_refused_with_the_remedy(address: str, uri: str) -> None:
    with pytest.raises(MCPError) as refused:
        visit(address, lambda client: client.read_resource(uri))
    assert refused.value.error.data["code"] == "record_not_found"
    assert refused.value.error.data["remedy"]


@pytest.mark.parametrize(
    ("tool", "arguments", "code", "said"),
    [
        ("search_images", {"query": "  "}, "bad_query", "some words"),
        ("search_images", {}, "bad_query", "query"),
        ("search_images", {"query": "x", "top_k": 3}, "bad_query", "unknown field"),
        ("search_images", {"query": "x", "indexes": ["skans"]}, "unknown_name", "'scans'"),
        (
            "search_images",
            {"query": "x", "filters": {"type": "eq", "key": "modality", "value": "CTT"}},
            "bad_query",
            "CT",
        ),
        ("search_images", {"query": "x", "filters": "{"}, "bad_query", "filters"),
        ("search_similar_images", {}, "bad_query", "Exactly one"),
        ("search_similar_images", {"image_base64": "AAAA"}, "undecodable", "no image"),
        ("get_record", {"id": "a/b/c"}, "record_not_found", "dataset/split/native_id"),
        ("build_prompt", {"question": "x", "budget_tokens": 9}, "bad_query", "budget_tokens"),
        ("fetch", {"id": ""}, "bad_query", "id"),
    ],
)
def test_mistakes_are_told_to_the_model(
    address: str, tool: str, arguments: dict[str, object], code: str, said: str
) -> None:
    failure = failure_of(call(address, tool, **arguments))
    assert failure["code"] == code
    assert failure["message"]
    assert said in json.dumps(failure)


def test_an_unknown_tool_is_a_protocol_error(address: str) -> None:
    with pytest.raises(MCPError, match="Known: search_images"):
        call(address, "delete_everything")

"""Whatever a model sends, a tool answers or says what is wrong with it; it never breaks."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from service.mcp.tools import TOOLS

TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["grey 5", "scans/train/5", "Z3JleSA1", "\x00", "{", "[]"]),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["type", "key", "value", "filters"]), inner, max_size=3),
    ),
    max_leaves=5,
)
NAMES = sorted({name for tool in TOOLS.values() for name in tool.arguments.model_fields})
ARGUMENTS = st.dictionaries(st.sampled_from([*NAMES, "nonsense"]), VALUES, max_size=5)
HEADERS = {
    "host": "localhost",
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
}


@given(st.sampled_from(sorted(TOOLS)), ARGUMENTS, st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_arguments(client: TestClient, tool: str, given: dict, valid: bool) -> None:  # type: ignore[type-arg]
    if valid:  # everything that the tool needs, and whatever else
        required = TOOLS[tool].arguments.model_json_schema().get("required", [])
        given = {name: given.get(name, "grey 5") for name in NAMES if name in required} | given
    message = {
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": tool, "arguments": given},
    }  # fmt: skip
    reply = client.post("/mcp", content=json.dumps(message).encode(), headers=HEADERS)
    assert reply.status_code in {200, 400}, reply.text  # NaN is not JSON
    if reply.status_code == 400:
        return
    result = reply.json()["result"]
    if result.get("isError"):
        told = json.loads(result["content"][0]["text"])
        assert told["code"] in {"bad_query", "record_not_found", "unknown_name", "undecodable"}
        assert told["remedy"]

"""The documentation of the routes: whole, and its examples work."""

from collections.abc import Iterator

from starlette.testclient import TestClient

from service.reply_schemas import (
    IndexesReply,
    IndexReply,
    ReadyReply,
    RecordReply,
)
from service.reply_schemas_ingest import IngestReply
from service.routes import examples


def test_every_example_of_the_documentation_works(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    tried = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), path
            if method != "post":
                [shown] = operation["responses"]["200"]["content"].values()
                assert shown["example"], path
                continue
            if path == "/v1/ingest/archive":
                assert "requestBody" not in operation
                continue
            content = operation["requestBody"]["content"]["application/json"]
            assert content["examples"], path
            for example in content["examples"].values():
                reply = client.post(path, json=example["value"])
                # The examples name records and filters of another corpus than this one.
                # This service follows no PACS, and knows no language model.
                refused = {"/v1/ingest/study": 403, "/v1/answers": 503}.get(path, 200)
                assert reply.status_code in {200, 404, 422, refused}, reply.text
                assert "details" not in reply.json(), reply.text
                tried += 1
    assert tried >= 8


def test_the_examples_of_replies_have_their_shape() -> None:
    def shown(part: dict) -> dict:
        return part[200]["content"]["application/json"]["example"]

    ReadyReply.model_validate(shown(examples.READY_REPLY), strict=True)
    IndexesReply.model_validate(shown(examples.INDEXES_REPLY), strict=True)
    IndexReply.model_validate(shown(examples.INDEX_REPLY), strict=True)
    RecordReply.model_validate(shown(examples.RECORD_REPLY), strict=True)
    IngestReply.model_validate(shown(examples.INGEST_REPLY), strict=True)


def test_the_documentation_is_whole(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(_references(document)) <= known
    assert client.get("/docs").status_code == 200


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)

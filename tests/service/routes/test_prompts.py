"""Prompts over HTTP: every option, and every mistake."""

import base64
import logging
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.reply_schemas_prompts import PromptReply

QUESTION = "How is anaphylaxis treated first?"


def post(client: TestClient, path: str = "/v1/prompts", **body: object) -> dict[str, Any]:
    reply = client.post(path, json={"question": QUESTION} | body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_pictures_are_content_parts(client: TestClient) -> None:
    reply = post(client, record_id="films/train/31", images=True, k=1)
    PromptReply.model_validate(reply, strict=True)
    system, user = reply["messages"]
    assert isinstance(system["content"], str)
    text, heading, picture = user["content"]
    assert text["text"] in reply["text"]
    number = next(one["number"] for one in reply["citations"] if one["index"] == "films")
    assert heading["text"] == f"Image of passage [{number}]:"
    head, _, encoded = picture["image_url"]["url"].partition(",")
    assert head == "data:image/jpeg;base64"
    assert base64.b64decode(encoded).startswith(b"\xff\xd8")


def test_everything_at_once(client: TestClient) -> None:
    reply = post(
        client,
        record_id="scans/train/5",
        patient_note="Aged 40.",
        options=[{"key": "A", "text": "Adrenaline"}, {"key": "B", "text": "Water"}],
        template="choice-1",
        language="zh",
        tokenizer="estimate",
        exclude_same=["case", "near_duplicate"],
        exclude_records=["asked/train/3"],
        exclude_datasets=["gefragt"],
        k=2,
    )
    PromptReply.model_validate(reply, strict=True)
    assert reply["template_version"] == reply["receipt"]["template_version"] == "choice-1"
    assert [one["text"] for one in reply["citations"]] == [
        one["text"] for one in reply["receipt"]["passages"]
    ]
    assert len(reply["searches"]) == len(reply["receipt"]["searches"]) == 2
    assert "gefragt" not in reply["builds"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (422, {"template": "none"}),
        (422, {"tokenizer": "none"}),
        (422, {"language": "de"}),
        (422, {"options": [{"key": "A B", "text": "x"}]}),
        (422, {"exclude_same": ["case"]}),
        (422, {"exclude_splits": ["tset"]}),
        (404, {"exclude_datasets": ["askd"]}),
        (404, {"record_id": "films/train/31", "indexes": ["asked"]}),
        (415, {"image_base64": base64.b64encode(b"no image").decode()}),
        (422, {"image_base64": "*"}),
        (422, {"budget_tokens": 20}),
        (422, {"patient_notes": "x"}),
    ],
)
def test_mistakes_are_told(client: TestClient, status: int, body: dict[str, object]) -> None:
    reply = client.post("/v1/prompts", json={"question": QUESTION} | body)
    assert reply.status_code == status, reply.text
    assert reply.json()["remedy"]


def test_no_words_are_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    post(client, patient_note="secretnote", question="secretquestion anaphylaxis treated")
    client.post("/v1/prompts", json={"question": "secretquestion", "template": "secrettemplate"})
    assert "secret" not in caplog.text

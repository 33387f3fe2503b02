"""Checking answers over HTTP."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from service.reply_schemas_prompts import VerificationReply


@pytest.fixture(scope="module")
def receipt(client: TestClient) -> dict[str, Any]:
    body = {"question": "How is anaphylaxis treated first?"}
    return client.post("/v1/prompts", json=body).json()["receipt"]


def verify(client: TestClient, answer: str, receipt: object) -> Any:
    return client.post("/v1/prompts/verify", json={"answer": answer, "receipt": receipt})


def test_an_answer_is_checked(client: TestClient, receipt: dict[str, Any]) -> None:
    answer = "Anaphylaxis is treated with adrenaline [1]. Bake bread [1]. So there. See [4]."
    reply = verify(client, answer, receipt)
    assert reply.status_code == 200, reply.text
    found = reply.json()
    VerificationReply.model_validate(found, strict=True)
    assert (found["valid"], found["cited"], found["unknown"]) == (False, [1], [4])
    assert (found["uncited"], found["unsupported"]) == ([2], [1])
    assert found["sentences"][0]["citations"][0]["embedding"] > 0.3
    assert found["method"].startswith("heuristic")


def test_chinese_is_compared_by_words_where_the_encoder_reads_none(client: TestClient) -> None:
    body = {"question": "胸痛伴出汗应首先做什么检查？"}
    receipt = client.post("/v1/prompts", json=body).json()["receipt"]
    [sentence] = verify(client, "胸痛伴出汗应首先做心电图[1]。", receipt).json()["sentences"]
    assert sentence["citations"][0]["embedding"] is None
    assert sentence["citations"][0]["supports"]


@pytest.mark.parametrize(
    "change",
    [
        {"passages": []},
        {"signature": "0" * 64},
        {"receipt_version": 2},
        {"created_at": "2020"},
        {"surprise": 1},
    ],
)
def test_an_altered_receipt_is_refused(
    client: TestClient, receipt: dict[str, Any], change: dict[str, object]
) -> None:
    reply = verify(client, "Adrenaline [1].", receipt | change)
    assert reply.status_code == 422, reply.text
    assert reply.json()["remedy"]


def test_a_key_keeps_receipts_over_a_restart(indexes_dir, serve) -> None:  # type: ignore[no-untyped-def]
    body = {"question": "How is anaphylaxis treated first?"}
    with serve(indexes_dir, receipt_key="long-kept") as first:
        receipt = first.post("/v1/prompts", json=body).json()["receipt"]
    with serve(indexes_dir, receipt_key="long-kept") as second:
        assert verify(second, "Adrenaline [1].", receipt).status_code == 200
    with serve(indexes_dir) as third:
        assert verify(third, "Adrenaline [1].", receipt).status_code == 422

"""Errors of the OpenAI-compatible routes, wherever they arise."""

import openai
import pytest

from service.reply_schemas_openai import OpenAiErrorReply

BODY = {"model": "hash", "input": "x"}


def test_refusals_of_other_layers_wear_the_envelope_too(indexes_dir, serve) -> None:  # type: ignore[no-untyped-def]
    with serve(indexes_dir, api_keys=["k"], max_body_bytes=1024) as client:
        for headers, body, status, kind in (
            ({}, BODY, 401, "invalid_request_error"),
            ({"x-api-key": "wrong"}, BODY, 403, "invalid_request_error"),
            ({"x-api-key": "k"}, BODY | {"input": "x" * 2000}, 413, "invalid_request_error"),
            ({"x-api-key": "k"}, {}, 422, "invalid_request_error"),
        ):
            reply = client.post("/v1/embeddings", json=body, headers=headers)
            assert reply.status_code == status
            error = OpenAiErrorReply.model_validate(reply.json(), strict=True).error
            assert error.type == kind
            assert error.message
        assert client.get("/v1/indexes").json()["code"] == "unauthorised"


def test_not_ready_is_the_server_s_fault_and_says_when_to_come_back(tmp_path, serve) -> None:  # type: ignore[no-untyped-def]
    with serve(tmp_path, wait=False) as client:
        reply = client.post("/v1/embeddings", json=BODY)
        assert reply.status_code == 503
        assert reply.headers["retry-after"] == "2"
        assert reply.json()["error"]["type"] == "server_error"


def test_the_client_raises_its_own_errors_for_keys(address: str) -> None:
    with (
        openai.OpenAI(base_url=f"{address}/v1/vector_stores/x", api_key="none") as client,
        pytest.raises(openai.NotFoundError),
    ):
        client.models.list()

"""Answers by a real client library from a real server, and everything that such a server does."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from service.reply_schemas_prompts import AnswerReply, VerificationReply
from tests.service.stand_in_llm import ANSWER, Script, stand_in

QUESTION = "How is anaphylaxis treated first?"


@pytest.fixture(scope="module")
def llm() -> Iterator[Script]:
    with stand_in() as script:
        yield script


@pytest.fixture(scope="module")
def answering(indexes_dir: Path, serve, llm: Script) -> Iterator[TestClient]:  # type: ignore[no-untyped-def]
    with serve(
        indexes_dir, llm_url=llm.address, llm_model="m", llm_key="sesame", llm_silence_s=0.8,
        llm_total_s=1.6, llm_retries=2,
    ) as client:  # fmt: skip
        yield client


@pytest.fixture(autouse=True)
def fresh(llm: Script) -> None:
    llm.mode, llm.words = "answer", ANSWER
    llm.asked.clear()
    llm.keys.clear()
    llm.hung_up.clear()


def ask(client: TestClient, **body: object) -> Any:
    return client.post("/v1/answers", json={"question": QUESTION} | body)


def events(reply: Any) -> list[tuple[str, dict[str, Any]]]:
    assert reply.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in reply.text.split("\n\n")[:-1]:
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def test_who_answers_is_told(answering: TestClient, client: TestClient) -> None:
    assert answering.get("/v1/answers").json() == {"model": "m"}
    assert client.get("/v1/answers").json() == {"model": None}


def test_an_answer_comes_with_its_citations_checked(answering: TestClient, llm: Script) -> None:
    reply = ask(answering, max_tokens=99, temperature=0.5)
    assert reply.status_code == 200, reply.text
    found = reply.json()
    AnswerReply.model_validate(found, strict=True)
    assert found["answer"] == "".join(ANSWER)
    assert (found["finish_reason"], found["model"]) == ("stop", "m")
    checked = found["verification"]
    assert (checked["valid"], checked["cited"], checked["unknown"]) == (False, [1], [7])
    [asked] = llm.asked
    assert asked["messages"] == found["prompt"]["messages"]
    assert (asked["model"], asked["max_tokens"], asked["temperature"]) == ("m", 99, 0.5)
    assert llm.keys == ["Bearer sesame"]


def test_an_answer_is_streamed(answering: TestClient) -> None:
    (first, prompt), *deltas, (last, done) = events(ask(answering, stream=True))
    assert (first, last) == ("prompt", "done")
    assert prompt["citations"][0]["record_id"] == "asked/train/0"
    assert [one["text"] for _, one in deltas] == list(ANSWER)
    assert done["answer"] == "".join(ANSWER)
    VerificationReply.model_validate(done["verification"], strict=True)


def test_thoughts_are_no_answer(answering: TestClient, llm: Script) -> None:
    llm.words = ("<think>It may be [9].", "</think>Adrenaline", " [1].")
    found = ask(answering).json()
    assert found["answer"] == "Adrenaline [1]."
    assert found["verification"]["valid"]
    llm.words = ("<think>It may",)
    assert ask(answering).status_code == 502


def test_what_fails_in_passing_is_tried_again(indexes_dir: Path, serve, llm: Script) -> None:  # type: ignore[no-untyped-def]
    llm.mode = "flaky"
    # Pauses between tries take a second or two, and more on a busy machine.
    with serve(indexes_dir, llm_url=llm.address, llm_model="m", llm_retries=2) as patient:
        assert ask(patient).status_code == 200
    assert len(llm.asked) == 3


FAILURES = [
    ("refuse", 502, "llm_failed"), ("unauthorised", 502, "llm_failed"),
    ("page", 502, "llm_failed"), ("garbage", 502, "llm_failed"), ("odd", 502, "llm_failed"),
    ("closed_early", 502, "llm_failed"), ("empty", 502, "llm_failed"),
    ("garbage_later", 502, "llm_failed"), ("error_inside", 502, "llm_failed"),
    ("silent", 504, "llm_timeout"), ("silent_later", 504, "llm_timeout"),
    ("endless", 504, "llm_timeout"),
]  # fmt: skip
LATER = {"closed_early", "garbage_later", "error_inside", "silent_later", "endless"}


@pytest.mark.parametrize(("mode", "status", "code"), FAILURES)
def test_every_failure_has_its_status(
    answering: TestClient, llm: Script, mode: str, status: int, code: str
) -> None:
    llm.mode = mode
    reply = ask(answering)
    assert (reply.status_code, reply.json()["code"]) == (status, code), reply.text
    assert reply.json()["remedy"]
    assert "secretserverwords" not in reply.text


@pytest.mark.parametrize(("mode", "status", "code"), FAILURES)
def test_a_stream_tells_what_fails_on_the_way(
    answering: TestClient, llm: Script, mode: str, status: int, code: str
) -> None:
    llm.mode = mode
    reply = ask(answering, stream=True)
    if mode not in LATER:
        assert (reply.status_code, reply.json()["code"]) == (status, code)
        return
    assert reply.status_code == 200
    names = [name for name, _ in events(reply)]
    assert (names[0], names[1], names[-1]) == ("prompt", "delta", "error")
    assert events(reply)[-1][1]["code"] == code
    assert "secretserverwords" not in reply.text


@pytest.mark.parametrize("body", [{"stream": True}, {}])
def test_a_client_that_hangs_up_ends_the_models_request(  # type: ignore[no-untyped-def]
    indexes_dir: Path, listen, llm: Script, body: dict[str, object]
) -> None:
    llm.mode = "endless"
    with (
        listen(indexes_dir, llm_url=llm.address, llm_model="m") as address,
        httpx.Client(timeout=0.7) as client,
    ):
        asked = {"question": QUESTION, **body}
        if body:
            with client.stream("POST", f"{address}/v1/answers", json=asked) as reply:
                assert next(reply.iter_lines()) == "event: prompt"
        else:
            with pytest.raises(httpx.ReadTimeout):
                client.post(f"{address}/v1/answers", json=asked)
        assert llm.hung_up.wait(5)


def test_without_an_endpoint_the_remedy_is_told(client: TestClient) -> None:
    reply = ask(client)
    assert (reply.status_code, reply.json()["code"]) == (503, "llm_not_configured")
    assert "MEDSEARCH_LLM_URL" in reply.json()["remedy"]
    assert "retry-after" not in reply.headers


def test_a_server_that_is_not_there(indexes_dir: Path, serve) -> None:  # type: ignore[no-untyped-def]
    settings = {"llm_url": "http://127.0.0.1:9/v1", "llm_model": "m", "llm_retries": 0}
    with serve(indexes_dir, **settings) as client:
        assert ask(client).status_code == 502


def test_mistakes_never_reach_the_model(answering: TestClient, llm: Script) -> None:
    for bad in ({"budget_tokens": 9}, {"template": "none"}, {"temperature": 3}, {"streams": True}):
        assert ask(answering, **bad).status_code == 422
    assert llm.asked == []


def test_no_words_are_logged(
    answering: TestClient, llm: Script, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    llm.words = ("secretanswer",)
    assert ask(answering, question="secretquestion anaphylaxis").status_code == 200
    llm.mode = "garbage_later"
    ask(answering, question="secretquestion anaphylaxis", stream=True)
    assert "secret" not in caplog.text
    assert "sesame" not in caplog.text

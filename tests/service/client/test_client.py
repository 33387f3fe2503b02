"""Both clients against a running service: every method, and every kind of error."""

import asyncio
import base64
import inspect
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.client import (
    AsyncClient,
    BadQueryError,
    Client,
    ClientError,
    NotFoundError,
    NotReadyError,
    Prompt,
    Record,
    SearchReply,
    TooLargeError,
    UnauthorisedError,
    UndecodableError,
    UnreachableError,
)
from service.client.retrying import Retries

QUESTION = "How is anaphylaxis treated first?"
Ask = Callable[..., Any]


@pytest.fixture(params=["blocking", "awaited"])
def ask(request: pytest.FixtureRequest, address: str) -> Iterator[Ask]:
    """Call a method by its name, of either client."""
    if request.param == "blocking":
        with Client(address) as client:
            yield lambda name, *given, **named: getattr(client, name)(*given, **named)
        return

    async def answer(name: str, *given: object, **named: object) -> Any:
        async with AsyncClient(address) as client:
            method: Callable[..., Awaitable[Any]] = getattr(client, name)
            return await method(*given, **named)

    yield lambda name, *given, **named: asyncio.run(answer(name, *given, **named))


def test_both_clients_have_the_same_methods_and_parameters() -> None:
    def public(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(method).parameters)
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_") or name == "__init__"
        }

    assert public(Client) == public(AsyncClient)


def test_words_find_images(ask: Ask) -> None:
    reply: SearchReply = ask(
        "search_text",
        "grey 5",
        k=3,
        indexes=["scans"],
        filters={"type": "eq", "key": "modality", "value": "CT"},
        group_by="none",
    )
    assert isinstance(reply, SearchReply)
    assert reply.hits[0].record_id == "scans/train/5"
    assert reply.hits[0].why["image"].rank == 1
    assert [hit.rank for hit in reply.hits] == [1, 2, 3]
    assert {hit.modality for hit in reply.hits} == {"CT"}
    assert set(reply.builds) == {"scans"}
    assert reply.records_allowed == 12


def test_an_image_finds_its_like_from_bytes_a_file_or_a_record(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "patient-smith.png"
    file.write_bytes(b"grey 5")
    by_bytes = ask("search_image", b"grey 5", k=2, group_by="study", group_size=2)
    assert by_bytes.hits[0].record_id == "scans/train/5"
    assert by_bytes.hits[0].group.id == "study2"
    assert len(by_bytes.hits[0].group.hits) == 2
    for image in (file, str(file)):
        assert ask("search_image", image, k=2).hits[0].record_id == "scans/train/5"
    by_record = ask("search_image", record_id="scans/train/5", k=2)
    assert by_record.hits[0].record_id == "scans/train/5"
    # Far from the picture (22nd of 30), it is brought up by the words.
    alone = ask("search_image", b"grey 5", k=5)
    beside = ask("search_image", b"grey 5", query="grey 31", k=5)
    assert "films/train/31" not in {hit.record_id for hit in alone.hits}
    assert "films/train/31" in {hit.record_id for hit in beside.hits}


def test_facets_evidence_and_the_receipt(ask: Ask) -> None:
    reply = ask(
        "search_image", b"grey 5", indexes=["scans"], facets=["modality", "contrast"], evidence=True
    )
    counts = {one.value: one.records for one in reply.facets["modality"]}
    assert counts == {"CT": 12, "MR": 12}
    assert {one.value for one in reply.facets["contrast"]} == {True, False}
    [odd] = reply.evidence
    assert odd.label == "odd"
    assert odd.low <= odd.share <= odd.high
    assert reply.receipt["hits_sha256"]
    assert "stages_ms" in reply.extra


def test_a_vector_finds_what_it_embeds(ask: Ask, hash_encoder) -> None:  # type: ignore[no-untyped-def]
    [values] = hash_encoder.encode_texts(["grey 5"], "query").tolist()
    by_image = ask("search_image", vector={"field": "image", "values": values}, k=1)
    assert by_image.hits[0].record_id == "scans/train/5"
    [values] = hash_encoder.encode_texts([QUESTION], "query").tolist()
    by_question = ask("search_questions", vector={"field": "question", "values": values}, k=1)
    assert by_question.hits[0].record_id == "asked/train/0"


def test_questions_come_with_answers(ask: Ask) -> None:
    hit = ask("search_questions", QUESTION, k=1).hits[0]
    assert hit.answer == "With adrenaline into the thigh."
    assert hit.options[0].text == "Adrenaline"
    assert hit.text.splitlines()[:3] == [
        f"Question: {QUESTION}",
        "Answer: With adrenaline into the thigh.",
        "Options: A. Adrenaline; B. Water",
    ]
    assert hit.metadata()["licence"] == "MIT"
    assert hit.metadata()["answer_keys"] == ["A"]
    assert "question" not in hit.metadata()
    again = ask("search_questions", record_id="asked/train/0", k=1)
    assert again.hits[0].record_id == "asked/train/0"


def test_a_prompt_with_its_citations(ask: Ask) -> None:
    prompt: Prompt = ask("prompt", QUESTION, image=b"grey 31", budget_tokens=900)
    assert [message.role for message in prompt.messages] == ["system", "user"]
    assert prompt.messages[1].to_openai()["role"] == "user"
    assert {"asked/train/0", "films/train/31"} <= {one.record_id for one in prompt.citations}
    assert prompt.tokens <= 900
    assert prompt.receipt["passages"][0]["text"] == prompt.citations[0].text
    pictured: Prompt = ask("prompt", QUESTION, image=b"grey 31", images=True)
    parts = pictured.messages[1].to_openai()["content"]
    assert {part["type"] for part in parts} == {"text", "image_url"}
    by_record = ask("prompt", QUESTION, record_id="films/train/31", budget_tokens=900)
    assert by_record.citations == prompt.citations


def test_records_thumbnails_and_indexes(ask: Ask) -> None:
    record: Record = ask("record", "scans/train/5")
    assert type(record) is Record
    assert record.slice_number == 5
    assert ask("thumbnail", "scans/train/5").startswith(b"\xff\xd8")
    assert {index.name for index in ask("indexes")} == {"scans", "films", "asked", "gefragt"}
    scans = ask("index", "scans")
    assert scans.records == 24
    assert "modality" in {one["key"] for one in scans.extra["filter_fields"]}


@pytest.mark.parametrize(
    ("call", "error", "code", "told"),
    [
        (("record", "a/b/c"), NotFoundError, "record_not_found", "dataset/split/native_id"),
        (("thumbnail", "asked/train/0"), NotFoundError, "record_not_found", "record itself"),
        (("index", "skans"), NotFoundError, "unknown_name", "'scans'"),
        (("index", "../healthz"), NotFoundError, "not_found", ""),
        (("search_text", " "), BadQueryError, "bad_query", "some words"),
        (("search_image",), BadQueryError, "bad_query", "Exactly one"),
        (("search_image", b"no image"), UndecodableError, "undecodable", "another file"),
        (("search_questions",), BadQueryError, "bad_query", "Exactly one"),
        (("prompt", "x", "y"), TypeError, "", ""),
    ],
)
def test_errors_carry_code_message_and_remedy(
    ask: Ask, call: tuple[Any, ...], error: type[Exception], code: str, told: str
) -> None:
    name, *given = call
    with pytest.raises(error) as raised:
        ask(name, *given)
    if isinstance(raised.value, ClientError):
        assert raised.value.code == code
        assert raised.value.message
        assert told in raised.value.remedy
        assert raised.value.request_id


def test_two_images_are_refused_by_the_service(ask: Ask) -> None:
    with pytest.raises(BadQueryError, match="Exactly one"):
        ask("search_image", b"grey 5", record_id="scans/train/5")


def test_details_say_where(ask: Ask) -> None:
    with pytest.raises(BadQueryError) as raised:
        ask("search_text", "x", filters={"type": "like", "key": "modality", "value": "CT"})
    assert raised.value.details[0]["where"].startswith("filters")


def test_keys_are_sent_and_missed(indexes_dir, listen) -> None:  # type: ignore[no-untyped-def]
    with listen(indexes_dir, api_keys=["k"], max_body_bytes=2048) as address:
        with Client(address, api_key="k") as client:
            assert client.search_text("grey 5", k=1).hits
            with pytest.raises(TooLargeError):
                client.search_image(b"grey 5" + b" " * 4000)
        for key, code in ((None, "unauthorised"), ("wrong", "forbidden")):
            with Client(address, api_key=key) as client, pytest.raises(UnauthorisedError) as raised:
                client.indexes()
            assert raised.value.code == code


def test_a_service_without_indexes_is_not_ready(tmp_path: Path, listen) -> None:  # type: ignore[no-untyped-def]
    with (
        listen(tmp_path, wait=False) as address,
        Client(address, retries=Retries(count=0)) as client,
        pytest.raises(NotReadyError) as raised,
    ):
        client.search_text("x")
    assert raised.value.status == 503
    assert raised.value.remedy


def test_where_nothing_listens_is_said() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(UnreachableError) as raised:
        client.indexes()
    assert raised.value.code == "unreachable"
    assert isinstance(raised.value, ConnectionError)


def test_the_name_of_an_uploaded_file_stays_at_home(tmp_path: Path) -> None:
    from service.client import calls

    file = tmp_path / "patient-smith.png"
    file.write_bytes(b"grey 5")
    with Client("http://127.0.0.1:9") as client:
        request = calls.search_image(file, None, None, None, {}).request(client._http)
        sent = request.read()
    assert b"smith" not in sent
    assert b"grey 5" in sent
    assert base64.b64encode(b"grey 5") not in sent

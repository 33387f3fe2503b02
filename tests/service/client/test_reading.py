"""JSON to typed replies, and their agreement with what the service documents."""

import dataclasses
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from service import reply_schemas, reply_schemas_counts, reply_schemas_prompts, schemas_prompts
from service import schemas as request_schemas
from service.client import Client, ReplyError, ServerError, options, replies
from service.client.reading import read


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (replies.Record, reply_schemas.RecordReply),
        (replies.Hit, reply_schemas.HitReply),
        (replies.Place, reply_schemas.PlaceReply),
        (replies.Group, reply_schemas.GroupReply),
        (replies.Option, reply_schemas.OptionReply),
        (replies.Note, reply_schemas.NoteReply),
        (replies.FacetCount, reply_schemas_counts.FacetCountReply),
        (replies.Evidence, reply_schemas_counts.EvidenceReply),
        (replies.SearchReply, reply_schemas.SearchReplyBody),
        (replies.Message, reply_schemas_prompts.MessageReply),
        (replies.Citation, reply_schemas_prompts.CitationReply),
        (replies.Prompt, reply_schemas_prompts.PromptReply),
        (replies.Index, reply_schemas.IndexReply),
        (replies.Indexes, reply_schemas.IndexesReply),
    ],
)
def test_every_field_is_one_that_the_service_replies(ours: type, theirs: type[BaseModel]) -> None:
    """What the service adds meanwhile is in `extra`, so only what is missing there would hurt."""
    own = {one.name for one in dataclasses.fields(ours)} - {"extra"}
    assert own <= set(theirs.model_fields)


def test_every_option_is_one_that_the_service_takes() -> None:
    def known(model: type[BaseModel]) -> set[str]:
        return set(model.model_fields)

    assert set(options.SearchOptions.__annotations__) <= known(request_schemas.SearchOptions)
    assert set(options.PromptOptions.__annotations__) <= known(schemas_prompts.PromptBody)


NOTE = {"code": "c", "message": "m"}
GROUP = {"by": "case", "id": "1", "records": 2}


def test_what_is_not_known_is_kept() -> None:
    group = read(replies.Group, GROUP | {"hits": [], "colour": "blue"})
    assert group == replies.Group(by="case", id="1", records=2, extra={"colour": "blue"})
    assert read(replies.Note, NOTE | {"new": 1}) == replies.Note(code="c", message="m")


def test_integers_are_numbers_and_flags_are_not() -> None:
    assert read(replies.Place, {"rank": 1, "score": 1}) == replies.Place(rank=1, score=1.0)
    for wrong in ({"rank": True, "score": 1.0}, {"rank": 1, "score": True}):
        with pytest.raises(ReplyError, match=r"Place\."):
            read(replies.Place, wrong)


@pytest.mark.parametrize(
    "values",
    [None, [], "x", {}, {"code": "c"}, {"code": "c", "message": None}, {"code": 1, "message": "m"}],
)
def test_another_shape_is_an_error(values: Any) -> None:
    with pytest.raises(ReplyError, match="Note"):
        read(replies.Note, values)


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'{"indexes": 1}', b"\xff", b"NaN"])
def test_another_service_is_recognised(content: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content))
    with Client(transport=transport) as client, pytest.raises(ReplyError) as raised:
        client.indexes()
    assert raised.value.remedy


@pytest.mark.parametrize("content", [b"<html>bad gateway</html>", b"[]", b"", b"\xff", b"{}"])
def test_the_error_page_of_a_proxy_is_an_error_too(content: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(502, content=content))
    with Client(transport=transport) as client, pytest.raises(ServerError) as raised:
        client.indexes()
    assert raised.value.status == 502
    assert "502" in raised.value.message

"""What is sent for each method, shared by both clients: pure values, no network."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote

import httpx

from .errors import ReplyError
from .options import PromptOptions, SearchOptions
from .reading import read
from .replies import Index, Indexes, Prompt, Record, SearchReply

Reply = TypeVar("Reply")
Image: TypeAlias = bytes | str | Path
"""An image file: its bytes, or where it lies."""
Vector: TypeAlias = Mapping[str, Any]
"""A ready embedding: {"field": "image" | "caption" | "question", "values": [...]}.

Fields of Chinese texts, where an index has such, are `caption_zh` and `question_zh`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[Reply]):
    """One request: `body` goes as JSON, or as the `params` of a form if there is a `file`."""

    method: str
    path: str
    reply: type[Reply]
    body: Mapping[str, Any] | None = None
    file: bytes | None = None

    def request(self, http: "httpx.Client | httpx.AsyncClient") -> httpx.Request:
        """Return the request as `http` sends it."""
        if self.file is None:
            return http.build_request(self.method, self.path, json=self.body)
        # The service reads the content, not the name; a name could tell who the patient is.
        files = {"file": ("image", self.file, "application/octet-stream")}
        form = {"params": json.dumps(self.body)}
        return http.build_request(self.method, self.path, files=files, data=form)

    def read(self, response: httpx.Response) -> Reply:
        """Return a successful response as the reply's type.

        Raises
        ------
        ReplyError
            It is no JSON, or of another shape.
        """
        try:
            values = json.loads(response.content)
        except ValueError:
            raise ReplyError(
                "The answer is not JSON.",
                code="unexpected_reply",
                remedy="Check that the address is that of a medsearch service.",
            ) from None
        return read(self.reply, values)


def search_text(query: str, options: SearchOptions) -> Call[SearchReply]:
    """Ask for images by words."""
    return _search("/v1/search/text", {"query": query}, options)


def search_questions(
    query: str | None, record_id: str | None, vector: Vector | None, options: SearchOptions
) -> Call[SearchReply]:
    """Ask for questions like a question, or like an indexed one."""
    return _search(
        "/v1/search/questions", _given(query=query, record_id=record_id, vector=vector), options
    )


def search_image(
    image: Image | None,
    record_id: str | None,
    vector: Vector | None,
    query: str | None,
    options: SearchOptions,
) -> Call[SearchReply]:
    """Ask for images like a file, or like an indexed one."""
    path = "/v1/search/image"
    if image is not None and record_id is None and vector is None:
        body = {**_given(query=query), **options}
        return Call(method="POST", path=path, reply=SearchReply, body=body, file=_bytes(image))
    # Where there are several images or none, the service says what is wrong with that.
    encoded = None if image is None else _base64(image)
    named = _given(image_base64=encoded, record_id=record_id, vector=vector, query=query)
    return _search(path, named, options)


def prompt(
    question: str, image: Image | None, record_id: str | None, options: PromptOptions
) -> Call[Prompt]:
    """Ask for a prompt with cited passages."""
    encoded = None if image is None else _base64(image)
    body = {"question": question, **_given(image_base64=encoded, record_id=record_id), **options}
    return Call(method="POST", path="/v1/prompts", reply=Prompt, body=body)


def record(record_id: str) -> Call[Record]:
    """Ask for one record."""
    return Call(method="GET", path=record_path(record_id), reply=Record)


def indexes() -> Call[Indexes]:
    """Ask for all indexes."""
    return Call(method="GET", path="/v1/indexes", reply=Indexes)


def index(name: str) -> Call[Index]:
    """Ask for one index."""
    return Call(method="GET", path=f"/v1/indexes/{quote(name, safe='')}", reply=Index)


def record_path(record_id: str) -> str:
    """Return where a record is served, relative to the service's root."""
    return f"/v1/records/{quote(record_id, safe='/:@=+')}"


def _search(path: str, query: Mapping[str, Any], options: SearchOptions) -> Call[SearchReply]:
    return Call(method="POST", path=path, reply=SearchReply, body={**query, **options})


def _given(**values: str | Vector | None) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _bytes(image: Image) -> bytes:
    return image if isinstance(image, bytes) else Path(image).read_bytes()


def _base64(image: Image) -> str:
    return base64.b64encode(_bytes(image)).decode()

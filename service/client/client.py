"""The client that blocks."""

import time
from typing import Self, TypeVar, Unpack

import httpx

from . import calls
from .calls import Call, Image, Vector
from .connecting import DEFAULT_URL, settings_of
from .errors import error_of, unreachable
from .options import PromptOptions, SearchOptions
from .replies import Index, Indexes, Prompt, Record, SearchReply
from .retrying import Retries

Reply = TypeVar("Reply")


class Client:
    """Asks a service; thread-safe. Use it as a context manager, or call `close`.

    Every method raises a `ClientError`: what the service refuses, with its code, message and
    remedy; or that it could not be reached, in time or at all.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout_s: float = 30.0,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._retries = retries or Retries()
        self._http = httpx.Client(transport=transport, **settings_of(base_url, api_key, timeout_s))

    def search_text(self, query: str, **options: Unpack[SearchOptions]) -> SearchReply:
        """Find images for words."""
        return self._ask(calls.search_text(query, options))

    def search_image(
        self,
        image: Image | None = None,
        *,
        record_id: str | None = None,
        vector: Vector | None = None,
        query: str | None = None,
        **options: Unpack[SearchOptions],
    ) -> SearchReply:
        """Find images like a file (bytes, or a path), an indexed record, or an embedding.

        `query` adds words that hits are to fit, too.
        """
        return self._ask(calls.search_image(image, record_id, vector, query, options))

    def search_questions(
        self,
        query: str | None = None,
        *,
        record_id: str | None = None,
        vector: Vector | None = None,
        **options: Unpack[SearchOptions],
    ) -> SearchReply:
        """Find questions and answers like a question, an indexed one, or an embedding."""
        return self._ask(calls.search_questions(query, record_id, vector, options))

    def prompt(
        self,
        question: str,
        *,
        image: Image | None = None,
        record_id: str | None = None,
        **options: Unpack[PromptOptions],
    ) -> Prompt:
        """Write a prompt with cited passages, about an image if one is given."""
        return self._ask(calls.prompt(question, image, record_id, options))

    def record(self, record_id: str) -> Record:
        """Return one record."""
        return self._ask(calls.record(record_id))

    def thumbnail(self, record_id: str) -> bytes:
        """Return the thumbnail of an image record: the bytes of a JPEG."""
        path = f"{calls.record_path(record_id)}/thumbnail"
        return self._send(self._http.build_request("GET", path)).content

    def indexes(self) -> tuple[Index, ...]:
        """Return all published indexes."""
        found: Indexes = self._ask(calls.indexes())
        return found.indexes

    def index(self, name: str) -> Index:
        """Return one index; its `extra` lists the fields and values that filters may name."""
        return self._ask(calls.index(name))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def _ask(self, call: Call[Reply]) -> Reply:
        return call.read(self._send(call.request(self._http)))

    def _send(self, request: httpx.Request) -> httpx.Response:
        """Send a request, again where the service asks for it, until it is answered or refused."""
        attempt = 0
        while True:
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                raise unreachable(error) from error
            if response.is_success:
                return response
            wait_s = self._retries.wait_s(response, attempt)
            if wait_s is None:
                raise error_of(response)
            time.sleep(wait_s)
            attempt += 1

"""Arguments of the tools that language models call; their schemas are what a model reads.

Few options on purpose: every word of a schema is read by the model in every conversation.
"""

import json
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from service.filter_schemas import AnyFilter, Request
from service.retrieval.query import Query, TextSource
from service.schemas import (
    IndexName,
    RecordId,
    SearchOptions,
    image_source,
)
from service.schemas_prompts import PromptBody


def _parse_json(value: object) -> object:
    """Read a list or an object that came as a string: some chat clients send all values so."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


_Words: TypeAlias = Annotated[str, Field(min_length=1)]
_Image: TypeAlias = Annotated[
    str | None, Field(description="An image file (PNG, JPEG, TIFF, WebP, DICOM) as base64.")
]


class _Options(Request):
    k: Annotated[int, Field(ge=1, le=50, description="How many hits.")] = 5
    indexes: Annotated[
        Annotated[list[IndexName], Field(min_length=1, max_length=64)] | None,
        BeforeValidator(_parse_json),
        Field(description="Only these indexes; all if left out."),
    ] = None
    filters: Annotated[
        AnyFilter | None,
        BeforeValidator(_parse_json),
        Field(description='E.g. {"type": "eq", "key": "modality", "value": "CT"}.'),
    ] = None

    def _options(self) -> SearchOptions:
        return SearchOptions(k=self.k, indexes=self.indexes, filters=self.filters)


class SearchImages(_Options):
    """Words to find images by."""

    query: Annotated[_Words, Field(description="What the image shows, in words.")]

    def search(self) -> Query:
        """Return the search that is meant."""
        return self._options().query("images", TextSource(self.query))


class SearchSimilarImages(_Options):
    """An image to find others like."""

    record_id: Annotated[RecordId | None, Field(description="The id of an indexed image.")] = None
    image_base64: _Image = None

    def search(self) -> Query:
        """Return the search that is meant.

        Raises
        ------
        QueryError
            Not exactly one image is named, or its base64 is broken.
        """
        source = image_source(self.record_id, self.image_base64)
        return self._options().query("images", source)


class SearchQuestions(_Options):
    """A question to find answered ones by."""

    query: Annotated[_Words, Field(description="A question, English or Chinese.")]

    def search(self) -> Query:
        """Return the search that is meant."""
        return self._options().query("questions", TextSource(self.query))


class BuildPrompt(_Options):
    """What a prompt is wanted for."""

    question: _Words
    record_id: Annotated[
        RecordId | None, Field(description="An indexed image that the question is about.")
    ] = None
    image_base64: _Image = None
    budget_tokens: Annotated[int, Field(ge=1, description="Most tokens of the prompt.")] = 2000

    def body(self) -> PromptBody:
        """Return the prompt that is meant, as it would come over HTTP."""
        return PromptBody(
            question=self.question,
            record_id=self.record_id,
            image_base64=self.image_base64,
            budget_tokens=self.budget_tokens,
            k=self.k,
            indexes=self.indexes,
            filters=self.filters,
        )


class GetRecord(Request):
    """Which record."""

    id: Annotated[RecordId, Field(description="As hits carry it: dataset/split/native_id.")]


class Search(Request):
    """What chat clients send to a tool named `search`."""

    query: _Words


class Fetch(Request):
    """What chat clients send to a tool named `fetch`."""

    id: Annotated[RecordId, Field(description="An id that `search` returned.")]

"""What clients may send: checked here, unknown fields refused, then turned into inner types."""

import base64
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from indexer.errors import QueryError
from service.prompting.prompt import PromptRequest
from service.retrieval.filters import Combination, Comparison, Filter
from service.retrieval.query import (
    GroupBy,
    ImageSource,
    Query,
    RecordSource,
    Source,
    Target,
    TextSource,
)

FILTER_EXAMPLE = {
    "type": "and",
    "filters": [
        {"type": "eq", "key": "modality", "value": "CT"},
        {"type": "gte", "key": "age_years", "value": 60},
    ],
}

IndexName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]
RecordId: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["mura/valid/1"]),
]
Scalar: TypeAlias = (
    StrictBool | StrictInt | StrictFloat | Annotated[StrictStr, Field(max_length=512)]
)


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ValueFilter(_Request):
    """Compares a field with one value."""

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte"]
    key: Annotated[str, Field(max_length=64)]
    value: Scalar

    def inner(self) -> Filter:
        """Return the filter that retrieval understands."""
        return Comparison(self.key, self.type, self.value)


class ListFilter(_Request):
    """Compares a field with several values."""

    type: Literal["in", "nin"]
    key: Annotated[str, Field(max_length=64)]
    value: Annotated[list[Scalar], Field(max_length=1000)]

    def inner(self) -> Filter:
        """Return the filter that retrieval understands."""
        return Comparison(self.key, self.type, tuple(self.value))


class CompoundFilter(_Request):
    """Joins filters: all of them (`and`) or any of them (`or`)."""

    type: Literal["and", "or"]
    filters: Annotated[list["AnyFilter"], Field(max_length=64)]

    def inner(self) -> Filter:
        """Return the filter that retrieval understands."""
        return Combination(self.type, tuple(part.inner() for part in self.filters))


AnyFilter: TypeAlias = Annotated[
    ValueFilter | ListFilter | CompoundFilter, Field(discriminator="type")
]


class SearchOptions(_Request):
    """Options that every search has."""

    k: Annotated[int, Field(ge=1, description="How many hits (or groups).", strict=True)] = 10
    indexes: Annotated[
        list[IndexName] | None,
        Field(min_length=1, max_length=64, description="Which indexes; all that fit if left out."),
    ] = None
    filters: Annotated[AnyFilter | None, Field(examples=[FILTER_EXAMPLE])] = None
    group_by: Annotated[GroupBy | None, Field(description="One hit for each of these.")] = None
    exclude_records: Annotated[
        list[RecordId], Field(max_length=1000, description="Ids of records never to return.")
    ] = []

    def query(self, target: Target, source: Source) -> Query:
        """Return the inner query of these options."""
        return Query(
            target=target,
            source=source,
            k=self.k,
            indexes=None if self.indexes is None else tuple(self.indexes),
            filters=None if self.filters is None else self.filters.inner(),
            group_by=self.group_by,
            exclude_records=frozenset(self.exclude_records),
        )


class TextSearch(SearchOptions):
    """Images for words."""

    query_text: Annotated[
        str, Field(alias="query", min_length=1, examples=["chest CT with contrast"])
    ]


class QuestionSearch(SearchOptions):
    """Questions and answers like a question, or like an indexed one."""

    query_text: Annotated[
        str | None,
        Field(alias="query", min_length=1, examples=["How is anaphylaxis treated first?"]),
    ] = None
    record_id: RecordId | None = None


class ImageSearch(SearchOptions):
    """Images like an indexed one, or like an image sent as base64."""

    record_id: RecordId | None = None
    image_base64: Annotated[
        str | None, Field(description="An image file (PNG, JPEG, TIFF, WebP, DICOM) as base64.")
    ] = None


class PromptBody(_Request):
    """What a prompt is wanted for."""

    question: Annotated[
        str, Field(min_length=1, examples=["What is the first-line treatment of anaphylaxis?"])
    ]
    image_base64: Annotated[str | None, Field(description="An image file as base64.")] = None
    record_id: Annotated[
        RecordId | None, Field(description="An indexed image, instead of an upload.")
    ] = None
    budget_tokens: Annotated[
        int, Field(ge=1, strict=True, description="Most tokens of the whole prompt (estimated).")
    ] = 2000
    k: Annotated[int, Field(ge=1, strict=True, description="Passages of each kind.")] = 5
    indexes: Annotated[list[IndexName] | None, Field(min_length=1, max_length=64)] = None
    filters: AnyFilter | None = None

    def request(self) -> PromptRequest:
        """Return the inner request."""
        image: ImageSource | RecordSource | None = None
        if self.image_base64 is not None or self.record_id is not None:
            image = image_source(self.record_id, self.image_base64)
        return PromptRequest(
            question=self.question,
            image=image,
            k=self.k,
            budget_tokens=self.budget_tokens,
            indexes=None if self.indexes is None else tuple(self.indexes),
            filters=None if self.filters is None else self.filters.inner(),
        )


def image_source(record_id: str | None, image_base64: str | None) -> ImageSource | RecordSource:
    """Return the one image that a request names.

    Raises
    ------
    QueryError
        None or two are named, or the base64 is broken.
    """
    if (record_id is None) == (image_base64 is None):
        raise QueryError("Give either record_id or image_base64.", remedy="Exactly one of them.")
    if image_base64 is None:
        return RecordSource(str(record_id))
    return ImageSource(decode_file(image_base64, "image_base64"))


def decode_file(encoded: str, name: str) -> bytes:
    """Return the bytes of a file that was sent as base64, or as a data URL, in the field `name`.

    Raises
    ------
    QueryError
        It is neither.
    """
    _, comma, rest = encoded.partition(",")  # data:image/png;base64,....
    try:
        return base64.b64decode(rest if comma else encoded, validate=True)
    except ValueError:
        raise QueryError(f"{name} is not valid base64.", remedy="Encode the file.") from None


def question_source(query: str | None, record_id: str | None) -> TextSource | RecordSource:
    """Return the one question that a request asks.

    Raises
    ------
    QueryError
        None or two are asked.
    """
    if (query is None) == (record_id is None):
        raise QueryError("Give either query or record_id.", remedy="Exactly one of them.")
    return TextSource(query) if query is not None else RecordSource(str(record_id))

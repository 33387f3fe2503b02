"""Filters as clients send them: the grammar of OpenAI's vector stores."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from service.retrieval.filters import Combination, Comparison, Filter

FILTER_EXAMPLE = {
    "type": "and",
    "filters": [
        {"type": "eq", "key": "modality", "value": "CT"},
        {"type": "gte", "key": "age_years", "value": 60},
    ],
}

Scalar: TypeAlias = (
    StrictBool | StrictInt | StrictFloat | Annotated[StrictStr, Field(max_length=512)]
)


class Request(BaseModel):
    """What a client sends: unknown fields are refused, and so are NaN and infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ValueFilter(Request):
    """Compares a field with one value."""

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte"]
    key: Annotated[str, Field(max_length=64)]
    value: Scalar

    def inner(self) -> Filter:
        """Return the filter that retrieval understands."""
        return Comparison(self.key, self.type, self.value)


class ListFilter(Request):
    """Compares a field with several values."""

    type: Literal["in", "nin"]
    key: Annotated[str, Field(max_length=64)]
    value: Annotated[list[Scalar], Field(max_length=1000)]

    def inner(self) -> Filter:
        """Return the filter that retrieval understands."""
        return Comparison(self.key, self.type, tuple(self.value))


class CompoundFilter(Request):
    """Joins filters: all of them (`and`) or any of them (`or`)."""

    type: Literal["and", "or"]
    filters: Annotated[list["AnyFilter"], Field(max_length=64)]

    def inner(self) -> Filter:
        """Return the filter that retrieval understands."""
        return Combination(self.type, tuple(part.inner() for part in self.filters))


AnyFilter: TypeAlias = Annotated[
    ValueFilter | ListFilter | CompoundFilter, Field(discriminator="type")
]

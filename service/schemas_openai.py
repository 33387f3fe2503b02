"""What clients of OpenAI's API may send: vector store searches and embeddings.

Field names, limits and defaults are those of OpenAI's API reference (vector stores, embeddings).
"""

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictBool, StrictInt, StrictStr

from indexer.errors import QueryError
from service.filter_schemas import AnyFilter, Request
from service.schemas import decode_file

MOST_RESULTS = 50
_MOST_QUERIES = 16
_DATA_URL = re.compile(r"data:(image|application)/[\w.+-]+;base64,")

QueryText: TypeAlias = Annotated[StrictStr, Field(min_length=1)]


class RankingOptions(Request):
    """How results are ranked; there is one ranker here, whatever its name."""

    ranker: Literal["none", "auto", "default-2024-11-15"] = "auto"
    score_threshold: Annotated[
        float, Field(ge=0, le=1, description="Leave out results whose score is lower.")
    ] = 0.0


class VectorStoreSearch(Request):
    """A search of one index."""

    query: Annotated[
        QueryText | Annotated[list[QueryText], Field(min_length=1, max_length=_MOST_QUERIES)],
        Field(examples=["How is anaphylaxis treated first?"]),
    ]
    filters: AnyFilter | None = None
    max_num_results: Annotated[int, Field(ge=1, le=MOST_RESULTS, strict=True)] = 10
    ranking_options: RankingOptions = RankingOptions()
    rewrite_query: Annotated[
        StrictBool, Field(description="Accepted; queries are searched as they stand.")
    ] = False

    @property
    def texts(self) -> tuple[str, ...]:
        """The queries, of which there is often one."""
        return (self.query,) if isinstance(self.query, str) else tuple(self.query)


class EmbeddingRequest(Request):
    """Texts, and images as data URLs, to embed with a loaded encoder.

    `input_type` is an addition to OpenAI's fields: some encoders embed what is asked otherwise
    than what is found.
    """

    model: Annotated[StrictStr, Field(max_length=128, examples=["minilm"])]
    input: Annotated[
        StrictStr | list[StrictStr] | list[StrictInt] | list[list[StrictInt]],
        Field(
            examples=[["chest CT with contrast"]],
            description="Texts; an image as `data:image/png;base64,...` where the encoder sees "
            "images. Token numbers are refused: they belong to another tokenizer.",
        ),
    ]
    dimensions: Annotated[
        StrictInt | None, Field(description="Refused unless the encoder's own.")
    ] = None
    encoding_format: Literal["float", "base64"] = "float"
    user: Annotated[StrictStr | None, Field(description="Accepted and not kept.")] = None
    input_type: Literal["query", "document"] = "query"

    def contents(self) -> tuple[str | bytes, ...]:
        """Return texts as text, images as the bytes of their files, in the order given.

        Raises
        ------
        QueryError
            There is none, one is empty, they are token numbers, or a data URL is broken.
        """
        given = [self.input] if isinstance(self.input, str) else self.input
        if not given:
            raise QueryError("There is nothing to embed.", remedy="Give at least one text.")
        return tuple(_content(one) for one in given)


def _content(given: object) -> str | bytes:
    if not isinstance(given, str):
        raise QueryError(
            "Token numbers cannot be embedded.",
            remedy="Send texts; in LangChain's OpenAIEmbeddings, check_embedding_ctx_length=False.",
        )
    if not given.strip():
        raise QueryError("A text to embed is empty.", remedy="Leave empty texts out.")
    return decode_file(given, "input") if _DATA_URL.match(given) else given

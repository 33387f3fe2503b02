"""The shapes of replies to clients of OpenAI's API, as its reference documents them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from service.reply_schemas import NoteReply


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FileCountsReply(_Reply):
    """Records by what became of them: `failed` are rows that could not be read."""

    cancelled: int
    completed: int
    failed: int
    in_progress: int
    total: int


class VectorStoreReply(_Reply):
    """A published index."""

    id: str
    object: Literal["vector_store"]
    created_at: int
    name: str
    usage_bytes: int
    file_counts: FileCountsReply
    status: Literal["completed"]
    expires_after: None
    expires_at: None
    last_active_at: int
    metadata: dict[str, str]


class VectorStoresReply(_Reply):
    """Published indexes, a page at a time."""

    object: Literal["list"]
    data: list[VectorStoreReply]
    first_id: str | None
    last_id: str | None
    has_more: bool


class ContentReply(_Reply):
    """A record's text."""

    type: Literal["text"]
    text: str


class SearchResultReply(_Reply):
    """A record that was found. `score`: see the route."""

    file_id: str
    filename: str
    score: float
    attributes: dict[str, str | float | bool]
    content: list[ContentReply]


class SearchResultsReply(_Reply):
    """Records, best first. `notes` are an addition: what a reader of the results should know."""

    object: Literal["vector_store.search_results.page"]
    search_query: list[str]
    data: list[SearchResultReply]
    has_more: Literal[False]
    next_page: None
    notes: list[NoteReply]


class EmbeddingReply(_Reply):
    """One unit vector: numbers, or the base64 of little-endian float32."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class UsageReply(_Reply):
    """Tokens of the texts, estimated on the high side; images count none."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsReply(_Reply):
    """Embeddings in the order of the input."""

    object: Literal["list"]
    data: list[EmbeddingReply]
    model: str
    usage: UsageReply


class OpenAiErrorBody(_Reply):
    """Why there is no answer; `remedy` is an addition: what to do about it."""

    message: str
    type: Literal["invalid_request_error", "rate_limit_error", "server_error"]
    param: str | None
    code: str
    remedy: str


class OpenAiErrorReply(_Reply):
    """An error in the envelope that OpenAI's clients open."""

    error: OpenAiErrorBody

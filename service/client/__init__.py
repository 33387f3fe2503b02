"""A typed client of a medsearch service; needs httpx and nothing else.

    with Client("http://127.0.0.1:8000") as client:
        for hit in client.search_questions("How is anaphylaxis treated first?", k=3).hits:
            print(hit.record_id, hit.answer)

`AsyncClient` has the same methods to await. Retrievers for LangChain and LlamaIndex are in
`langchain` and `llamaindex`. Importable as `medsearch_client` (its own distribution, see
pyproject.toml beside this file) and as `service.client`.
"""

from .async_client import AsyncClient
from .client import Client
from .errors import (
    BadQueryError,
    ClientError,
    NotFoundError,
    NotReadyError,
    RateLimitedError,
    RefusedError,
    ReplyError,
    ServerError,
    TimedOutError,
    TooLargeError,
    UnauthorisedError,
    UndecodableError,
    UnreachableError,
)
from .options import PromptOptions, SearchOptions
from .replies import (
    Citation,
    Evidence,
    FacetCount,
    Hit,
    Index,
    Message,
    Note,
    Prompt,
    Record,
    SearchReply,
)

__all__ = [
    "AsyncClient",
    "BadQueryError",
    "Citation",
    "Client",
    "ClientError",
    "Evidence",
    "FacetCount",
    "Hit",
    "Index",
    "Message",
    "NotFoundError",
    "NotReadyError",
    "Note",
    "Prompt",
    "PromptOptions",
    "RateLimitedError",
    "Record",
    "RefusedError",
    "ReplyError",
    "SearchOptions",
    "SearchReply",
    "ServerError",
    "TimedOutError",
    "TooLargeError",
    "UnauthorisedError",
    "UndecodableError",
    "UnreachableError",
]

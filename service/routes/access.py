"""How a route reaches the running service."""

from typing import Any

from starlette.requests import Request

from indexer.errors import QueryError
from service.reply_schemas import ErrorReply
from service.running import RunningService
from service.settings import Settings

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorReply, "description": description}
    for status, description in (
        (404, "Unknown index or record."),
        (413, "Larger than this service accepts."),
        (422, "Not valid: an unknown field, value or filter included."),
        (503, "Not ready, or an index does not fit its encoder."),
    )
}
IMAGE_ERRORS = ERRORS | {415: {"model": ErrorReply, "description": "Not a readable image."}}


def service_of(request: Request) -> RunningService:
    """Return the service that a request is addressed to."""
    service: RunningService = request.app.state.service
    return service


def check_limits(settings: Settings, *, k: int, text: str | None, offset: int = 0) -> None:
    """Hold a query to the operator's limits.

    Raises
    ------
    QueryError
        It asks for too many hits, or too far down; or its text is too long or blank.
    """
    if k > settings.max_k:
        raise QueryError("k is too large.", remedy=f"Ask for at most {settings.max_k}.")
    if offset > settings.max_offset:
        raise QueryError(
            "offset is too large.",
            remedy=f"At most {settings.max_offset} hits are skipped; narrow the search by filters.",
        )
    if text is None:
        return
    if len(text) > settings.max_query_chars:
        raise QueryError(
            "The query is too long.", remedy=f"At most {settings.max_query_chars} characters."
        )
    if not text.strip():
        raise QueryError("The query is empty.", remedy="Give some words to search for.")

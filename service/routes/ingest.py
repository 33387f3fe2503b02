"""Where a PACS announces what has come, so that it is found within a minute."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import Response

from service.errors import IngestClosedError
from service.ingest import Ingest
from service.json_response import JsonResponse
from service.reply_schemas import ErrorReply
from service.reply_schemas_ingest import IngestReply
from service.routes.access import ERRORS, service_of
from service.routes.examples import INGEST_EXAMPLES, INGEST_REPLY
from service.schemas_ingest import IngestRequest

router = APIRouter(prefix="/v1/ingest", tags=["ingest"])

_CLOSED: dict[int | str, dict[str, Any]] = {
    403: {
        "model": ErrorReply,
        "description": "The key is not valid, or this service takes nothing in.",
    }
}


@router.post(
    "/study",
    status_code=202,
    response_model=IngestReply,
    responses=_CLOSED | {422: ERRORS[422], 503: ERRORS[503]},
)
async def ingest_study(
    request: Request, body: Annotated[IngestRequest, Body(openapi_examples=INGEST_EXAMPLES)]
) -> Response:
    """Put a study in the line to be mirrored and indexed, or removed if it was deleted."""
    ingest = _ingest_of(request)
    ingest.add(body.uid)
    return JsonResponse(ingest.status(), 202)


@router.post(
    "/archive", status_code=202, response_model=IngestReply, responses=_CLOSED | {503: ERRORS[503]}
)
async def ingest_archive(request: Request) -> Response:
    """Compare all that the PACS lists, as after a deletion, of which Orthanc tells no UID."""
    ingest = _ingest_of(request)
    ingest.add_everything()
    return JsonResponse(ingest.status(), 202)


@router.get("", response_model=IngestReply, responses=INGEST_REPLY | _CLOSED)
async def show_ingest(request: Request) -> Response:
    """Show what waits, what runs, and how the last run ended."""
    return JsonResponse(_ingest_of(request).status())


def _ingest_of(request: Request) -> Ingest:
    """Return the service's line.

    Raises
    ------
    IngestClosedError
        It has none.
    """
    ingest = service_of(request).ingest
    if ingest is None:
        raise IngestClosedError(
            "This service takes nothing in.",
            remedy="Its operator sets MEDSEARCH_API_KEYS, MEDSEARCH_PACS_URL and "
            "MEDSEARCH_PACS_MIRROR.",
        )
    return ingest

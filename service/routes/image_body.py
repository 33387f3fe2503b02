"""The body of an image search: a form with files, or JSON with a record id or base64."""

from starlette.requests import Request

from service.retrieval.query import SeriesSource, Source
from service.retrieval.series_slices import source_of_file
from service.routes.uploads import describe_body, read_body
from service.schemas import ImageOptions, ImageSearch

IMAGE_BODY = describe_body(
    ImageOptions,
    '{"k": 5, "group_by": "case"}',
    ImageSearch,
    {
        "record": {
            "summary": "Images like an indexed one",
            "value": {"record_id": "mura/valid/patient00011:study1:image1", "k": 5},
        },
        "study": {
            "summary": "Studies like an indexed one",
            "value": {"study_id": "mura:patient00011:study1", "group_by": "study"},
        },
        "base64": {
            "summary": "Images like one sent along",
            "value": {"image_base64": "iVBORw0KGgo...", "group_by": "case"},
        },
    },
)


async def read_image_search(request: Request) -> tuple[Source, ImageOptions]:
    """Read an image search from a form or from JSON.

    Raises
    ------
    QueryError, RequestValidationError, HTTPException
        The body is broken, or is neither.
    """
    body = await read_body(request, ImageOptions, ImageSearch)
    if isinstance(body, ImageSearch):
        return body.source(), body
    files, options = body
    return source_of_file(files[0]) if len(files) == 1 else SeriesSource(tuple(files)), options

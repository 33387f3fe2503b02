"""Single records and their thumbnails."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from indexer.errors import RecordNotFoundError
from indexer.pixels.ct_windows import WINDOW_FIELDS, WindowName
from service.json_response import dump_json
from service.replies import case_json, record_json
from service.reply_schemas import CaseReply, RecordReply
from service.retrieval.cases import read_case
from service.retrieval.selection import find_record
from service.routes.access import ERRORS, service_of
from service.routes.examples import CASE_REPLY, RECORD_REPLY, THUMBNAIL_REPLY

router = APIRouter(prefix="/v1/records", tags=["records"])

# An id is dataset/split/native_id, always three parts; so what ends in /thumbnail is no riddle.
Part = Annotated[str, Path(max_length=512)]
_CACHE_CONTROL = "private, max-age=3600"


@router.get(
    "/{dataset}/{split}/{native_id}", response_model=RecordReply, responses=RECORD_REPLY | ERRORS
)
async def show_record(
    request: Request,
    dataset: Annotated[str, Path(max_length=512, examples=["mura"])],
    split: Annotated[str, Path(max_length=512, examples=["valid"])],
    native_id: Annotated[str, Path(max_length=512, examples=["patient00011:study1:image1"])],
) -> Response:
    """Show one record."""
    service = service_of(request)
    snapshot = service.opened.indexes.snapshot()

    def read() -> bytes:
        reader, row = find_record(f"{dataset}/{split}/{native_id}", snapshot)
        return dump_json(record_json(reader.record(row), reader.name, service.viewer))

    return Response(await service.run(read), media_type="application/json")


@router.get(
    "/{dataset}/{split}/{native_id}/thumbnail",
    response_class=Response,
    responses=THUMBNAIL_REPLY | ERRORS,
)
async def show_thumbnail(
    request: Request,
    dataset: Part,
    split: Part,
    native_id: Part,
    window: Annotated[
        WindowName | None,
        Query(description="A CT slice in this window; `/case` names those that it has."),
    ] = None,
) -> Response:
    """Show an image record as a small JPEG."""
    service = service_of(request)
    snapshot = service.opened.indexes.snapshot()

    def read() -> bytes:
        reader, row = find_record(f"{dataset}/{split}/{native_id}", snapshot)
        if window is not None:
            field = next(name for name, one in WINDOW_FIELDS.items() if one == window)
            thumbnail = reader.field_thumbnail(field, row)
            remedy = "Ask for the thumbnail without a window; its case names the windows."
        else:
            thumbnail = reader.thumbnail(row)
            remedy = "Ask for the record itself."
        if thumbnail is None:
            raise RecordNotFoundError("The record has no such image.", remedy=remedy)
        return thumbnail

    headers = {"Cache-Control": _CACHE_CONTROL}
    return Response(await service.run(read), media_type="image/jpeg", headers=headers)


@router.get(
    "/{dataset}/{split}/{native_id}/case",
    response_model=CaseReply,
    responses=CASE_REPLY | ERRORS,
)
async def show_case(request: Request, dataset: Part, split: Part, native_id: Part) -> Response:
    """List the records of the same case (patient, study, article), slices in their order."""
    service = service_of(request)
    opened = service.opened
    snapshot = opened.indexes.snapshot()

    def read() -> bytes:
        reader, row = find_record(f"{dataset}/{split}/{native_id}", snapshot)
        case = read_case(reader, opened.columns.of(reader), row)
        return dump_json(case_json(case, reader.name))

    return Response(await service.run(read), media_type="application/json")

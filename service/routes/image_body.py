"""The body of an image search: a form with a file, or JSON with a record id or base64."""

from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from indexer.errors import QueryError
from service.retrieval.query import SeriesSource, Source
from service.retrieval.series_slices import source_of_file
from service.schemas import ImageOptions, ImageSearch

_MAX_PARAMS_BYTES = 64 * 1024
_MAX_FILES = 2000


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return a model's JSON schema; the types inside it are among the other routes' components."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return schema


IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": "PNG, JPEG, TIFF, WebP or DICOM. Several parts of this "
                            "name, or a zip archive, are the files of one series or study.",
                        },
                        "params": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "contentSchema": _schema(ImageOptions),
                            "description": "Options as JSON.",
                        },
                    },
                },
                "example": {"file": "(binary)", "params": '{"k": 5, "group_by": "case"}'},
            },
            "application/json": {
                "schema": _schema(ImageSearch),
                "examples": {
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
            },
        },
    }
}


async def read_image_search(request: Request) -> tuple[Source, ImageOptions]:
    """Read an image search from a form or from JSON.

    Raises
    ------
    QueryError, RequestValidationError, HTTPException
        The body is broken, or is neither.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if content_type == "multipart/form-data":
        return await _read_form(request)
    if content_type == "application/json":
        body = _parse(ImageSearch, await request.body())
        return body.source(), body
    raise HTTPException(415)


async def _read_form(request: Request) -> tuple[Source, ImageOptions]:
    if not (await request.body()).rstrip().endswith(b"--"):
        raise HTTPException(400)  # cut short: the parser would take what came for the whole file
    try:
        form = await request.form(
            max_files=_MAX_FILES, max_fields=1, max_part_size=_MAX_PARAMS_BYTES
        )
    except (ValueError, LookupError):
        # An odd charset or boundary makes the parser stumble over its own feet.
        raise HTTPException(400) from None
    try:
        return await _read_parts(form)
    finally:
        await form.close()


async def _read_parts(form: FormData) -> tuple[Source, ImageOptions]:
    parts, params = form.getlist("file"), form.get("params", "{}")
    uploads = [part for part in parts if isinstance(part, UploadFile)]
    if not uploads or len(uploads) < len(parts) or not set(form) <= {"file", "params"}:
        raise QueryError(
            "The form must have a part named file, or several, and may have one named params.",
            remedy="Send images as file parts; options as JSON in params.",
        )
    if isinstance(params, UploadFile):
        raise QueryError("params must be a plain part.", remedy="Send it without a file name.")
    options = _parse(ImageOptions, params.encode("utf-8", "surrogatepass"))
    if len(uploads) == 1:
        return source_of_file(await uploads[0].read()), options
    return SeriesSource(tuple([await one.read() for one in uploads])), options


def _parse(model: type[ImageOptions], raw: bytes) -> Any:
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=True)
        raise RequestValidationError(problems) from None

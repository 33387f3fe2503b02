"""Bodies that bring files: a form with `file` parts and options, or JSON."""

from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from indexer.errors import QueryError

_MAX_PARAMS_BYTES = 64 * 1024
_MAX_FILES = 2000


Options = TypeVar("Options", bound=BaseModel)
Body = TypeVar("Body", bound=BaseModel)


class _ParserInMemory(MultiPartParser):
    """Keeps files in memory, as the body is already: people's scans are not written to disk."""

    spool_max_size = 0  # as SpooledTemporaryFile reads it: never


def describe_body(
    options: type[BaseModel], params: str, body: type[BaseModel], examples: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what OpenAPI says of such a body; `params` is an example of the form's options."""
    properties = {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "PNG, JPEG, TIFF, WebP or DICOM. Several parts of this name, or a zip "
            "archive, are the files of one series or study.",
        },
        "params": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": _schema(options),
            "description": "Options as JSON.",
        },
    }
    form = {"type": "object", "required": ["file"], "properties": properties}
    content = {
        "multipart/form-data": {
            "schema": form,
            "example": {"file": "(binary)", "params": params},
        },
        "application/json": {"schema": _schema(body), "examples": dict(examples)},
    }
    return {"requestBody": {"required": True, "content": content}}


async def read_body(
    request: Request, options: type[Options], body: type[Body]
) -> tuple[list[bytes], Options] | Body:
    """Return the files and options of a form, or what JSON says.

    Raises
    ------
    QueryError, RequestValidationError, HTTPException
        The body is broken, or is neither.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if content_type == "multipart/form-data":
        return await _read_form(request, options)
    if content_type == "application/json":
        return _parse(body, await request.body())
    raise HTTPException(415)


async def _read_form(request: Request, options: type[Options]) -> tuple[list[bytes], Options]:
    if not (await request.body()).rstrip().endswith(b"--"):
        raise HTTPException(400)  # cut short: the parser would take what came for the whole file
    parser = _ParserInMemory(
        request.headers,
        request.stream(),
        max_files=_MAX_FILES,
        max_fields=1,
        max_part_size=_MAX_PARAMS_BYTES,
    )
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError, LookupError):
        # An odd charset or boundary makes the parser stumble over its own feet.
        raise HTTPException(400) from None
    try:
        return await _read_parts(form, options)
    finally:
        await form.close()


async def _read_parts(form: FormData, options: type[Options]) -> tuple[list[bytes], Options]:
    parts, params = form.getlist("file"), form.get("params", "{}")
    uploads = [part for part in parts if isinstance(part, UploadFile)]
    if not uploads or len(uploads) < len(parts) or not set(form) <= {"file", "params"}:
        raise QueryError(
            "The form must have a part named file, or several, and may have one named params.",
            remedy="Send images as file parts; options as JSON in params.",
        )
    if isinstance(params, UploadFile):
        raise QueryError("params must be a plain part.", remedy="Send it without a file name.")
    chosen = _parse(options, params.encode("utf-8", "surrogatepass"))
    return [await one.read() for one in uploads], chosen


def _parse(model: type[Options], raw: bytes) -> Options:
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=True)
        raise RequestValidationError(problems) from None


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return a model's JSON schema; the types inside it are among the other routes' components."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return schema

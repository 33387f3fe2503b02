"""Errors on the wire: {code, message, remedy}, with the HTTP status that each kind means.

No body repeats what the client sent, and none shows a stack trace: the text of a query can be a
patient's complaint, and bodies end up in other people's logs.
"""

import logging
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from indexer.errors import (
    DecodeError,
    EncoderError,
    IndexNotFoundError,
    LimitExceededError,
    MapNotFoundError,
    MedsearchError,
    QueryError,
    RecordNotFoundError,
    StoreError,
    UnknownNameError,
)
from service.json_response import JsonResponse
from service.prompting.llm import LlmFailedError, LlmNotConfiguredError, LlmTimeoutError
from service.prompting.template_set import TemplateBrokenError

LOGGER = logging.getLogger("medsearch.service")


class IngestClosedError(MedsearchError):
    """Nothing of a PACS is taken in here."""

    code = "ingest_closed"


# The nearest class in an error's line of ancestors decides.
STATUSES: Mapping[type[MedsearchError], int] = MappingProxyType(
    {
        QueryError: 422,
        RecordNotFoundError: 404,
        UnknownNameError: 404,
        IndexNotFoundError: 404,
        MapNotFoundError: 404,
        DecodeError: 415,
        LimitExceededError: 413,
        EncoderError: 503,
        StoreError: 503,
        TemplateBrokenError: 503,
        LlmNotConfiguredError: 503,
        LlmFailedError: 502,
        LlmTimeoutError: 504,
        IngestClosedError: 403,
    }
)
_CODES: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        400: ("bad_request", "The request could not be read."),
        401: ("unauthorised", "An API key is needed."),
        403: ("forbidden", "The API key is not valid."),
        404: ("not_found", "There is nothing at this address."),
        405: ("method_not_allowed", "This address does not take that method."),
        413: ("too_large", "The request is larger than this service accepts."),
        415: ("unsupported_media_type", "The content type is not one that this route takes."),
        422: ("bad_query", "The request is not valid."),
        503: ("not_ready", "The service is not ready."),
    }
)
_INTERNAL: Mapping[str, str] = MappingProxyType(
    {
        "code": "internal",
        "message": "Something went wrong on the server.",
        "remedy": "Report the request's id.",
    }
)
_MAX_DETAILS = 20
# Not there now, and not in a moment either: nobody should wait for these.
_LASTING = frozenset({LlmNotConfiguredError.code, TemplateBrokenError.code})
FIELDS = (
    "query", "question", "record_id", "image_base64", "k", "indexes", "filters", "group_by",
    "exclude_records", "budget_tokens", "type", "key", "value", "max_num_results",
    "ranking_options", "score_threshold", "ranker", "rewrite_query", "model", "input",
    "dimensions", "encoding_format", "input_type", "user",
    "offset", "group_size", "mode",
    "weights", "positive_records", "negative_records", "exclude_same", "exclude_datasets",
    "exclude_splits", "explain", "rerank", "encoder", "depth", "budget_ms",
    "vector", "field", "values", "study_uid", "series_uid",
    "patient_note", "options", "template", "language", "tokenizer", "images", "text", "answer",
    "receipt", "passages", "number", "template_version", "builds", "searches", "created_at",
    "signature", "receipt_version", "stream", "max_tokens", "temperature",
    "record_ids",
)  # fmt: skip
"""Every field of every request, to suggest from."""


class NotReadyError(MedsearchError):
    """The service is up, but cannot answer yet."""

    code = "not_ready"


class ExtraMissingError(MedsearchError, ImportError):
    """An optional part was asked for, and the packages that it needs are not installed."""

    code = "extra_missing"

    def __init__(self, extra: str) -> None:
        super().__init__(
            f"The packages of the extra {extra!r} are not installed.",
            remedy=f"pip install 'medsearch[{extra}]'",
        )


def error_response(status: int, code: str, message: str, remedy: str = "") -> Response:
    """Return an error as the client sees it."""
    content = {"code": code, "message": message, "remedy": remedy}
    headers = {"Retry-After": "2"} if status == 503 and code not in _LASTING else None
    return JsonResponse(content, status, headers)


def status_of(error: MedsearchError) -> int:
    """Return the HTTP status that an error means: that of its nearest listed ancestor, or 500."""
    if isinstance(error, NotReadyError):
        return 503
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of `app` leave as {code, message, remedy}."""
    app.add_exception_handler(MedsearchError, _on_medsearch_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


def error_content(error: Exception, route: str) -> dict[str, str]:
    """Return what a client may know of an error; an unexpected one is logged, and tells nothing."""
    if isinstance(error, MedsearchError) and status_of(error) != 500:
        return {"code": error.code, "message": error.message, "remedy": error.remedy}
    _log_unexpected(error, route)
    return dict(_INTERNAL)


def unexpected_error_response(error: BaseException, route: str) -> Response:
    """Log an unexpected error, by its type and place only, and return a body that says nothing."""
    _log_unexpected(error, route)
    return JsonResponse(dict(_INTERNAL), 500)


def _log_unexpected(error: BaseException, route: str) -> None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else "unknown"
    LOGGER.error("unexpected %s in %s while serving %s", type(error).__name__, place, route)


async def _on_medsearch_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, MedsearchError):
        raise error
    status = status_of(error)
    if status == 500:
        return unexpected_error_response(error, request.scope["type"])
    return error_response(status, error.code, error.message, error.remedy)


async def _on_http_exception(request: Request, error: Exception) -> Response:  # noqa: ARG001
    if not isinstance(error, HTTPException):
        raise error
    code, message = _CODES.get(error.status_code, ("error", "The request was refused."))
    response = error_response(error.status_code, code, message)
    response.headers.update(error.headers or {})
    return response


async def _on_validation_error(request: Request, error: Exception) -> Response:  # noqa: ARG001
    if not isinstance(error, RequestValidationError):
        raise error
    return validation_response(error.errors())


def validation_response(problems: Sequence[Mapping[str, Any]]) -> Response:
    """Return a 422 that says where the body is wrong without repeating any of it."""
    return JsonResponse(validation_content(problems), 422)


def validation_content(problems: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return where a request is wrong, as an error without any of the client's words."""
    details = [_detail(problem) for problem in problems[:_MAX_DETAILS]]
    return {
        "code": "bad_query",
        "message": "The request is not valid: see details.",
        "remedy": "Each detail says where and what is expected; /docs has an example.",
        "details": details,
    }


def _detail(problem: Mapping[str, Any]) -> dict[str, str]:
    """Return where and what; the names of unknown fields and tags are the client's own words."""
    path = [str(part) for part in problem.get("loc", ()) if part != "body"]
    message = str(problem["msg"])
    match problem["type"]:
        case "extra_forbidden":
            near = get_close_matches(path.pop(), FIELDS, n=1)
            message = "There is an unknown field."
            message += f" Did you mean {near[0]!r}?" if near else f" Known: {', '.join(FIELDS)}."
        case "union_tag_invalid":
            message = f"The type must be one of {problem['ctx']['expected_tags']}."
    return {"where": ".".join(path), "problem": message}

"""The three searches: images by words, images by image, questions by question."""

from typing import Annotated

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import Response

from service.answering import answer
from service.json_response import dump_json
from service.replies import search_json
from service.reply_schemas import SearchReplyBody
from service.retrieval.query import Query, TextSource
from service.routes.access import ERRORS, IMAGE_ERRORS, check_limits, service_of
from service.routes.examples import QUESTION_EXAMPLES, TEXT_EXAMPLES
from service.routes.image_body import IMAGE_BODY, read_image_search
from service.running import RunningService
from service.schemas import QuestionSearch, TextSearch

router = APIRouter(prefix="/v1/search", tags=["search"])


@router.post("/text", response_model=SearchReplyBody, responses=ERRORS)
async def search_by_text(
    request: Request, body: Annotated[TextSearch, Body(openapi_examples=TEXT_EXAMPLES)]
) -> Response:
    """Find images for words: by what they show, by what their captions mean and say."""
    service = service_of(request)
    check_limits(service.settings, k=body.k, offset=body.offset, text=body.query_text)
    return await _answer(service, body.query("images", TextSource(body.query_text)))


@router.post("/questions", response_model=SearchReplyBody, responses=ERRORS)
async def search_questions(
    request: Request, body: Annotated[QuestionSearch, Body(openapi_examples=QUESTION_EXAMPLES)]
) -> Response:
    """Find questions with their answers that are like a question, in English or Chinese."""
    service = service_of(request)
    source = body.source()
    check_limits(service.settings, k=body.k, offset=body.offset, text=body.query_text)
    return await _answer(service, body.query("questions", source))


@router.post(
    "/image", response_model=SearchReplyBody, responses=IMAGE_ERRORS, openapi_extra=IMAGE_BODY
)
async def search_by_image(request: Request) -> Response:
    """Find images like an uploaded file, like one sent as base64, or like an indexed record."""
    service = service_of(request)
    source, options = await read_image_search(request)
    check_limits(service.settings, k=options.k, offset=options.offset, text=options.query_text)
    return await _answer(service, options.query("images", *options.sources(source)))


async def _answer(service: RunningService, query: Query) -> Response:
    """Search on the service's threads and write the reply there too."""
    content = await answer(
        service, [query], lambda replies: dump_json(search_json(replies[0], service.viewer))
    )
    return Response(content, media_type="application/json")

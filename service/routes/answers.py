"""Answers of a configured language model, with their citations already checked."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from indexer.errors import MedsearchError
from indexer.text.normalise import split_thoughts
from service.errors import error_content
from service.json_response import JsonResponse, dump_json
from service.prompting.llm import Llm, LlmFailedError, LlmNotConfiguredError, Piece
from service.prompting.request import Prompt
from service.replies_prompts import messages_json, prompt_json, verification_json
from service.reply_schemas import ErrorReply
from service.reply_schemas_prompts import AnswererReply, AnswerReply
from service.routes.access import IMAGE_ERRORS, service_of
from service.routes.examples import ANSWER_EXAMPLES, ANSWERER_REPLY
from service.routes.prompts import check_prompt
from service.running import RunningService
from service.schemas_prompts import AnswerBody

router = APIRouter(tags=["prompts"])

Result = TypeVar("Result")
_CLIENT_GONE = 499  # nobody reads it: nginx's number for the log
_ERRORS: dict[int | str, dict[str, Any]] = IMAGE_ERRORS | {
    502: {"model": ErrorReply, "description": "The language model's server failed."},
    504: {"model": ErrorReply, "description": "The language model's server was too slow."},
}


class _ClientGoneError(Exception):
    """Whoever asked has hung up."""


@router.get("/v1/answers", response_model=AnswererReply, responses=ANSWERER_REPLY)
async def show_answerer(request: Request) -> Response:
    """Say which language model answers here; null if none is configured."""
    service = service_of(request)
    model = service.settings.llm_model if service.llm is not None else None
    return JsonResponse({"model": model})


@router.post("/v1/answers", response_model=AnswerReply, responses=_ERRORS)
async def answer_question(
    request: Request, body: Annotated[AnswerBody, Body(openapi_examples=ANSWER_EXAMPLES)]
) -> Response:
    """Let the configured language model answer from indexed passages; off until one is configured.

    With `stream`, server-sent events: `prompt`, many `delta` {text}, then `done` or `error`.
    """
    service = service_of(request)
    llm = _llm_of(service)
    check_prompt(service.settings, body)
    wanted = body.request(service.settings.llm_tokenizer)
    prompter = service.searching.prompter
    try:
        prompt = await _unless_gone(request, service.run(lambda: prompter.write(wanted)))
        pieces = llm.stream(messages_json(prompt), body.sampling())
        # Waiting for the first piece lets what fails at once be told by a status.
        first = await _unless_gone(request, anext(pieces))
        if body.stream:
            events = _events(service, prompt, first, pieces)
            return StreamingResponse(events, media_type="text/event-stream")
        async with aclosing(pieces):
            done = await _unless_gone(request, _finish(service, prompt, first, pieces))
    except _ClientGoneError:
        return Response(status_code=_CLIENT_GONE)
    reply = done | {"prompt": prompt_json(prompt)}
    return Response(dump_json(reply), media_type="application/json")


def _llm_of(service: RunningService) -> Llm:
    if service.llm is None:
        raise LlmNotConfiguredError(
            "No language model is configured.",
            remedy="Set MEDSEARCH_LLM_URL and MEDSEARCH_LLM_MODEL, or give the prompt of "
            "/v1/prompts to a model of your own.",
        )
    return service.llm


async def _events(
    service: RunningService, prompt: Prompt, first: Piece, pieces: AsyncGenerator[Piece, None]
) -> AsyncIterator[bytes]:
    """Yield server-sent events; closing ends the model's request, too."""
    try:
        yield _event("prompt", prompt_json(prompt))
        said: list[Piece] = []
        piece: Piece | None = first
        while piece is not None:
            said.append(piece)
            if piece.text:
                yield _event("delta", {"text": piece.text})
            piece = await anext(pieces, None)
        yield _event("done", await _checked(service, prompt, said))
    except MedsearchError as error:
        yield _event("error", error_content(error, "http"))
    finally:
        await pieces.aclose()


async def _finish(
    service: RunningService, prompt: Prompt, first: Piece, pieces: AsyncGenerator[Piece, None]
) -> dict[str, Any]:
    return await _checked(service, prompt, [first, *[piece async for piece in pieces]])


async def _checked(service: RunningService, prompt: Prompt, said: list[Piece]) -> dict[str, Any]:
    """Return the answer without the model's thoughts, with its citations checked."""
    _, answer = split_thoughts("".join(piece.text for piece in said))
    if not answer:
        raise LlmFailedError(
            "The language model thought, and ended without an answer.",
            remedy="Allow more max_tokens.",
        )
    verifier = service.opened.verifier
    found = await service.run(lambda: verifier.verify(answer, prompt.receipt))
    return {
        "answer": answer,
        "finish_reason": said[-1].finish_reason,
        "model": service.settings.llm_model,
        "verification": verification_json(found),
    }


def _event(name: str, content: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), dump_json(content))


async def _unless_gone(request: Request, work: Awaitable[Result]) -> Result:
    """Await work, but drop it as soon as the client hangs up."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_hang_up(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise _ClientGoneError
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

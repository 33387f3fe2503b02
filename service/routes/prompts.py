"""Retrieval-augmented prompts."""

from typing import Annotated

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import Response

from indexer.errors import QueryError
from service.json_response import dump_json
from service.replies_prompts import prompt_json, verification_json
from service.reply_schemas_prompts import PromptReply, VerificationReply
from service.routes.access import ERRORS, IMAGE_ERRORS, check_limits, service_of
from service.routes.examples import PROMPT_EXAMPLES, VERIFY_EXAMPLES
from service.schemas_prompts import PromptBody, VerifyBody
from service.settings import Settings

router = APIRouter(tags=["prompts"])


@router.post("/v1/prompts", response_model=PromptReply, responses=IMAGE_ERRORS)
async def write_prompt(
    request: Request, body: Annotated[PromptBody, Body(openapi_examples=PROMPT_EXAMPLES)]
) -> Response:
    """Write a prompt for a language model: numbered, fenced passages within a token budget."""
    service = service_of(request)
    check_prompt(service.settings, body)
    prompter = service.searching.prompter

    def write() -> bytes:
        return dump_json(prompt_json(prompter.write(body.request())))

    return Response(await service.run(write), media_type="application/json")


def check_prompt(settings: Settings, body: PromptBody) -> None:
    """Hold a prompt to the operator's limits.

    Raises
    ------
    QueryError
        As `check_limits`, or the budget is larger than allowed.
    """
    check_limits(settings, k=body.k, text=body.question)
    most = settings.max_prompt_tokens
    if body.budget_tokens > most:
        raise QueryError("budget_tokens is too large.", remedy=f"Ask for at most {most}.")


@router.post("/v1/prompts/verify", response_model=VerificationReply, responses=ERRORS)
async def verify_answer(
    request: Request, body: Annotated[VerifyBody, Body(openapi_examples=VERIFY_EXAMPLES)]
) -> Response:
    """Check an answer's citations against the receipt of its prompt: a heuristic."""
    service = service_of(request)
    verifier = service.opened.verifier

    def verify() -> bytes:
        found = verifier.verify(body.answer, body.receipt.receipt())
        return dump_json(verification_json(found))

    return Response(await service.run(verify), media_type="application/json")

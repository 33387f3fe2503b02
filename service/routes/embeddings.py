"""Embeddings of texts and images by the loaded encoders, in OpenAI's shape."""

from typing import Annotated

from fastapi import APIRouter, Body
from starlette.requests import Request
from starlette.responses import Response

from indexer.errors import LimitExceededError, QueryError
from service.embedding import Model
from service.json_response import dump_json
from service.openai_replies import embeddings_json
from service.reply_schemas_openai import EmbeddingsReply
from service.routes.access import check_limits, service_of
from service.routes.examples import EMBEDDING_EXAMPLES
from service.routes.openai_errors import OPENAI_ERRORS
from service.schemas_openai import EmbeddingRequest

router = APIRouter(tags=["OpenAI-compatible"])


@router.post("/v1/embeddings", response_model=EmbeddingsReply, responses=OPENAI_ERRORS)
async def create_embeddings(
    request: Request,
    body: Annotated[EmbeddingRequest, Body(openapi_examples=EMBEDDING_EXAMPLES)],
) -> Response:
    """Embed texts or images: unit vectors of the space that indexes of that encoder live in.

    Models are the encoders that the live indexes were built with (`GET /v1/indexes` names them).
    """
    service = service_of(request)
    contents = body.contents()
    most = service.settings.max_embeddings
    if len(contents) > most:
        raise LimitExceededError("There is too much to embed.", remedy=f"Send at most {most}.")
    texts = [content for content in contents if isinstance(content, str)]
    for text in texts:
        check_limits(service.settings, k=1, text=text)
    opened = service.searching
    model = Model(body.model, opened.indexes.snapshot().values(), opened.encoders)
    if body.dimensions not in {None, model.dim}:
        raise QueryError(
            f"The embeddings have {model.dim} dimensions and cannot be shortened.",
            remedy=f"Leave dimensions out, or give {model.dim}.",
        )

    def work() -> bytes:
        rows = model.embed(contents, body.input_type)
        return dump_json(embeddings_json(body.model, rows, texts, body.encoding_format))

    return Response(await service.run(work), media_type="application/json")

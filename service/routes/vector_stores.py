"""Indexes as OpenAI's vector stores: listed, shown and searched by unchanged OpenAI clients."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query
from starlette.requests import Request
from starlette.responses import Response

from indexer.errors import QueryError, UnknownNameError
from service.answering import answer
from service.json_response import JsonResponse, dump_json
from service.openai_replies import results_json, vector_store_json
from service.reply_schemas_openai import (
    SearchResultsReply,
    VectorStoreReply,
    VectorStoresReply,
)
from service.retrieval.query import Query as RetrievalQuery
from service.retrieval.query import TextSource
from service.retrieval.selection import target_of
from service.routes.access import check_limits, service_of
from service.routes.examples import VECTOR_STORE_EXAMPLES, VECTOR_STORE_REPLY, VECTOR_STORES_REPLY
from service.routes.openai_errors import OPENAI_ERRORS
from service.schemas_openai import VectorStoreSearch

router = APIRouter(prefix="/v1/vector_stores", tags=["OpenAI-compatible"])


@router.get("", response_model=VectorStoresReply, responses=VECTOR_STORES_REPLY | OPENAI_ERRORS)
async def list_vector_stores(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    order: Annotated[Literal["asc", "desc"], Query(description="By time of creation.")] = "desc",
    after: Annotated[str | None, Query(max_length=64, description="Id to go on after.")] = None,
    before: Annotated[str | None, Query(max_length=64, description="Id to stop before.")] = None,
) -> Response:
    """List the published indexes as vector stores."""
    stores = [
        vector_store_json(reader)
        for reader in service_of(request).opened.indexes.snapshot().values()
    ]
    stores.sort(
        key=lambda store: (store["created_at"], store["id"]),  # the id, for builds of one second
        reverse=order == "desc",
    )
    ids = [store["id"] for store in stores]
    start = _position(after, ids) + 1 if after else 0
    end = _position(before, ids) if before else len(ids)
    # A page that ends at `before` holds what stands right in front of it.
    if before and not after:
        start = max(start, end - limit)
    page = stores[start:end][:limit]
    return JsonResponse(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": start > 0 if before and not after else start + len(page) < end,
        }
    )


@router.get("/{index}", response_model=VectorStoreReply, responses=VECTOR_STORE_REPLY)
async def show_vector_store(request: Request, index: str) -> Response:
    """Show one published index as a vector store."""
    snapshot = service_of(request).opened.indexes.snapshot()
    if index not in snapshot:
        raise UnknownNameError("index", index, snapshot)
    return JsonResponse(vector_store_json(snapshot[index]))


@router.post("/{index}/search", response_model=SearchResultsReply, responses=OPENAI_ERRORS)
async def search_vector_store(
    request: Request,
    index: str,
    body: Annotated[VectorStoreSearch, Body(openapi_examples=VECTOR_STORE_EXAMPLES)],
) -> Response:
    """Search one index by words: images of an image index, questions of a text index.

    `score` is 0 to 1 and what `score_threshold` is held against: the blend of cosine and word
    coverage for questions, the best similarity of any ranking for images. Thresholds are
    comparable within one index, not between encoders.
    """
    service = service_of(request)
    for text in body.texts:
        check_limits(service.settings, k=body.max_num_results, text=text)
    snapshot = service.searching.indexes.snapshot()
    if index not in snapshot:
        raise UnknownNameError("index", index, snapshot)
    queries = [
        RetrievalQuery(
            target=target_of(snapshot[index]),
            source=TextSource(text),
            k=body.max_num_results,
            indexes=(index,),
            filters=None if body.filters is None else body.filters.inner(),
        )
        for text in body.texts
    ]
    content = await answer(service, queries, lambda replies: dump_json(results_json(body, replies)))
    return Response(content, media_type="application/json")


def _position(identifier: str, ids: list[str]) -> int:
    if identifier not in ids:
        raise QueryError("No vector store has that id.", remedy=f"Known: {', '.join(ids)}.")
    return ids.index(identifier)

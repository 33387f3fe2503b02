"""A retriever for LlamaIndex. Needs the extra `llamaindex`."""

from typing import Literal, Unpack

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from .async_client import AsyncClient
from .client import Client
from .options import SearchOptions
from .replies import Hit, SearchReply


class MedsearchRetriever(BaseRetriever):
    """Finds answered questions (or images) as LlamaIndex nodes.

    With `target="images"` a query bundle that has an `image_path` is searched by that image, else
    by its words. Without an `async_client`, asynchronous calls block as the others do.
    """

    def __init__(
        self,
        client: Client,
        *,
        async_client: AsyncClient | None = None,
        target: Literal["questions", "images"] = "questions",
        **options: Unpack[SearchOptions],
    ) -> None:
        super().__init__()
        self._client = client
        self._async_client = async_client
        self._target = target
        self._options = options

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        client, options = self._client, self._options
        if self._target == "questions":
            return _nodes(client.search_questions(query_bundle.query_str, **options))
        if query_bundle.image_path is not None:
            return _nodes(client.search_image(query_bundle.image_path, **options))
        return _nodes(client.search_text(query_bundle.query_str, **options))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        client, options = self._async_client, self._options
        if client is None:
            return self._retrieve(query_bundle)
        if self._target == "questions":
            return _nodes(await client.search_questions(query_bundle.query_str, **options))
        if query_bundle.image_path is not None:
            return _nodes(await client.search_image(query_bundle.image_path, **options))
        return _nodes(await client.search_text(query_bundle.query_str, **options))


def _nodes(reply: SearchReply) -> list[NodeWithScore]:
    return [NodeWithScore(node=_node(hit), score=hit.score) for hit in reply.hits]


def _node(hit: Hit) -> TextNode:
    return TextNode(id_=hit.record_id, text=hit.text, metadata=hit.metadata())

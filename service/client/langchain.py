"""A retriever for LangChain. Needs the extra `langchain`."""

from typing import Any, Literal

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from .async_client import AsyncClient
from .client import Client
from .replies import Hit, SearchReply


class MedsearchRetriever(BaseRetriever):
    """Finds answered questions (or images, by words) as LangChain documents.

    `options` go to the service with each search: k, indexes, filters ... Without an
    `async_client`, asynchronous calls run the blocking one on a thread.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    client: Client
    async_client: AsyncClient | None = None
    target: Literal["questions", "images"] = "questions"
    options: dict[str, Any] = Field(default_factory=dict)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 - the base class names it
    ) -> list[Document]:
        client = self.client
        search = client.search_text if self.target == "images" else client.search_questions
        return _documents(search(query, **self.options))

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun
    ) -> list[Document]:
        client = self.async_client
        if client is None:
            return await super()._aget_relevant_documents(query, run_manager=run_manager)
        search = client.search_text if self.target == "images" else client.search_questions
        return _documents(await search(query, **self.options))


def _documents(reply: SearchReply) -> list[Document]:
    return [_document(hit) for hit in reply.hits]


def _document(hit: Hit) -> Document:
    return Document(id=hit.record_id, page_content=hit.text, metadata=hit.metadata())

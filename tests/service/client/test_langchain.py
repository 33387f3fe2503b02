"""LangChain's own machinery over a running service."""

import asyncio

from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda

from service.client import AsyncClient, Client
from service.client.langchain import MedsearchRetriever

QUESTION = "How is anaphylaxis treated first?"


def test_questions_as_documents_in_a_chain(address: str) -> None:
    with Client(address) as client:
        retriever = MedsearchRetriever(client=client, options={"k": 2})
        chain = retriever | RunnableLambda(lambda found: [one.page_content for one in found])
        texts = chain.invoke(QUESTION)
        [first, second] = retriever.invoke(QUESTION)
    assert texts == [first.page_content, second.page_content]
    assert isinstance(first, Document)
    assert first.id == "asked/train/0"
    assert "Answer: With adrenaline into the thigh." in first.page_content
    assert first.metadata["licence"] == "MIT"
    assert first.metadata["score"] > second.metadata["score"]


def test_images_as_documents(address: str) -> None:
    with Client(address) as client:
        retriever = MedsearchRetriever(
            client=client,
            target="images",
            options={"k": 1, "filters": {"type": "eq", "key": "modality", "value": "XR"}},
        )
        [image] = retriever.invoke("grey 31")
    assert image.id == "films/train/31"
    assert image.page_content == "Image: XR, hand\nCaption: grey 31"
    assert image.metadata["thumbnail_url"] == "/v1/records/films/train/31/thumbnail"


def test_awaited_with_and_without_a_client_of_its_own(address: str) -> None:
    async def work() -> list[list[Document]]:
        with Client(address) as client:
            async with AsyncClient(address) as async_client:
                own = MedsearchRetriever(client=client, async_client=async_client)
                borrowed = MedsearchRetriever(client=client)
                return [await one.ainvoke(QUESTION) for one in (own, borrowed)]

    own, borrowed = asyncio.run(work())
    assert own == borrowed
    assert own[0].id == "asked/train/0"

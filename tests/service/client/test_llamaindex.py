"""LlamaIndex's own machinery over a running service."""

import asyncio
from pathlib import Path

from llama_index.core.schema import NodeWithScore, QueryBundle

from service.client import AsyncClient, Client
from service.client.llamaindex import MedsearchRetriever

QUESTION = "How is anaphylaxis treated first?"


def test_questions_as_nodes(address: str) -> None:
    with Client(address) as client:
        [first, second] = MedsearchRetriever(client, k=2).retrieve(QUESTION)
    assert isinstance(first, NodeWithScore)
    assert first.node.node_id == "asked/train/0"
    assert "Answer: With adrenaline into the thigh." in first.node.get_content()
    assert first.node.metadata["licence"] == "MIT"
    assert first.score is not None
    assert second.score is not None
    assert first.score > second.score


def test_images_by_words_or_by_image(address: str, tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    file.write_bytes(b"grey 5")
    with Client(address) as client:
        retriever = MedsearchRetriever(client, target="images", k=1)
        [by_words] = retriever.retrieve("grey 31")
        [by_image] = retriever.retrieve(QueryBundle("", image_path=str(file)))
    assert by_words.node.node_id == "films/train/31"
    assert by_image.node.node_id == "scans/train/5"


def test_awaited_with_and_without_a_client_of_its_own(address: str, tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    file.write_bytes(b"grey 5")
    asked = (
        ("questions", QueryBundle(QUESTION)),
        ("images", QueryBundle("grey 31")),
        ("images", QueryBundle("", image_path=str(file))),
    )

    async def work() -> list[list[str]]:
        with Client(address) as client:
            async with AsyncClient(address) as async_client:
                return [
                    [
                        (await MedsearchRetriever(
                            client, async_client=one, target=target, k=1
                        ).aretrieve(bundle))[0].node.node_id
                        for target, bundle in asked
                    ]
                    for one in (async_client, None)
                ]  # fmt: skip

    own, borrowed = asyncio.run(work())
    assert own == borrowed == ["asked/train/0", "films/train/31", "scans/train/5"]

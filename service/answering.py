"""Runs searches for whoever asks: the routes, and the tools of the MCP server."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from service.retrieval.query import Query
from service.retrieval.reply import SearchReply
from service.running import RunningService

Written = TypeVar("Written")


async def answer(
    service: RunningService,
    queries: Sequence[Query],
    write: Callable[[Sequence[SearchReply]], Written],
) -> Written:
    """Answer queries from one snapshot on the service's threads, write the replies there, count.

    Raises
    ------
    MedsearchError
        As `Retriever.search`; `NotReadyError` while nothing can be searched.
    """
    retriever = service.searching.retriever

    def work() -> tuple[Written, Sequence[SearchReply]]:
        snapshot = retriever.snapshot()
        replies = [retriever.search(query, snapshot) for query in queries]
        return write(replies), replies

    written, replies = await service.run(work)
    for reply in replies:
        service.metrics.count_stages(reply.query.target, dict(reply.stages_ms))
    return written

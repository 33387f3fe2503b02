"""A retriever that finds the same records for every question."""

from collections.abc import Sequence

from indexer.records import AnyRecord
from service.retrieval.hits import Hit, Place
from service.retrieval.query import Query
from service.retrieval.receipt import Receipt
from service.retrieval.reply import SearchReply

RECEIPT = Receipt(
    query_sha256="", query={}, builds={}, encoders=(), hits_sha256="", software="", created_at=""
)


class Canned:
    """A retriever that finds the same records for every question."""

    def __init__(self, records: Sequence[AnyRecord]) -> None:
        self._records = records
        self.selector = self

    def snapshot(self) -> dict[str, object]:
        return {}

    def targets(self, names: object, snapshot: object) -> dict[str, None]:
        return {"questions": None}

    def search(self, query: Query, snapshot: object) -> SearchReply:
        why = {"question": Place(1, 0.9)}
        hits = tuple(
            Hit(rank=rank, score=0.9, index="i", record=record, why=why)
            for rank, record in enumerate(self._records[: query.k], start=1)
        )
        return SearchReply(
            query=query, hits=hits, builds={"i": "b"}, score_kind="cosine", notes=(),
            stages_ms={}, took_ms=0.0, records_allowed=1, legs=(), receipt=RECEIPT,
        )  # fmt: skip

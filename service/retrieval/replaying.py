"""Runs a search again from its receipt: on the same builds, with the same hits, or says why not."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from indexer.encoders.base import Reranker
from indexer.errors import MedsearchError, ReplayError
from indexer.store.publish import named_build
from indexer.store.reader import IndexReader
from service.retrieval.encoding import QueryEncoders
from service.retrieval.exclusions import UNKNOWN_RECORDS
from service.retrieval.query_json import query_of
from service.retrieval.receipt import EncoderStamp, Receipt
from service.retrieval.refining import Refiner
from service.retrieval.reply import SearchReply
from service.retrieval.retriever import Retriever
from service.retrieval.selection import Snapshot


@dataclass(frozen=True, slots=True)
class FixedIndexes:
    """Certain builds, whatever is published meanwhile."""

    builds: Snapshot
    failures: Mapping[str, MedsearchError] = field(default_factory=dict)

    def snapshot(self) -> Snapshot:
        """Return the builds."""
        return self.builds


def open_builds(indexes_dir: Path, builds: Mapping[str, str]) -> Snapshot:
    """Open certain builds, whichever are live.

    Raises
    ------
    IndexNotFoundError
        One of them was deleted.
    CorruptBuildError
        One of them is damaged.
    """
    return {
        name: IndexReader(named_build(indexes_dir / name, build_id))
        for name, build_id in sorted(builds.items())
    }


def replay(
    receipt: Receipt,
    indexes_dir: Path,
    encoders: QueryEncoders,
    images: Sequence[bytes] = (),
    reranker: Callable[[str], Reranker] | None = None,
) -> SearchReply:
    """Return the answer to a receipt's query, which has the hits of that time.

    `images` are the files that the query searched with, in any order. `reranker` gives a loaded one
    by its catalogue key. Reranking ends if it did at the time, however long it takes now; if it did
    not, no reranker is needed. Whether ids in `exclude_records` name anything is not told: only the
    receipt's builds are open.

    Raises
    ------
    QueryError
        An image is missing or is another one.
    IndexNotFoundError, CorruptBuildError
        A build was deleted, or is damaged.
    EncoderError
        An encoder or a reranker is missing, or an encoder is not the one that wrote the builds.
    ReplayError
        Something else took part than at the time, or the hits differ.
    """
    known = {hashlib.sha256(raw).hexdigest(): raw for raw in images}
    query = query_of(receipt.query, known)
    builds = FixedIndexes(open_builds(indexes_dir, receipt.builds))
    refiner = Refiner(reranker, ends=receipt.reranked)
    retriever = Retriever(builds, encoders, refiner=refiner)
    reply = retriever.search(query)
    again = reply.receipt
    if again.encoders != receipt.encoders:
        missing = _names(set(receipt.encoders) - set(again.encoders))
        added = _names(set(again.encoders) - set(receipt.encoders))
        raise ReplayError(
            f"Other embeddings took part than at the time. Missing: {missing}. New: {added}.",
            remedy="Install the encoders of that time: `medsearch encoders` shows which are here. "
            f"The receipt was written by medsearch {receipt.software}, this is {again.software}.",
        )
    if again.hits_sha256 != receipt.hits_sha256:
        raise ReplayError(
            "The hits differ from those of the time, though builds and encoders are the same.",
            remedy=f"The receipt was written by medsearch {receipt.software}, this is "
            f"{again.software}: replay it with that version, on a machine of the same kind.",
        )
    return _without_unknown_records(reply)


def _without_unknown_records(reply: SearchReply) -> SearchReply:
    """Leave out the note on unknown ids: indexes that were not searched may have held them."""
    notes = tuple(note for note in reply.notes if note.code != UNKNOWN_RECORDS)
    return replace(reply, notes=notes)


def _names(stamps: set[EncoderStamp]) -> str:
    found = {f"{one.field} by {one.encoder} ({', '.join(one.indexes)})" for one in stamps}
    return "; ".join(sorted(found)) or "none"

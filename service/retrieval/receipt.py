"""Receipts: what a search was and what it ran on, so that it can be run again with equal hits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from typing import Any

from indexer.errors import QueryError
from indexer.store.reader import IndexReader
from service.retrieval.columns import ColumnCache
from service.retrieval.drafting import Plan
from service.retrieval.hits import Hit
from service.retrieval.late_interaction import SeriesLeg
from service.retrieval.legs import DenseLeg
from service.retrieval.query import Query, RecordSource, StudySource
from service.retrieval.query_json import digest_of, query_values
from service.retrieval.selection import Snapshot, find_record
from service.retrieval.series_slices import rows_of_study

RECEIPT_VERSION = 1
MAX_RECEIPT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderStamp:
    """Which weights wrote a field that took part, and in which indexes."""

    field: str
    encoder: str
    revision: str
    weights_sha256: str
    indexes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A search, to be kept beside its results.

    `query` holds every option and the source itself, save an image, of which it holds the sha256;
    `query_sha256` is the digest of it in canonical JSON. `builds` names the build of each index
    that the hits or the query's own records come from, or that the query names or leaves out.
    `hits_sha256` covers the indexes and record ids of the hits in their order. `software` is
    medsearch's version, `created_at` ISO 8601 (UTC). `reranked` says whether reranking ended in its
    time; None if none was asked for, or if a receipt is from before this was written down.
    """

    query_sha256: str
    query: Mapping[str, Any]
    builds: Mapping[str, str]
    encoders: tuple[EncoderStamp, ...]
    hits_sha256: str
    software: str
    created_at: str
    receipt_version: int = RECEIPT_VERSION
    reranked: bool | None = None

    def values(self) -> dict[str, Any]:
        """Return the receipt as JSON-ready values; of reranking only if there was any."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        if self.reranked is None:
            del values["reranked"]  # programs that do not know it read the others
        return values | {"encoders": [asdict(stamp) for stamp in self.encoders]}

    def to_json(self) -> str:
        """Return the receipt as indented JSON."""
        return json.dumps(self.values(), indent=2) + "\n"


def make_receipt(
    query: Query,
    readers: Sequence[IndexReader],
    everywhere: Snapshot,
    plan: Plan,
    hits: Sequence[Hit],
    *,
    columns: ColumnCache,
    reranked: bool | None = None,
) -> Receipt:
    """Return the receipt of a query that `readers` answered by a plan.

    Indexes from which only the query's own records come are named in it, too, and those that the
    query names or leaves out: to know them again, a replay must have them.
    """
    values = query_values(query)
    homes = [find_record(record_id, everywhere)[0] for record_id in _named_records(query)]
    homes += [
        rows_of_study(one, columns, everywhere)[0]
        for one in query.sources
        if isinstance(one, StudySource)
    ]
    named = [everywhere[name] for name in query.indexes or ()]
    left_out = [
        one for one in everywhere.values() if one.manifest.dataset in query.exclude_datasets
    ]
    return Receipt(
        query_sha256=digest_of(values),
        query=values,
        builds={reader.name: reader.build_id for reader in (*readers, *homes, *named, *left_out)},
        encoders=_stamps(plan, readers),
        hits_sha256=digest_of([[hit.index, hit.record.record_id] for hit in hits]),
        software=_software(),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        reranked=reranked,
    )


def read_receipt(text: str) -> Receipt:
    """Return the receipt that JSON holds, or that a whole reply in JSON holds.

    Raises
    ------
    QueryError
        It is no receipt, was altered since, or is of a version that this program does not read.
    """
    try:
        values = dict(json.loads(text))
        values = dict(values.get("receipt", values))
        found = values["receipt_version"]
        if found == RECEIPT_VERSION:
            stamps = [EncoderStamp(**{**one, "indexes": tuple(one["indexes"])})
                      for one in values["encoders"]]  # fmt: skip
            receipt = Receipt(**{**values, "encoders": tuple(stamps)})
            altered = digest_of(receipt.query) != receipt.query_sha256
            _check_builds(receipt.builds)
            _check_reranked(receipt.reranked)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise QueryError(
            "That is not a receipt of a search.",
            remedy="`medsearch search ... --receipt FILE` writes one.",
        ) from error
    if found != RECEIPT_VERSION:
        raise QueryError(
            f"The receipt is of version {found!r}; this program reads {RECEIPT_VERSION}.",
            remedy="Replay it with the version of medsearch that wrote it.",
        )
    if altered:
        raise QueryError(
            "The receipt's query was altered: its sha256 differs.",
            remedy="Replay the receipt as it was written.",
        )
    return receipt


def _named_records(query: Query) -> list[str]:
    sources = [one.record_id for one in query.sources if isinstance(one, RecordSource)]
    return [*sources, *query.unlike]


def _stamps(plan: Plan, readers: Sequence[IndexReader]) -> tuple[EncoderStamp, ...]:
    """Return one stamp for each encoder and field that a plan compares embeddings of."""
    names: dict[tuple[str, ...], set[str]] = {}
    for leg in plan.legs:
        if isinstance(leg, DenseLeg | SeriesLeg):
            for reader in (readers[member] for member in leg.members):
                stated = reader.manifest.fields[leg.space.field]
                weights = (stated.fingerprint.revision, stated.fingerprint.weights_sha256)
                names.setdefault((leg.space.field, stated.encoder, *weights), set()).add(
                    reader.name
                )
    return tuple(
        EncoderStamp(
            field=field,
            encoder=encoder,
            revision=revision,
            weights_sha256=digest,
            indexes=tuple(sorted(names[field, encoder, revision, digest])),
        )
        for field, encoder, revision, digest in sorted(names)
    )


@cache
def _software() -> str:
    return version("medsearch")


def _check_builds(builds: Mapping[str, str]) -> None:
    if not all(isinstance(name, str) for pair in builds.items() for name in pair):
        message = "builds map names to ids"
        raise TypeError(message)


def _check_reranked(reranked: object) -> None:
    if not (reranked is None or isinstance(reranked, bool)):
        message = "reranked is true, false or not there"
        raise TypeError(message)

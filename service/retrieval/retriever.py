"""Answers queries: picks indexes, plans, searches every leg, fuses, groups, fetches records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from indexer.errors import MedsearchError, QueryError
from indexer.store.reader import IndexReader
from service.retrieval.columns import ColumnCache
from service.retrieval.drafting import Plan
from service.retrieval.encoding import QueryEncoders, Space
from service.retrieval.fusion import Fused, FusedRanking, Fusion, Ranking, fuse
from service.retrieval.grouping import GROUP_COLUMNS, Chosen, first_of_groups
from service.retrieval.legs import Area, Leg
from service.retrieval.masks import MaskCache
from service.retrieval.planning import Planner
from service.retrieval.query import (
    Group,
    Hit,
    Place,
    Query,
    SearchReply,
    TextSource,
)
from service.retrieval.selection import Indexes, Selector, Snapshot, target_of
from service.retrieval.stage_clock import StageClock

# How deep rankings are fused. Blending: on both development sets of `fusion`, ranking deeper than
# 30 changes no figure by .004 or more. By rank, whatever stands lower still has most of a vote.
_FUSION_DEPTHS: Mapping[Fusion, int] = MappingProxyType({"blend": 30, "rrf": 50})
_GROUP_DEPTH = 10
_DEEPER = 8


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How many kinds of index answered a canary query, and what went wrong on the way."""

    answered: int
    problems: tuple[MedsearchError, ...]


class Retriever:
    """Answers queries over published indexes. Thread-safe; blocks while it encodes and searches."""

    def __init__(
        self, indexes: Indexes, encoders: QueryEncoders, columns: ColumnCache | None = None
    ) -> None:
        self.selector = Selector(indexes)
        self._indexes = indexes
        self._encoders = encoders
        self._columns = columns or ColumnCache()
        self._masks = MaskCache(self._columns)
        self._planner = Planner(encoders, self._columns)

    def search(self, query: Query, snapshot: Snapshot | None = None) -> SearchReply:
        """Answer a query from one snapshot: builds published meanwhile do not show in it.

        Raises
        ------
        QueryError
            The query cannot be answered as it stands (`RecordNotFoundError`: its record is gone).
        UnknownNameError, IndexNotFoundError
            An index that is not there, or none at all.
        DecodeError
            The image of the query cannot be decoded.
        EncoderError, StoreError
            An encoder or a named index is not usable.
        """
        clock = StageClock()
        if query.k < 1:
            raise QueryError("k is less than 1.", remedy="Ask for at least one hit.")
        everywhere = self._indexes.snapshot() if snapshot is None else snapshot
        readers = self.selector.select(query, everywhere)
        area = Area(readers, self._masks.allowed(readers, query.filters))
        plan = self._planner.plan(query, readers, everywhere)
        clock.mark("encode")
        chosen, ranking = self._choose(query, plan, area)
        clock.mark("search")
        hits = tuple(
            _hit(rank, one, ranking.why(one.fused.key), readers, query)
            for rank, one in enumerate(chosen, start=1)
        )
        clock.mark("records")
        return SearchReply(
            query=query,
            hits=hits,
            builds={reader.name: reader.build_id for reader in readers},
            score_kind=ranking.score_kind,
            notes=plan.notes,
            stages_ms=clock.stages_ms,
            took_ms=clock.total_ms(),
        )

    def snapshot(self) -> Snapshot:
        """Return the live build of every index, for several searches to answer from."""
        return self._indexes.snapshot()

    def warm(self) -> WarmUp:
        """Load the encoders of all live indexes and answer one canary query for each kind."""
        problems: list[MedsearchError] = []
        answered = 0
        snapshot = self._indexes.snapshot()
        for space in _spaces(snapshot):
            try:
                self._encoders.encoder(space)
            except MedsearchError as error:
                problems.append(error)
        for target in sorted({target_of(reader) for reader in snapshot.values()}):
            try:
                self.search(Query(target=target, source=TextSource("fever"), k=1), snapshot)
            except MedsearchError as error:
                problems.append(error)
            else:
                answered += 1
        return WarmUp(answered, tuple(problems))

    def _choose(self, query: Query, plan: Plan, area: Area) -> tuple[list[Chosen], FusedRanking]:
        """Search ever deeper until `k` hits (or groups) are found or nothing is left.

        The first pass may be approximate. What it leaves wanting is looked for exactly, so that
        `k` groups come back wherever `k` exist.
        """
        wanted = query.k + len(query.exclude_records)
        depth = wanted if len(plan.legs) == 1 else max(wanted, _FUSION_DEPTHS[plan.fusion])
        if query.group_by is not None:
            depth = max(depth, _GROUP_DEPTH * wanted)
        everything = area.records()
        exact = all(leg.is_always_exact for leg in plan.legs)
        while True:
            depth = max(1, min(depth, everything))
            rankings = [leg.rank(area, depth, exact=exact) for leg in plan.legs]
            if plan.fusion == "rrf":
                rankings = _excuse(rankings, plan.legs, area)
            ranking = fuse(rankings, plan.fusion)
            chosen = self._cut(query, ranking.fused, area.readers)
            complete = exact and all(len(one.keys) < depth for one in rankings)
            if len(chosen) == query.k or complete or (exact and depth >= everything):
                return chosen, ranking
            depth *= _DEEPER
            exact = True

    def _cut(
        self, query: Query, fused: Sequence[Fused], readers: Sequence[IndexReader]
    ) -> list[Chosen]:
        """Drop excluded records, then keep the best `k`, or the best of each of `k` groups."""
        if query.exclude_records:
            excluded = {
                (position, row)
                for position, reader in enumerate(readers)
                for record_id in query.exclude_records
                if (row := reader.find(record_id)) is not None
            }
            fused = [one for one in fused if one.key not in excluded]
        if query.group_by is None:
            return [Chosen(one, 0) for one in fused[: query.k]]
        columns = [self._columns.of(reader) for reader in readers]
        return first_of_groups(fused, columns, query.group_by, query.k)


def _excuse(rankings: Sequence[Ranking], legs: Sequence[Leg], area: Area) -> list[Ranking]:
    """Return the rankings with the records that each could not have held."""
    keys = {key for ranking in rankings for key in ranking.keys}
    return [
        replace(ranking, excused=leg.excuse(area, keys))
        for ranking, leg in zip(rankings, legs, strict=True)
    ]


def _spaces(snapshot: Snapshot) -> list[Space]:
    """Return every embedding space of some indexes, in a stable order."""
    found = {
        space
        for reader in snapshot.values()
        for field in reader.manifest.fields
        if (space := Space.of(reader, field)) is not None
    }
    return sorted(found, key=lambda space: (space.encoder, space.field, space.identity))


def _hit(
    rank: int,
    chosen: Chosen,
    why: Mapping[str, Place],
    readers: Sequence[IndexReader],
    query: Query,
) -> Hit:
    fused = chosen.fused
    reader = readers[fused.key.reader]
    record = reader.record(fused.key.row)
    group = None
    if query.group_by is not None:
        stated = getattr(record, GROUP_COLUMNS[query.group_by], None)
        group = Group(
            by=query.group_by, group_id=stated or record.record_id, records=chosen.group_records
        )
    return Hit(rank=rank, score=fused.score, index=reader.name, record=record, why=why, group=group)

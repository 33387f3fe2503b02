"""Answers queries: picks indexes, plans, ranks tier by tier, groups, fetches records."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from indexer.errors import MedsearchError, QueryError
from indexer.store.reader import IndexReader
from indexer.text.fields import is_chinese_field
from service.retrieval.choosing import Choice, choose
from service.retrieval.columns import ColumnCache
from service.retrieval.emptiness import why_empty
from service.retrieval.encoding import QueryEncoders
from service.retrieval.exclusions import Excluder, note_unknown, without_splits
from service.retrieval.explaining import matched_words, words_of
from service.retrieval.fusion import Fused, Key, Score
from service.retrieval.grouping import GROUP_COLUMNS, Chosen
from service.retrieval.hits import Group, Hit
from service.retrieval.legs import Area
from service.retrieval.patience import patience_of_a_query
from service.retrieval.planning import Planner
from service.retrieval.query import Query, TextSource
from service.retrieval.receipt import make_receipt
from service.retrieval.refining import Refiner
from service.retrieval.reply import SearchReply
from service.retrieval.selection import Indexes, Selector, Snapshot, target_of
from service.retrieval.spaces import Space
from service.retrieval.stage_clock import StageClock
from service.retrieval.subsets import SubsetCache
from service.retrieval.tallies import Tallies, count_allowed


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How many kinds of index answered a canary query, and what went wrong on the way."""

    answered: int
    problems: tuple[MedsearchError, ...]


class Retriever:
    """Answers queries over published indexes. Thread-safe; blocks while it encodes and searches."""

    def __init__(
        self,
        indexes: Indexes,
        encoders: QueryEncoders,
        columns: ColumnCache | None = None,
        refiner: Refiner | None = None,
    ) -> None:
        self.selector = Selector(indexes)
        self._indexes = indexes
        self._encoders = encoders
        self._columns = columns or ColumnCache()
        self._subsets = SubsetCache(self._columns)
        self._excluder = Excluder(self._columns, encoders.fingerprint, encoders.unpack)
        self._refiner = refiner or Refiner()
        self._planner = Planner(encoders, self._columns)
        self._tallies = Tallies(self._columns, self._subsets, self._excluder)

    @patience_of_a_query()
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
        _check_extent(query)
        everywhere = self._indexes.snapshot() if snapshot is None else snapshot
        readers = self.selector.select(query, everywhere)
        filters = without_splits(query.filters, query.exclude_splits)
        area = Area(readers, self._subsets.allowed(readers, filters))
        plan = self._planner.plan(query, area, everywhere)
        excluded = self._excluder.keys(query, readers, everywhere)
        clock.mark("encode")
        builds = [self._columns.of(reader) for reader in readers]
        choice = choose(query, plan, area, excluded, builds, self._refiner)
        clock.mark("search")
        scores = choice.scores()
        words = words_of(query, plan) if query.explain else None
        hits = tuple(
            _hit(rank, chosen, choice, scores, readers, query, words)
            for rank, chosen in enumerate(choice.page, start=query.offset + 1)
        )
        clock.mark("records")
        facets = self._tallies.facets(query, plan, readers, excluded)
        relevant = choice.relevance.relevant
        evidence = self._tallies.evidence(query, plan, area, excluded, everywhere, relevant)
        empty = why_empty(
            query, choice, area, excluded, filters, lambda part: self._subsets.count(readers, part)
        )
        if query.facets or query.evidence:
            clock.mark("counts")
        return SearchReply(
            query=query,
            hits=hits,
            builds={reader.name: reader.build_id for reader in readers},
            score_kind=choice.score_kind,
            notes=(
                *plan.notes,
                *note_unknown(query, everywhere),
                *choice.refined.notes,
                *empty,
            ),
            stages_ms=clock.stages_ms,
            took_ms=clock.total_ms(),
            records_allowed=count_allowed(area, excluded),
            legs=choice.legs,
            receipt=make_receipt(
                query,
                readers,
                everywhere,
                plan,
                hits,
                columns=self._columns,
                reranked=choice.refined.reranked,
            ),
            relevant=relevant,
            relevance_reason=choice.relevance.reason,
            facets=facets,
            evidence=evidence,
        )

    def snapshot(self) -> Snapshot:
        """Return the live build of every index, for several searches to answer from."""
        return self._indexes.snapshot()

    def splits(self, query: Query, snapshot: Snapshot) -> frozenset[str]:
        """Return the splits that the indexes which a query searches have."""
        readers = self.selector.select(query, snapshot)
        columns = (self._columns.of(reader).coded("split") for reader in readers)
        return frozenset(value for column in columns for value in column.values)

    def warm(self) -> WarmUp:
        """Load encoders of all live indexes and answer one canary query for each kind.

        Those for Chinese alone are left to `warm_chinese`, so that nobody else waits for them.
        """
        answered = 0
        snapshot = self._indexes.snapshot()
        problems = self._load(one for one in _spaces(snapshot) if not is_chinese_field(one.field))
        for target in sorted({target_of(reader) for reader in snapshot.values()}):
            try:
                self.search(Query(target=target, source=TextSource("fever"), k=1), snapshot)
            except MedsearchError as error:
                problems.append(error)
            else:
                answered += 1
        return WarmUp(answered, tuple(problems))

    def warm_chinese(self) -> tuple[MedsearchError, ...]:
        """Load the encoders of fields of Chinese texts; return what went wrong."""
        spaces = _spaces(self._indexes.snapshot())
        return tuple(self._load(one for one in spaces if is_chinese_field(one.field)))

    def _load(self, spaces: Iterable[Space]) -> list[MedsearchError]:
        problems: list[MedsearchError] = []
        for space in spaces:
            try:
                self._encoders.encoder(space)
            except MedsearchError as error:
                problems.append(error)
        return problems


def _check_extent(query: Query) -> None:
    for name, number, least in (
        ("k", query.k, 1),
        ("offset", query.offset, 0),
        ("group_size", query.group_size, 1),
    ):
        if number < least:
            raise QueryError(f"{name} is less than {least}.", remedy=f"Give {least} or more.")
    if query.min_percentile is not None and not 0 <= query.min_percentile <= 100:
        raise QueryError("min_percentile is no percentile.", remedy="Give 0 to 100.")
    if query.group_size > 1 and query.group_by is None:
        raise QueryError("group_size needs group_by.", remedy="Say what hits are grouped by.")


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
    choice: Choice,
    scores: Mapping[Key, Mapping[str, Score]],
    readers: Sequence[IndexReader],
    query: Query,
    words: str | None,
) -> Hit:
    first = _bare_hit(rank, chosen.fused, choice, scores, readers, words)
    if query.group_by is None:
        return first
    others = tuple(
        _bare_hit(place, fused, choice, scores, readers, words)
        for place, fused in enumerate(chosen.others, start=2)
    )
    stated = getattr(first.record, GROUP_COLUMNS[query.group_by], None)
    group = Group(
        by=query.group_by,
        group_id=stated or first.record.record_id,
        records=chosen.group_records,
        best=(replace(first, rank=1), *others) if query.group_size > 1 else (),
    )
    return replace(first, group=group)


def _bare_hit(
    rank: int,
    fused: Fused,
    choice: Choice,
    scores: Mapping[Key, Mapping[str, Score]],
    readers: Sequence[IndexReader],
    words: str | None,
) -> Hit:
    """Return a hit by itself; `words` are the query's if shared ones are to be told."""
    reader = readers[fused.key.reader]
    record = reader.record(fused.key.row)
    reached = scores[fused.key]
    return Hit(
        rank=rank,
        score=fused.score,
        index=reader.name,
        record=record,
        why=choice.why(fused.key),
        percentile=choice.chance.percentile(fused.key, reached),
        beats_chance=choice.chance.beats_chance(fused.key, reached),
        contradicts=fused.key in choice.refined.contradicting,
        matched_words=None if words is None else matched_words(words, record),
    )

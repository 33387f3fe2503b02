"""What is counted beside the hits of a query: facets, and labels among the nearest cases."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from indexer.errors import QueryError
from indexer.store.reader import IndexReader
from service.retrieval.choosing import choose
from service.retrieval.columns import ColumnCache, Mask
from service.retrieval.drafting import Plan
from service.retrieval.evidence import (
    NEAREST_CASES,
    LabelEvidence,
    cases_of,
    gather_evidence,
)
from service.retrieval.exclusions import Excluder, without_splits
from service.retrieval.facets import FacetCount, check_facets, count_facets, without_own
from service.retrieval.fusion import Key
from service.retrieval.legs import Area
from service.retrieval.query import (
    ImageSource,
    Query,
    RecordSource,
    SameAs,
    SeriesSource,
    StudySource,
    TextSource,
)
from service.retrieval.reach import within_reach
from service.retrieval.refining import Refiner
from service.retrieval.selection import Snapshot
from service.retrieval.subsets import SubsetCache


def count_allowed(area: Area, excluded: Set[Key]) -> int:
    """Return how many records of an area are not excluded."""
    masks = area.masks
    return area.records() - sum(
        1 for member, row in excluded if (mask := masks[member]) is None or mask[row]
    )


@dataclass(frozen=True, slots=True)
class Tallies:
    """Counts over the builds that queries search."""

    columns: ColumnCache
    subsets: SubsetCache
    excluder: Excluder

    def facets(
        self, query: Query, plan: Plan, readers: Sequence[IndexReader], excluded: Set[Key]
    ) -> Mapping[str, tuple[FacetCount, ...]]:
        """Return the counts of the fields in `query.facets` over the records that may be hits.

        These are the records that the filters and all exclusions leave, as far as any ranking can
        reach them: where only words vote, those that share a word with the query. What the filter
        says of a field itself is left out for that field; what is stated of images without captions
        is found again without it. Records below `query.min_percentile` count: percentiles are known
        of those alone that were ranked.

        Raises
        ------
        QueryError
            A field cannot be counted in any of the searched indexes.
        """
        if not query.facets:
            return {}
        builds = [self.columns.of(reader) for reader in readers]
        check_facets(query.facets, builds)
        asked = {
            name: without_splits(without_own(query.filters, name), query.exclude_splits)
            for name in query.facets
        }
        counted = {
            filters: _counted(plan, Area(readers, self.subsets.allowed(readers, filters)), excluded)
            for filters in set(asked.values())
        }
        return count_facets({name: counted[filters] for name, filters in asked.items()}, builds)

    def evidence(
        self,
        query: Query,
        plan: Plan,
        area: Area,
        excluded: Set[Key],
        everywhere: Snapshot,
        relevant: bool | None,
    ) -> tuple[LabelEvidence, ...] | None:
        """Return what the nearest cases are labelled, whatever page is asked for; None unasked.

        Nothing where nothing is `relevant`: something is always nearest. The cases that the query's
        records and images (or near-duplicates of them) are of count nowhere, nor does what excluded
        records state.

        Raises
        ------
        QueryError
            The query looks for questions, or has nothing but words to be near to.
        """
        if not query.evidence:
            return None
        if query.target != "images" or all(isinstance(one, TextSource) for one in query.sources):
            raise QueryError(
                "There is no evidence from the nearest cases of words.",
                remedy="Search by an image or a record, or leave evidence out.",
            )
        if relevant is False:
            return ()
        builds = [self.columns.of(reader) for reader in area.readers]
        own = self.excluder.keys(_came_from(query), area.readers, everywhere)
        wide = replace(
            query,
            k=NEAREST_CASES,
            offset=0,
            group_by="case",
            group_size=1,
            rerank=None,
            min_percentile=None,
        )
        page = choose(wide, plan, area, excluded | own, builds, Refiner()).page
        nearest = cases_of((chosen.fused.key for chosen in page), builds)
        counted = _without(area.masks, excluded, area.readers)
        return gather_evidence(nearest, builds, counted, cases_of(own, builds))


def _counted(plan: Plan, area: Area, excluded: Set[Key]) -> list[Mask | None]:
    """Return which records of each reader count in facets of an area: bool (n,), None for all."""
    return within_reach(plan, area, _without(area.masks, excluded, area.readers))


def _came_from(query: Query) -> Query:
    """Return a query whose exclusions are the cases that its records and images come from."""
    pictures = RecordSource | ImageSource | SeriesSource | StudySource
    knows = any(isinstance(one, pictures) for one in query.sources)
    same: frozenset[SameAs] = frozenset({"case"}) if knows else frozenset()
    return replace(query, exclude_same=same, exclude_records=frozenset(), unlike=())


def _without(
    masks: Sequence[Mask | None], excluded: Set[Key], readers: Sequence[IndexReader]
) -> list[Mask | None]:
    """Return the masks of some readers' records, None for all, without those that are excluded."""
    left = list(masks)
    for member in {key.reader for key in excluded}:
        kept: Mask = np.ones(readers[member].table.num_rows, np.bool_)
        kept[[key.row for key in excluded if key.reader == member]] = False
        left[member] = _both(left[member], kept)
    return left


def _both(one: Mask | None, other: Mask | None) -> Mask | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other

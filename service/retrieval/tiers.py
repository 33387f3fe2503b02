"""Fused rankings of growing depth, one after the other, so that pages follow on each other.

How deep rankings are fused changes the order of what they hold. Were a later page made by a deeper
fusion, it could repeat or skip hits of an earlier one. So depths grow by fixed steps that do not
depend on the page, and what an earlier tier holds keeps its place.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from types import MappingProxyType

from service.retrieval.drafting import Leg, Plan
from service.retrieval.fusion import Fused, FusedRanking, Fusion, Key, Ranking, fuse
from service.retrieval.hits import LegReport
from service.retrieval.legs import Area
from service.retrieval.query import Query, TextSource

# How deep rankings are fused at least. Blending: on both development sets of `fusion`, ranking
# deeper than 30 changes no figure by .004 or more. By rank, what stands lower still has most of a
# vote.
_FUSION_DEPTHS: Mapping[Fusion, int] = MappingProxyType({"blend": 30, "rrf": 100})
_GROUP_DEPTH = 3
_DEEPER = 8
_APPROXIMATE_TIERS = 2
_MOST_SPARE = 1000


@dataclass(frozen=True, slots=True)
class Tier:
    """What one depth added: records that no earlier tier holds, best first, and how they came."""

    fused: tuple[Fused, ...]
    ranking: FusedRanking
    legs: tuple[LegReport, ...]


def first_depth(query: Query, plan: Plan, excluded: Collection[Key]) -> int:
    """Return how deep the first tier ranks; the same for every page of a query.

    One ranking alone has nothing to be fused with. But where there are words, it holds what
    stands behind its first records, too: these may contradict the words. And a reranker reads as
    many as it was told to, if there are so many.
    """
    spare = min(len(excluded), _MOST_SPARE)
    wanted = query.k + spare
    has_words = any(isinstance(one, TextSource) for one in query.sources)
    ranks_alone = len(plan.legs) == 1 and not has_words
    depth = wanted if ranks_alone else max(wanted, _FUSION_DEPTHS[plan.fusion])
    if query.rerank is not None:
        depth = max(depth, query.rerank.depth + spare)
    return depth if query.group_by is None else max(depth, _GROUP_DEPTH * wanted)


def climb(plan: Plan, area: Area, depth: int) -> Iterator[Tier]:
    """Yield tier after tier until everything that can be ranked has been.

    The first two may be approximate; later ones are exact, so that nothing stays hidden from those
    who ask for more. Scores never rise from tier to tier: a record that an earlier one missed
    counts as much as the last that it holds.
    """
    if not plan.legs:
        return
    everything = area.records()
    always_exact = all(leg.is_always_exact for leg in plan.legs)
    seen: set[Key] = set()
    ceiling = float("inf")
    for number in count():
        exact = always_exact or number >= _APPROXIMATE_TIERS
        depth = max(1, min(depth, everything))
        timed = [_rank(leg, area, depth, exact=exact) for leg in plan.legs]
        rankings = [ranking for ranking, _ in timed]
        if plan.fusion == "rrf":
            rankings = _excuse(rankings, plan.legs, area)
        ranking = fuse(rankings, plan.fusion)
        fresh = tuple(
            one if one.score <= ceiling else Fused(one.key, ceiling)
            for one in ranking.fused
            if one.key not in seen
        )
        yield Tier(fresh, ranking, tuple(report for _, report in timed))
        complete = all(report.exact for _, report in timed)
        ended = depth >= everything or all(len(one.keys) < depth for one in rankings)
        if complete and ended:
            return
        seen.update(one.key for one in fresh)
        ceiling = fresh[-1].score if fresh else ceiling
        depth *= _DEEPER


def _rank(leg: Leg, area: Area, depth: int, *, exact: bool) -> tuple[Ranking, LegReport]:
    started = time.perf_counter()
    ranking = leg.rank(area, depth, exact=exact)
    took_ms = (time.perf_counter() - started) * 1000
    effort = leg.effort(area, exact=exact)
    return ranking, LegReport(
        name=leg.name,
        measure=ranking.measure,
        weight=leg.weight,
        indexes=tuple(area.readers[member].name for member in leg.members),
        depth=depth,
        exact=effort.exact,
        scanned=effort.scanned,
        took_ms=took_ms,
    )


def _excuse(rankings: Sequence[Ranking], legs: Sequence[Leg], area: Area) -> list[Ranking]:
    """Return the rankings with the records that each could not have held."""
    keys = {key for ranking in rankings for key in ranking.keys}
    return [
        replace(ranking, excused=leg.excuse(area, keys))
        for ranking, leg in zip(rankings, legs, strict=True)
    ]

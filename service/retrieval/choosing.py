"""From a plan to one page of hits: tiers are climbed until the page is full or all is ranked."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

import numpy as np

from indexer.store.subset import Subset
from service.retrieval.calibration import Chance, Relevance
from service.retrieval.columns import BuildColumns
from service.retrieval.drafting import Plan
from service.retrieval.fusion import Fused, Key, Score
from service.retrieval.grouping import Chosen, Groups
from service.retrieval.hits import LegReport, Place, ScoreKind
from service.retrieval.legs import LEXICAL, Area, DenseLeg
from service.retrieval.query import Query
from service.retrieval.refining import RERANK, Refined, Refiner
from service.retrieval.tiers import Tier, climb, first_depth


@dataclass(frozen=True, slots=True)
class Choice:
    """The hits of a page, `found` of which are known in all, and the tiers that they come from.

    `completions` found members of groups that the tiers did not reach. `refined` is the first
    tier as it was ordered once its words were read. `chance` compares them with what chance finds,
    `relevance` is its verdict on all of them.
    """

    page: tuple[Chosen, ...]
    found: int
    tiers: tuple[Tier, ...]
    chance: Chance
    relevance: Relevance
    completions: tuple[Tier, ...] = ()
    refined: Refined = field(default_factory=lambda: Refined(()))

    @property
    def score_kind(self) -> ScoreKind:
        """What the scores are; of a plan without any ranking, the sum of none."""
        return self.tiers[0].ranking.score_kind if self.tiers else "rrf"

    @property
    def legs(self) -> tuple[LegReport, ...]:
        """How each ranking of each tier was made."""
        return tuple(report for tier in self.tiers for report in tier.legs)

    def why(self, key: Key) -> dict[str, Place]:
        """Return the place that each ranking gave a record in the first tier that holds it."""
        for tier in (*self.tiers, *self.completions):
            places = tier.ranking.why(key)
            if places:
                read = self.refined.places.get(key)
                return places if read is None else places | {RERANK: read}
        return {}

    def scores(self) -> Mapping[Key, Mapping[str, Score]]:
        """Return what the page's records score by each ranking; see `Chance.scores`."""
        keys = [one.key for chosen in self.page for one in (chosen.fused, *chosen.others)]
        return self.chance.scores({key: self.why(key) for key in keys})


def choose(
    query: Query,
    plan: Plan,
    area: Area,
    excluded: Set[Key],
    builds: Sequence[BuildColumns],
    refiner: Refiner,
) -> Choice:
    """Return the page that a query asks for, of all that is allowed and not excluded.

    What has not the percentile that the query asks for counts as not there.
    """
    chance = Chance(query, plan, area, builds)
    wanted = query.offset + query.k
    groups = Groups(builds, query.group_by, query.group_size) if query.group_by else None
    single: list[Fused] = []
    tiers: list[Tier] = []
    refined = Refined(())
    for tier in climb(plan, area, first_depth(query, plan, excluded)):
        tiers.append(tier)
        ranked = _shown(tier, excluded, chance)
        if len(tiers) == 1:
            place_of = (lambda key: key) if groups is None else groups.of
            refined = refiner.refine(ranked, tier.ranking.score_kind, query, area.readers, place_of)
            ranked = list(refined.ranked)
        if groups is None:
            single += ranked
        else:
            groups.add(ranked)
        if len(single if groups is None else groups) >= wanted:
            break
        if chance.is_exhausted(tier.ranking.rankings):
            break
    relevance = Relevance(None)
    if tiers:
        relevance = chance.judge(tiers[0].ranking.rankings, excluded)
    if groups is None:
        found = tuple(map(Chosen, single[query.offset : wanted]))
        return Choice(found, len(single), tuple(tiers), chance, relevance, (), refined)
    page, completions = [], []
    for chosen in groups.page(query.offset, query.k):
        completed, completion = _complete(chosen, groups, query, plan, area, excluded, chance)
        page.append(completed)
        completions += [completion] if completion else []
    return Choice(
        tuple(page), len(groups), tuple(tiers), chance, relevance, tuple(completions), refined
    )


def _complete(
    chosen: Chosen,
    groups: Groups,
    query: Query,
    plan: Plan,
    area: Area,
    excluded: Set[Key],
    chance: Chance,
) -> tuple[Chosen, Tier | None]:
    """Look for members of a group that rank too low to have been met, where more are wanted.

    By their embeddings, if these vote: words would have to be looked up in all texts.
    """
    missing = min(query.group_size, chosen.group_records) - 1 - len(chosen.others)
    if missing <= 0:
        return chosen, None
    home = chosen.fused.key.reader
    members = groups.members(chosen)
    allowed = area.allowed[home]
    if allowed is not None:
        members = members & allowed.mask
    inside = [Subset(np.zeros(one.table.num_rows, np.bool_)) for one in area.readers]
    inside[home] = Subset(members)
    dense = tuple(leg for leg in plan.legs if isinstance(leg, DenseLeg)) or plan.legs
    depth = inside[home].count
    tier = next(climb(replace(plan, legs=dense), replace(area, allowed=inside), depth))
    met = {chosen.fused.key, *(one.key for one in chosen.others)}
    worst = min(chosen.fused.score, *(one.score for one in chosen.others), float("inf"))
    more = [
        Fused(one.key, min(one.score, worst))
        for one in _shown(tier, excluded, chance)
        if one.key not in met
    ]
    others = (*chosen.others, *more[:missing])
    return chosen._replace(others=others), tier


def _shown(tier: Tier, excluded: Set[Key], chance: Chance) -> list[Fused]:
    """Return the records of a tier that may be hits."""
    left = [one for one in tier.fused if one.key not in excluded]
    if chance.shows_all:
        return left
    whys = {one.key: tier.ranking.why(one.key) for one in left}
    words = [one.floor for one in tier.ranking.rankings if one.name == LEXICAL]
    scores = chance.scores(whys, *words)
    return [one for one in left if chance.is_shown(one.key, scores[one.key])]

"""Pictures without captions, found by what is stated of them: which, depends on the filters."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from indexer.store.subset import Subset, intersect
from service.retrieval.columns import ColumnCache
from service.retrieval.facts import find_mentioned
from service.retrieval.legs import STATED, Area, DenseLeg, uncaptioned
from service.retrieval.votes import vote_of_facts


@dataclass(frozen=True, slots=True)
class Stating:
    """Ranks by pictures, each narrowed to what states the most of `words` where it has no caption.

    The most is that of the allowed records, so other filters find other records.
    """

    pictures: Sequence[DenseLeg]
    words: str
    columns: ColumnCache

    def legs(self, area: Area) -> list[DenseLeg]:
        """Return the rankings of an area; none of pictures of which nothing is mentioned."""
        found = (self._narrow(leg, area) for leg in self.pictures)
        return [leg for leg in found if leg is not None]

    def _narrow(self, leg: DenseLeg, area: Area) -> DenseLeg | None:
        bare: dict[int, Subset | None] = {}
        for member in leg.members:
            without = uncaptioned(area.readers[member])
            if without is not None and without.count == 0:
                continue  # asked first: the intersection costs a scan, query after query
            both = intersect(area.allowed[member], without)
            if both is None or both.count:
                bare[member] = both
        builds = [self.columns.of(area.readers[member]) for member in bare]
        masks = [None if subset is None else subset.mask for subset in bare.values()]
        found = find_mentioned(self.words, builds, masks) if bare else None
        if found is None:
            return None
        return replace(
            leg,
            name=STATED,
            weight=vote_of_facts(found.covered),
            members=tuple(bare),
            within=tuple(map(Subset, found.masks)),
            gives_way=False,
        )

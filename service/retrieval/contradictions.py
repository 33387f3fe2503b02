"""Puts records whose own words contradict the query behind the others: a guard, not a filter.

Reports state findings; patients' questions tell of them, and rules read such prose less well. Of
795 Medical Question Pairs (R@1 .908 unguarded) putting contradictions behind all others loses six
right answers and wins none (.901). Behind those that score up to .05 less, it loses one (.907).
Places are no measure of that: one place further down already loses five (.902), three lose six.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from indexer.text.assertions import Wish
from service.retrieval.fusion import Fused, Key

WINDOW = 50
"""How many of the first records are read; further down nobody looks, and reading costs time."""


@dataclass(frozen=True, slots=True)
class Demoted:
    """A ranking after the guard, and which of its records contradict the query."""

    ranked: tuple[Fused, ...]
    contradicting: frozenset[Key]


def demote(
    ranked: Sequence[Fused],
    query_text: str,
    text_of: Callable[[Key], str],
    *,
    window: int = WINDOW,
    margin: float | None = None,
    needed: int | None = None,
    place_of: Callable[[Key], Hashable] = lambda key: key,
) -> Demoted:
    """Put contradicting records behind the others of the first `window`, both in their old order.

    Given a `margin`, only behind those that score less by no more than that; the ranking must then
    fall. With a margin of 0 nothing moves, whatever the order. Scores stay as they are, so that
    they no longer fall along the ranking where something was demoted. A query that states nothing
    reads no text; `text_of` gives a record's own words ("" if it has none), once for each record
    that is read.

    Where only the first `needed` places matter, reading ends once as many are taken by records that
    do not contradict: whatever comes later stands behind these. Further places are then unsettled.
    `place_of` says which records share a place, as those of one case do.
    """
    wish = Wish.of(query_text)
    if wish is None:
        return Demoted(tuple(ranked), frozenset())
    found: set[Key] = set()
    taken: set[Hashable] = set()
    for one in ranked[:window]:
        if needed is not None and len(taken) >= needed:
            break
        if wish.is_contradicted_by(text_of(one.key)):
            found.add(one.key)
        else:
            taken.add(place_of(one.key))
    contradicting = frozenset(found)
    if not contradicting or margin == 0:
        return Demoted(tuple(ranked), contradicting)

    def order(one: Fused) -> tuple[bool, float]:
        contradicts = one.key in contradicting
        if margin is None:
            return contradicts, 0.0
        return False, (margin if contradicts else 0.0) - one.score

    return Demoted((*sorted(ranked[:window], key=order), *ranked[window:]), contradicting)

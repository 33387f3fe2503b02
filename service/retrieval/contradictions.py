"""Puts records whose own words contradict the query behind the others: a guard, not a filter."""

from collections.abc import Callable, Sequence
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
) -> Demoted:
    """Put contradicting records behind the others of the first `window`, both in their old order.

    Scores stay as they are, so that they no longer fall along the ranking where something was
    demoted. A query that states nothing reads no text; `text_of` gives a record's own words (""
    if it has none), once for each record of the window.
    """
    wish = Wish.of(query_text)
    if wish is None:
        return Demoted(tuple(ranked), frozenset())
    contradicting = frozenset(
        one.key for one in ranked[:window] if wish.is_contradicted_by(text_of(one.key))
    )
    if not contradicting:
        return Demoted(tuple(ranked), contradicting)
    front = [one for one in ranked[:window] if one.key not in contradicting]
    back = [one for one in ranked[:window] if one.key in contradicting]
    return Demoted((*front, *back, *ranked[window:]), contradicting)

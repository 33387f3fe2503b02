"""Why a reply holds less than was asked for, where that is no error."""

from collections.abc import Callable, Iterator, Set

from service.retrieval.choosing import Choice
from service.retrieval.filters import Combination, Comparison, Filter
from service.retrieval.fusion import Key
from service.retrieval.hits import Note
from service.retrieval.legs import LEXICAL, Area
from service.retrieval.query import Query


def why_empty(
    query: Query,
    choice: Choice,
    area: Area,
    excluded: Set[Key],
    filters: Filter | None,
    count: Callable[[Filter], int],
) -> Iterator[Note]:
    """Yield why a page has no hits, and why nearest cases are evidence of nothing.

    `excluded` may be no hits; `count` says how many records pass a filter alone.
    """
    if query.evidence and choice.relevance.relevant is False:
        yield Note("evidence", "What is nearest is no nearer than chance, so it is no evidence.")
    if choice.page:
        return
    if not area.readers:
        reason = "All indexes that would be searched are excluded by exclude_datasets."
    elif area.records() == 0:
        reason = why_none_passes(filters, count)
    elif choice.found:
        reason = f"There are {choice.found} hits in all; the offset {query.offset} is past them."
    else:
        reason = _why_none_is_shown(query, choice, excluded)
    yield Note("empty", reason)


def _why_none_is_shown(query: Query, choice: Choice, excluded: Set[Key]) -> str:
    """Say why none of some records that pass the filters is a hit."""
    ranked = [one.key for tier in choice.tiers for one in tier.fused]
    if query.min_percentile is not None and not excluded >= set(ranked):
        return "No hit has the percentile that was asked for."
    rankings = choice.tiers[0].ranking.rankings if choice.tiers else ()
    if rankings and not ranked and all(one.name == LEXICAL for one in rankings):
        return "None of the searched records shares a word with the query."
    return "Nothing that the query could be compared with is left."


def why_none_passes(filters: Filter | None, count: Callable[[Filter], int]) -> str:
    """Say which part of a filter no record passes, or that its parts exclude each other.

    Names fields and operators; values are the client's own and are not repeated.
    """
    if filters is None:
        return "The searched indexes hold no records."
    parts = list(_all_of(filters))
    passing = [(_name(part), count(part)) for part in parts]
    none = [name for name, records in passing if records == 0]
    if none or len(passing) < 2:
        return f"No record passes the filters: none has {' and none has '.join(none)}."
    alone = ", ".join(f"{records} pass {name}" for name, records in passing)
    return f"No record passes all filters together; alone, {alone}."


def _all_of(chosen: Filter) -> Iterator[Filter]:
    """Yield the filters all of which have to be passed."""
    if isinstance(chosen, Combination) and chosen.op == "and":
        for part in chosen.filters:
            yield from _all_of(part)
    else:
        yield chosen


def _name(chosen: Filter) -> str:
    if isinstance(chosen, Comparison):
        return f"{chosen.key} {chosen.op}"
    parts = f" {chosen.op} ".join(map(_name, chosen.filters))
    return f"({parts or f'{chosen.op} of nothing'})"

"""Which records the rankings of a query can reach: others cannot be hits, however many are wanted.

A record without an embedding is never near, and one that shares no word with the query is never
found by words. Indexes of another encoder than the query's record are out of reach altogether.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from indexer.store.reader import IndexReader
from indexer.store.subset import Mask, Rows
from service.retrieval.drafting import Leg, Plan
from service.retrieval.late_interaction import SeriesLeg
from service.retrieval.legs import FEW_TEXTS, STATED, Area, DenseLeg, LexicalLeg
from service.retrieval.views import records_compared


def within_reach(plan: Plan, area: Area, asked: Sequence[Mask | None]) -> list[Mask | None]:
    """Return for each reader which of the records `asked` for any ranking can hold: bool (n,).

    None for all, as in `asked`, which are records of the area. What is stated of images is found
    for the area itself, whatever filters the plan was made for.
    """
    wanted = [
        np.ones(reader.table.num_rows, np.bool_) if mask is None else mask
        for reader, mask in zip(area.readers, asked, strict=True)
    ]
    left = [mask.copy() for mask in wanted]
    for leg in _cheapest_first(plan, area, left):
        for place, member in enumerate(leg.members):
            if not left[member].any():
                continue
            reader = area.readers[member]
            if isinstance(leg, LexicalLeg):
                left[member][_sharing(leg, reader, left[member])] = False
            else:
                left[member] &= ~_near(leg, place, reader)
    reached = [mask & ~one for mask, one in zip(wanted, left, strict=True)]
    return [None if one.all() else one for one in reached]


def _cheapest_first(plan: Plan, area: Area, left: list[Mask]) -> Iterator[Leg]:
    """Yield the legs; what is stated, and words, only where others `left` something to reach."""
    yield from (one for one in plan.legs if not isinstance(one, LexicalLeg) and one.name != STATED)
    if plan.stating is not None and any(one.any() for one in left):
        yield from plan.stating.legs(area)
    yield from (one for one in plan.legs if isinstance(one, LexicalLeg))


def _sharing(leg: LexicalLeg, reader: IndexReader, among: Mask) -> Rows:
    """Return which of some records share a word with the query; others may be among them."""
    if np.count_nonzero(among) > FEW_TEXTS:
        return reader.search_lexical(leg.tokens, len(among)).rows
    rows = np.flatnonzero(among)
    shares = list(map(bool, reader.shared_words(rows.tolist(), leg.tokens)))
    return rows[np.array(shares, np.bool_)]


def _near(leg: DenseLeg | SeriesLeg, place: int, reader: IndexReader) -> Mask:
    """Return which records of its reader at `place` a leg compares by their embeddings."""
    near: Mask = np.zeros(reader.table.num_rows, np.bool_)
    for name, fields in _compared(leg, reader):
        held = ~reader.rows_without(frozenset({name})).mask
        compared = records_compared(reader, name, fields)
        near |= held if compared is None else held & compared.mask
    if isinstance(leg, DenseLeg) and leg.within is not None:
        near &= leg.within[place].mask
    return near


def _compared(
    leg: DenseLeg | SeriesLeg, reader: IndexReader
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each field of a reader that a leg compares, with those that it is one of."""
    if isinstance(leg, DenseLeg):
        yield from ((name, leg.fields) for name in leg.fields_of(reader))
    else:
        for one in leg.slices:
            yield from ((name, one.fields) for name in one.fields_of(reader, leg.space))

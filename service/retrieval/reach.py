"""Which records the rankings of a query can reach: others cannot be hits, however many are wanted.

A record without an embedding is never near, and one that shares no word with the query is never
found by words. Indexes of another encoder than the query's record are out of reach altogether.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from indexer.store.reader import IndexReader
from indexer.store.subset import Mask
from service.retrieval.drafting import Plan
from service.retrieval.late_interaction import SeriesLeg
from service.retrieval.legs import DenseLeg, LexicalLeg
from service.retrieval.views import records_compared


def within_reach(plan: Plan, readers: Sequence[IndexReader]) -> list[Mask | None]:
    """Return for each reader which records any ranking can hold: bool (n,), None for all."""
    reached: list[Mask] = [np.zeros(reader.table.num_rows, np.bool_) for reader in readers]
    # Words last: they are looked up only where embeddings do not reach everything anyway.
    for leg in sorted(plan.legs, key=lambda leg: isinstance(leg, LexicalLeg)):
        for place, member in enumerate(leg.members):
            if reached[member].all():
                continue
            if isinstance(leg, LexicalLeg):
                records = len(reached[member])
                reached[member][readers[member].search_lexical(leg.tokens, records).rows] = True
            else:
                reached[member] |= _near(leg, place, readers[member])
    return [None if one.all() else one for one in reached]


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

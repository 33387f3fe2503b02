"""The records of one case, in the order in which a reader leafs through them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from indexer.pixels.ct_windows import WINDOW_FIELDS, WindowName
from indexer.store.reader import IndexReader
from service.retrieval.columns import BuildColumns

MOST_MEMBERS = 2000
_LAST = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One record of a case, by what places it among the others, and the windows it is shown in."""

    record_id: str
    series_id: str | None
    slice_number: int | None
    windows: tuple[WindowName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case of one index: how many records it has, and at most `MOST_MEMBERS` of them."""

    case_id: str
    records: int
    members: tuple[Member, ...]


def read_case(reader: IndexReader, columns: BuildColumns, row: int) -> Case:
    """Return the case that a row belongs to: series by series, each in the order of its slices."""
    case_id = str(reader.table.column("case_id")[row].as_py())
    rows = np.flatnonzero(columns.holds_any("case_id", [case_id]))
    members = sorted(_members(reader, columns, rows.tolist()), key=place_of)
    return Case(case_id=case_id, records=len(rows), members=tuple(members[:MOST_MEMBERS]))


def _members(reader: IndexReader, columns: BuildColumns, rows: list[int]) -> Iterator[Member]:
    names = ("record_id", "series_id", "slice_number")
    present = {name: reader.table.column(name) for name in names if name in columns.names}
    for row in rows:
        values = {name: column[row].as_py() for name, column in present.items()}
        yield Member(
            record_id=values["record_id"],
            series_id=values.get("series_id"),
            slice_number=values.get("slice_number"),
            windows=_windows(reader, row),
        )


def _windows(reader: IndexReader, row: int) -> tuple[WindowName, ...]:
    """Return the windows that a slice has thumbnails in, in the order of the presets."""
    shown = reader.fields_shown(row)
    return tuple(window for field, window in WINDOW_FIELDS.items() if field in shown)


def place_of(member: Member) -> tuple[str, float, str]:
    """Return the sort key; what states no slice number stands last in its series."""
    number = _LAST if member.slice_number is None else member.slice_number
    return (member.series_id or "", number, member.record_id)

"""The map of an index as columns, and where hits lie on it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from indexer.store.picking import ColumnPicker
from indexer.store.reader import IndexReader
from service.retrieval.columns import FILTER_COLUMNS, BuildColumns

NOT_STATED = -1
OTHER_VALUE = -2
COLOURINGS = (
    "modality", "body_part", "category", "calculator", "labels", "language", "abnormal", "sex",
    "contrast", "split",
)  # fmt: skip
"""What points may be coloured by, where an index states it."""

_MOST_VALUES = 40
_DIGITS = 5

Codes = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Category:
    """Values with the number of points of each, falling, and the code of each point, int64 (n,).

    A code is a place in `values`, `NOT_STATED` or `OTHER_VALUE`.
    """

    key: str
    values: tuple[tuple[str | bool, int], ...]
    codes: Codes


@dataclass(frozen=True, slots=True)
class MapPoints:
    """The points of a map: record ids, places rounded to five digits, what may colour them."""

    record_ids: Sequence[str]
    x: Sequence[float]
    y: Sequence[float]
    categories: tuple[Category, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a record lies; `drawn` if the map was drawn with it."""

    record_id: str
    x: float
    y: float
    drawn: bool


def read_map(reader: IndexReader, columns: BuildColumns) -> MapPoints:
    """Return the points of a build's map.

    Raises
    ------
    MapNotFoundError
        It has none.
    """
    drawn = reader.map
    rows = np.asarray(drawn.rows)
    x, y = (_rounded(one) for one in drawn.places.T)
    found = (_category(columns, key, rows) for key in COLOURINGS if key in columns.names)
    return MapPoints(
        record_ids=ColumnPicker(reader.table, "record_id").pick(rows),
        x=x,
        y=y,
        categories=tuple(one for one in found if one.values),
    )


def place_records(reader: IndexReader, record_ids: Sequence[str]) -> list[Placed]:
    """Return where those of the records lie that the index holds and embeds.

    Raises
    ------
    MapNotFoundError
        The build has no map.
    """
    found = [(name, row) for name in record_ids if (row := reader.find(name)) is not None]
    places, drawn = reader.places_of(np.array([row for _, row in found], np.int64))
    x, y = (_rounded(one) for one in places.T)
    told = zip(found, x, y, drawn.tolist(), strict=True)
    return [Placed(name, x, y, own) for (name, _), x, y, own in told if math.isfinite(x)]


def _category(columns: BuildColumns, key: str, rows: Rows) -> Category:
    """Return what points of some rows state in a field."""
    kind = FILTER_COLUMNS[key]
    if kind == "flag":
        values: Sequence[str | bool] = (False, True)
        codes = columns.flags(key)[rows].astype(np.int64)
    elif kind == "tags":
        values, codes = _commonest_tags(columns, key, rows)
    else:
        coded = columns.coded(key)
        values, codes = coded.values, coded.codes[rows].astype(np.int64)
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    order = np.argsort(-counts, kind="stable")[:_MOST_VALUES]
    order = order[counts[order] > 0]
    renamed = np.full(len(values) + 1, OTHER_VALUE, np.int64)
    renamed[order] = np.arange(len(order))
    renamed[NOT_STATED] = NOT_STATED
    listed = tuple((values[place], int(counts[place])) for place in order.tolist())
    return Category(key, listed, renamed[codes])


def _commonest_tags(columns: BuildColumns, key: str, rows: Rows) -> tuple[Sequence[str], Codes]:
    """Return the values of a column of lists, and of each row's the one that most rows hold."""
    column = columns.tags(key)
    stated = column.codes >= 0
    tagged, codes = column.rows[stated], column.codes[stated].astype(np.int64)
    at = np.minimum(np.searchsorted(rows, tagged), len(rows) - 1)
    mine = rows[at] == tagged
    at, codes = at[mine], codes[mine]
    counts = np.bincount(codes, minlength=len(column.values))
    chosen = np.full(len(rows), NOT_STATED, np.int64)
    rising = np.lexsort((-codes, counts[codes]))
    chosen[at[rising]] = codes[rising]  # the last one written stays: the commonest
    return column.values, chosen


def _rounded(numbers: npt.NDArray[np.float32]) -> list[float]:
    rounded: list[float] = np.round(numbers.astype(np.float64), _DIGITS).tolist()
    return rounded

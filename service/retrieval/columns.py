"""Columns of a build's record table as arrays that filters and groups can work on.

Most are read once for each build, on first use, and so is what pictures are compared with by their
looks. A column costs 1 to 8 bytes a record, one of lists up to 20 for each of their strings,
perceptual hashes 32 a picture. Only `stated` and `holds_any` keep nothing and read anew.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from indexer.pixels.looks import Looks
from indexer.store.reader import IndexReader

Column = TypeVar("Column")
Mask: TypeAlias = npt.NDArray[np.bool_]
Arrow: TypeAlias = Any
"""A pyarrow column; its type stubs know too little of what compute functions return."""

_MOST_COUNTED = 10_000
_HASH_BYTES = 32

ColumnKind: TypeAlias = Literal["category", "identifier", "tags", "number", "flag"]

FILTER_COLUMNS: Mapping[str, ColumnKind] = MappingProxyType(
    {
        "dataset": "category",
        "split": "category",
        "language": "category",
        "licence": "category",
        "modality": "category",
        "body_part": "category",
        "sex": "category",
        "calculator": "category",
        "category": "category",
        "labels": "tags",
        "concepts": "tags",
        "year": "number",
        "age_years": "number",
        "slice_number": "number",
        "contrast": "flag",
        "abnormal": "flag",
        "synthetic": "flag",
        "record_id": "identifier",
        "source_id": "identifier",
        "case_id": "identifier",
        "patient_id": "identifier",
        "study_id": "identifier",
        "series_id": "identifier",
        "article_id": "identifier",
    }
)
"""The fields that a filter may name. An image index has no `calculator`, a text index no `sex`."""


@dataclass(frozen=True, slots=True)
class CodedColumn:
    """Few distinct strings as codes int32 (n,) into `values`; -1 where nothing is stated."""

    values: tuple[str, ...]
    codes: npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class SpanColumn:
    """Whole numbers by spans of equal length: codes int32 (n,) into `values`; -1 for none.

    A span of 1 is its number, one of ten is written "60-69".
    """

    values: tuple[int, ...] | tuple[str, ...]
    codes: npt.NDArray[np.int32]


@dataclass(frozen=True)
class TagColumn:
    """Lists of strings: codes int32 (m,) into `values`, and the record row int64 (m,) of each.

    Rows rise, and none holds a value twice. The code of a value that is not stated is -1.
    """

    values: tuple[str, ...]
    codes: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int64]

    def holders(self, wanted: Callable[[str], object], records: int) -> Mask:
        """Return which of so many records hold any of the wanted values: bool (n,)."""
        starts, rows = self._by_value
        held = np.zeros(records, np.bool_)
        for place, value in enumerate(self.values):
            if wanted(value):
                held[rows[starts[place] : starts[place + 1]]] = True
        return held

    @cached_property
    def _by_value(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Where the rows of each value begin, int64 (values + 1,), among those of all.

        A filter asks for few of many values: what does not hold them need not be looked at.
        """
        held = np.bincount(self.codes + 1, minlength=len(self.values) + 1)
        return np.cumsum(held), self.rows[np.argsort(self.codes, kind="stable")]


@dataclass(frozen=True, slots=True)
class GroupColumn:
    """Group numbers int32 (n,) of all records, -1 for none, and each group's size int64 (g,)."""

    codes: npt.NDArray[np.int32]
    sizes: npt.NDArray[np.int64]


class BuildColumns:
    """The columns of one build, each read on first use. Safe to use from several threads.

    `looks` float32 (n, m) are those of a sample of its pictures, if it keeps them.
    """

    def __init__(self, table: pa.Table, looks: npt.NDArray[np.float32] | None = None) -> None:
        self._table = table
        self._looks = looks
        self._lock = threading.Lock()
        self._read: dict[tuple[str, type], Any] = {}
        self.records: int = table.num_rows
        self.names = frozenset(table.column_names)

    def coded(self, name: str) -> CodedColumn:
        """Return a column of strings of which there are few."""
        return self._once(name, CodedColumn, _coded)

    def tags(self, name: str) -> TagColumn:
        """Return a column of lists of strings."""
        return self._once(name, TagColumn, _tags)

    def groups(self, name: str) -> GroupColumn:
        """Return a column of identifiers as group numbers."""
        return self._once(name, GroupColumn, _groups)

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """Return a column of numbers, float64 (n,), NaN where nothing is stated."""
        return self._once(name, np.ndarray, _numbers)

    def spans(self, name: str, length: int) -> SpanColumn:
        """Return a column of numbers by spans of a length: 61.5 is of 60 to below 70."""
        return self._once(name, SpanColumn, partial(_spans, length))

    def flags(self, name: str) -> npt.NDArray[np.int8]:
        """Return a column of truth values, int8 (n,), -1 where nothing is stated."""
        return self._once(name, np.ndarray, _flags)

    def image_hashes(self) -> npt.NDArray[np.uint64]:
        """Return the perceptual hash of every image, uint64 (n, 4); zeros where there is none."""
        return self._once("image_hash", np.ndarray, _hashes)

    @cached_property
    def looks(self) -> Looks | None:
        """What other pictures' looks are compared with; None where the build keeps none."""
        return None if self._looks is None else Looks(self._looks.astype(np.float64))

    def stated(self, name: str) -> Mask:
        """Return where a column of any type has a value: bool (n,)."""
        return _mask(pc.is_valid(self._table.column(name)))

    def holds_any(self, name: str, values: Iterable[object]) -> Mask:
        """Return where a column of strings holds one of `values`: bool (n,)."""
        column = _decoded(self._table.column(name))
        return _mask(pc.is_in(column, pa.array(list(values), column.type)))

    def _once(self, name: str, kind: type[Column], read: Callable[[Arrow], Column]) -> Column:
        with self._lock:
            if (name, kind) not in self._read:
                self._read[name, kind] = read(self._table.column(name))
            found: Column = self._read[name, kind]
            return found


class ColumnCache:
    """The columns of builds, kept as long as somebody holds their reader. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._builds: WeakKeyDictionary[IndexReader, BuildColumns] = WeakKeyDictionary()

    def of(self, reader: IndexReader) -> BuildColumns:
        """Return the columns of the build that `reader` reads."""
        with self._lock:
            columns = self._builds.get(reader)
            if columns is None:
                columns = self._builds[reader] = BuildColumns(reader.table, reader.looks)
            return columns


def _decoded(column: Arrow) -> Arrow:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _encoded(column: Arrow) -> tuple[Arrow, npt.NDArray[np.int32]]:
    """Return the distinct values of a column and each record's place among them, -1 for null."""
    encoded: Arrow = pc.dictionary_encode(_decoded(column).combine_chunks())
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return encoded.dictionary, codes.astype(np.int32)


def _coded(column: Arrow) -> CodedColumn:
    dictionary, codes = _encoded(column)
    return CodedColumn(tuple(dictionary.to_pylist()), codes)


def _tags(column: Arrow) -> TagColumn:
    lists = column.combine_chunks()
    dictionary, codes = _encoded(pa.chunked_array([pc.list_flatten(lists)]))
    parents: Arrow = pc.list_parent_indices(lists)
    rows = parents.to_numpy()
    once = ~_repeated(codes, rows)
    return TagColumn(tuple(dictionary.to_pylist()), codes[once], rows[once])


def _repeated(codes: npt.NDArray[np.int32], rows: npt.NDArray[np.int64]) -> Mask:
    """Return where a list holds a value that it held before: bool (m,); `rows` rise."""
    repeated = np.zeros(len(codes), np.bool_)
    for distance in range(1, len(codes)):
        together = rows[distance:] == rows[:-distance]
        if not together.any():
            break
        repeated[distance:] |= together & (codes[distance:] == codes[:-distance])
    return repeated


def _groups(column: Arrow) -> GroupColumn:
    dictionary, codes = _encoded(column)
    return GroupColumn(codes, np.bincount(codes[codes >= 0], minlength=len(dictionary)))


def _numbers(column: Arrow) -> npt.NDArray[np.float64]:
    filled: Arrow = column.cast(pa.float64()).fill_null(float("nan"))
    numbers: npt.NDArray[np.float64] = filled.to_numpy()
    return numbers


def _spans(length: int, column: Arrow) -> SpanColumn:
    numbers = _numbers(column)
    counted = (numbers >= 0) & (numbers < _MOST_COUNTED)  # NaN (not stated) is neither
    codes = np.full(len(numbers), -1, np.int32)
    codes[counted] = numbers[counted] // length
    starts = range(0, length * int(codes.max(initial=-1) + 1), length)
    if length == 1:
        return SpanColumn(tuple(starts), codes)
    return SpanColumn(tuple(f"{start}-{start + length - 1}" for start in starts), codes)


def _flags(column: Arrow) -> npt.NDArray[np.int8]:
    flags: npt.NDArray[np.int8] = column.cast(pa.int8()).fill_null(-1).to_numpy()
    return flags


def _hashes(column: Arrow) -> npt.NDArray[np.uint64]:
    filled: Arrow = column.fill_null(bytes(_HASH_BYTES)).combine_chunks()
    raw = filled.cast(pa.binary(_HASH_BYTES))
    words = np.frombuffer(raw.buffers()[1], np.uint64).reshape(-1, _HASH_BYTES // 8)
    return words[raw.offset : raw.offset + len(raw)]


def _mask(flags: Arrow) -> Mask:
    mask: Mask = flags.to_numpy().astype(np.bool_)
    return mask

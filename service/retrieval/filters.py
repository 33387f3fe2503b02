"""Filters: the grammar of OpenAI's vector stores, evaluated exactly over a build's columns.

A comparison holds only where the field is stated: an unknown modality is neither `eq` nor `ne` to
CT. Lists (`labels`, `concepts`) hold what they hold: `eq` means contains, `ne` does not contain.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np

from indexer.errors import QueryError
from service.retrieval.columns import (
    FILTER_COLUMNS,
    BuildColumns,
    ColumnKind,
    Mask,
    TagColumn,
)

Scalar: TypeAlias = str | float | bool
ComparisonOp: TypeAlias = Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]

MAX_COMPARISONS = 64
MAX_DEPTH = 8
_VALUES_LISTED = 30
# JSON's integers have no limit. The columns are doubles, which hold whole numbers up to 2^53, and
# receipts are written with 64 bits.
_LARGEST_INTEGER = 2**53
_LARGEST_NUMBER = 1e300
_ORDERINGS: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
)
_NEGATIONS = frozenset({"ne", "nin"})
_TYPED_OPERATORS: Mapping[str, ComparisonOp] = MappingProxyType(
    {"=": "eq", "!=": "ne", ">=": "gte", "<=": "lte", ">": "gt", "<": "lt"}
)
_TYPED = re.compile(r"([^=!<>]+)(!=|>=|<=|=|>|<)(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field against one value; against a tuple of values for `in` and `nin`."""

    key: str
    op: ComparisonOp
    value: Scalar | tuple[Scalar, ...]

    @property
    def values(self) -> tuple[Scalar, ...]:
        """The value or values as a tuple."""
        return self.value if isinstance(self.value, tuple) else (self.value,)


@dataclass(frozen=True, slots=True)
class Combination:
    """All (`and`) or any (`or`) of some filters; of none: `and` holds everywhere, `or` nowhere."""

    op: Literal["and", "or"]
    filters: "tuple[Filter, ...]"


Filter: TypeAlias = Comparison | Combination


def check_filter(chosen: Filter, builds: Sequence[BuildColumns]) -> None:
    """Refuse a filter that one of its searched builds could only answer by ignoring part of it.

    Raises
    ------
    QueryError
        Unknown field, an operator or value that does not fit it, a categorical value that none
        of the builds holds, or a filter too large. Names what is valid; never repeats the input.
    """
    comparisons = _comparisons(chosen, depth=1)
    if len(comparisons) > MAX_COMPARISONS:
        raise QueryError(
            "The filter has too many comparisons.",
            remedy=f"At most {MAX_COMPARISONS} are allowed; `in` takes many values at once.",
        )
    for comparison in comparisons:
        _check_comparison(comparison, builds)


def evaluate(chosen: Filter, build: BuildColumns) -> Mask:
    """Return which records of a build a checked filter allows: bool (n,)."""
    if isinstance(chosen, Comparison):
        return _evaluate_comparison(chosen, build)
    mask: Mask = np.full(build.records, chosen.op == "and", np.bool_)
    for part in chosen.filters:
        join = np.logical_and if chosen.op == "and" else np.logical_or
        join(mask, evaluate(part, build), out=mask)
    return mask


def check_field(what: str, name: str, known: Iterable[str], builds: Sequence[BuildColumns]) -> None:
    """Refuse a field that is not among those `known`, or that none of the builds has.

    Where there are no builds, as all are excluded, any known field will do.

    Raises
    ------
    QueryError
        Names the fields that there are, and the nearest of them; never repeats the input.
    """
    present = {one for one in known if not builds or any(one in build.names for build in builds)}
    if name not in present:
        raise QueryError(
            f"{what} names a field that the searched indexes do not have.",
            remedy=f"{_suggest(name, present)}Fields: {', '.join(sorted(present)) or 'none'}.",
        )


def _comparisons(chosen: Filter, depth: int) -> list[Comparison]:
    if depth > MAX_DEPTH:
        raise QueryError(
            "The filter is nested too deeply.", remedy=f"At most {MAX_DEPTH} levels are allowed."
        )
    if isinstance(chosen, Comparison):
        return [chosen]
    return [one for part in chosen.filters for one in _comparisons(part, depth + 1)]


def _check_comparison(comparison: Comparison, builds: Sequence[BuildColumns]) -> None:
    key, op = comparison.key, comparison.op
    check_field("A filter", key, FILTER_COLUMNS, builds)
    kind = FILTER_COLUMNS[key]
    if isinstance(comparison.value, tuple) != (op in {"in", "nin"}):
        raise QueryError(
            f"The filter on {key!r} has the wrong number of values.",
            remedy="`in` and `nin` take a list; every other operator takes one value.",
        )
    if op in _ORDERINGS and kind != "number":
        raise QueryError(
            f"{key!r} has no order, so {op!r} does not apply to it.",
            remedy="Use eq, ne, in or nin.",
        )
    for value in comparison.values:
        _check_value(key, kind, value)
    if kind in {"category", "tags"} and builds:
        _check_category(comparison, kind, builds)


def _check_value(key: str, kind: ColumnKind, value: Scalar) -> None:
    """Refuse a value of another type than the field's."""
    if kind == "flag":
        fits, wanted = isinstance(value, bool), "true or false"
    elif kind == "number":
        fits, wanted = _is_number(value), "a finite number, a whole one up to 2^53"
    else:
        fits, wanted = isinstance(value, str), "a string"
    if not fits:
        raise QueryError(
            f"The filter on {key!r} has a value of the wrong type.", remedy=f"Give {wanted}."
        )


def _is_number(value: Scalar) -> bool:
    """Return whether a value is a finite number that a column could hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= (_LARGEST_INTEGER if isinstance(value, int) else _LARGEST_NUMBER)


def _check_category(
    comparison: Comparison, kind: ColumnKind, builds: Sequence[BuildColumns]
) -> None:
    """Refuse a value that no searched build holds: a slip that would silently find nothing."""
    valid: set[str] = set()
    for build in builds:
        if comparison.key in build.names:
            column = build.coded if kind == "category" else build.tags
            valid.update(column(comparison.key).values)
    for value in comparison.values:
        if value not in valid:
            listed = sorted(valid)[:_VALUES_LISTED]
            more = f" and {len(valid) - len(listed)} more" if len(valid) > len(listed) else ""
            raise QueryError(
                f"No searched record has that value of {comparison.key!r}.",
                remedy=f"{_suggest(str(value), valid)}Values: {', '.join(listed) or 'none'}{more}.",
            )


def _suggest(name: str, known: set[str]) -> str:
    folded = {one.casefold(): one for one in known}
    near = get_close_matches(name.casefold(), folded, n=1)
    return f"Did you mean {folded[near[0]]!r}? " if near else ""


def _evaluate_comparison(comparison: Comparison, build: BuildColumns) -> Mask:
    key, op = comparison.key, comparison.op
    if key not in build.names:
        return np.zeros(build.records, np.bool_)
    match FILTER_COLUMNS[key]:
        case "number" if op in _ORDERINGS:
            # NaN (not stated) compares false.
            ordered: Mask = _ORDERINGS[op](build.numbers(key), comparison.value)
            return ordered
        case "number":
            found = np.isin(build.numbers(key), np.array(comparison.values, np.float64))
        case "flag":
            found = np.isin(build.flags(key), np.array(comparison.values, np.int8))
        case "identifier":
            found = build.holds_any(key, comparison.values)
        case "category":
            column = build.coded(key)
            found = _chosen(column.values, comparison)[column.codes]
        case "tags":
            return _tag_mask(comparison, build.tags(key), build.records)
    return build.stated(key) & ~found if op in _NEGATIONS else found


def _tag_mask(comparison: Comparison, column: TagColumn, records: int) -> Mask:
    held = column.holders(frozenset(comparison.values).__contains__, records)
    return ~held if comparison.op in _NEGATIONS else held


def _chosen(values: tuple[str, ...], comparison: Comparison) -> Mask:
    """Return which of a column's values are asked for; one False more, which code -1 picks."""
    wanted = set(comparison.values)
    return np.array([*(value in wanted for value in values), False], np.bool_)


def parse_comparison(text: str) -> Comparison:
    """Read a comparison as people type it: `modality=CT`, `age_years>=60`, `contrast!=true`.

    Raises
    ------
    QueryError
        No operator, an unknown field, or a value that its field cannot have.
    """
    found = _TYPED.fullmatch(text)
    if found is None:
        raise QueryError(
            "A filter could not be read.",
            remedy=f"Write FIELD=VALUE; operators: {', '.join(_TYPED_OPERATORS)}.",
        )
    key, sign, value = (part.strip() for part in found.groups())
    kind = FILTER_COLUMNS.get(key, "category")
    if kind == "flag" and value.casefold() in {"true", "false"}:
        return Comparison(key, _TYPED_OPERATORS[sign], value.casefold() == "true")
    if kind == "number":
        try:
            return Comparison(key, _TYPED_OPERATORS[sign], float(value))
        except ValueError:
            raise QueryError(f"The filter on {key!r} needs a number.") from None
    return Comparison(key, _TYPED_OPERATORS[sign], value)

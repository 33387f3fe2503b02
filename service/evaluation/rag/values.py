"""Reads a calculated value out of a model's answer: a number, a date, or weeks and days."""

import math
import re
import unicodedata
from datetime import date
from typing import TypeAlias

from indexer.records import TextRecord
from indexer.text.normalise import split_thoughts

Value: TypeAlias = float | date | tuple[int, int]
"""A number; a date; whole weeks and days, as MedCalc-Bench gives gestational ages."""

_STATED = re.compile(r"(?:\banswers?\b(?:\s+is\b)?|\\boxed)[\s*_`]*[:={]?[\s*_`$]*([^\n]+)", re.I)
_NUMBER = re.compile(
    r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|(?<=\d))"
    r"(?:\s*(?:[xX×*]\s*10\s*\^?\s*\{?|[eE])\s*([-+]?\d+)\}?)?"
)
_DATE = re.compile(r"(?<!\d)(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?!\d)")
_ISO_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_WEEKS = re.compile(r"(\d+)\s*weeks?(?:[\s,]*(?:and\s*)?(\d+)\s*days?)?", re.IGNORECASE)
# The published limits are rounded: a value on a limit must not fail by its last binary digit.
_SLACK = 1e-9


def read_value(answer: str, record: TextRecord) -> Value | None:
    """Return the value that an answer settles on, of the kind that the record's own answer is.

    The last statement of an answer ("Answer: 25.2 mL/min") counts: its first value, after an
    equals sign if it calculates; without one, the last value of the answer. None if there is none.
    """
    _, said = split_thoughts(answer)
    said = unicodedata.normalize("NFKC", said).replace("\u2212", "-")
    kind = type(_value_as_written(record.answer))
    for statement in reversed(_STATED.findall(said)):
        found = _find(statement.rsplit("=", 1)[-1], kind) or _find(statement, kind)
        if found:
            return found[0]
    found = _find(said, kind)
    return found[-1] if found else None


def is_within_limits(value: Value, record: TextRecord) -> bool:
    """Return whether a value is right: within MedCalc-Bench's limits, or a date or duration itself.

    Limits are inclusive. Where none are given, the published answer is the only right one.
    """
    wanted = _value_as_written(record.answer)
    if not isinstance(wanted, float) or not isinstance(value, float):
        return value == wanted
    limits = [
        limit
        for limit in map(_value_as_written, (record.answer_lower or "", record.answer_upper or ""))
        if isinstance(limit, float)
    ]
    # Of a negative answer the published "lower" limit, 95 % of it, is the greater one.
    low, high = (min(limits), max(limits)) if limits else (wanted, wanted)
    slack = _SLACK * max(1.0, abs(low), abs(high))
    return low - slack <= value <= high + slack


def _value_as_written(text: str) -> Value | None:
    """Return what a published answer or limit says."""
    for kind in (date, tuple, float):
        found = _find(text, kind)
        if found:
            return found[0]
    return None


def _find(text: str, kind: type) -> list[Value]:
    """Return all values of one kind in a text, in their order."""
    if kind is date:
        return [*_dates(text)]
    if kind is tuple:
        return [(int(weeks), int(days or 0)) for weeks, days in _WEEKS.findall(text)]
    return [*_numbers(text)]


def _dates(text: str) -> list[date]:
    """Return the dates of a text; MedCalc-Bench writes month/day/year."""
    found = [(year, month, day) for month, day, year in _DATE.findall(text)]
    found += _ISO_DATE.findall(text)
    dates = []
    for year, month, day in found:
        try:
            dates.append(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return dates


def _numbers(text: str) -> list[float]:
    numbers = []
    for found in _NUMBER.finditer(text):
        mantissa = re.match(r"[-+]?[\d,]*\.?\d*", found[0])
        digits = mantissa[0].replace(",", "") if mantissa else ""
        if not any(letter.isdigit() for letter in digits):
            continue
        value = float(digits) * 10.0 ** min(300, int(found[1] or 0))
        if math.isfinite(value):
            numbers.append(value)
    return numbers

"""What a clinical calculator is, and what one calculation with a drawn patient gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

Entity: TypeAlias = str | bool | float | tuple[float, str]
OutputType: TypeAlias = Literal["decimal", "integer", "date"]
_TOLERANCE = 0.05


class PatientDraw:
    """Draws a patient's values and keeps them as the words that the note will use.

    `within` narrows what is drawn, so that a note about a newborn is not given an adult's age: a
    slot's bounds, or the one word it may be.
    """

    def __init__(
        self, rng: np.random.Generator, within: Mapping[str, Sequence[float] | str] | None = None
    ) -> None:
        self._rng = rng
        self._within = within or {}
        self.slots: dict[str, str] = {}

    def number(self, slot: str, low: float, high: float, decimals: int = 0) -> float:
        """Return a number between two bounds, both included, with so many decimals."""
        bounds = self._within.get(slot)
        if bounds is not None and not isinstance(bounds, str):
            low, high = bounds
        scale = 10**decimals
        drawn = int(self._rng.integers(round(low * scale), round(high * scale), endpoint=True))
        value = drawn / scale if decimals else drawn
        self.slots[slot] = str(value)
        return value

    def person(self, youngest: int, oldest: int) -> tuple[int, str]:
        """Return an age in years and "woman" or "man"."""
        age = int(self.number("age", youngest, oldest))
        fixed = self._within.get("sex")
        drawn = "woman" if self._rng.random() < 0.5 else "man"
        self.slots["sex"] = fixed if isinstance(fixed, str) else drawn
        return age, self.slots["sex"]

    def chance(self, probability: float) -> bool:
        """Return True with that probability."""
        return bool(self._rng.random() < probability)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculation:
    """One patient's values (`slots` for the note, `entities` for the table) and the answer.

    The limits are 5 % below and above a decimal answer, and the answer itself otherwise.
    """

    slots: Mapping[str, str]
    entities: Mapping[str, Entity]
    answer: str
    lower: str
    upper: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculator:
    """A calculator under its number in MedCalc-Bench; `draw` makes up a patient and calculates."""

    number: int
    name: str
    category: str
    output_type: OutputType
    question: str
    draw: Callable[[PatientDraw], Calculation]


def decimal_answer(
    value: float, slots: Mapping[str, str], entities: Mapping[str, Entity], explanation: str
) -> Calculation:
    """Return the calculation of a number with three decimals and limits at 5 %."""
    answer = round(value, 3)
    low, high = sorted((answer * (1 - _TOLERANCE), answer * (1 + _TOLERANCE)))
    return Calculation(
        slots=slots,
        entities=entities,
        answer=str(answer),
        lower=str(round(low, 3)),
        upper=str(round(high, 3)),
        explanation=f"{explanation} = {answer}.",
    )


def exact_answer(
    answer: str, slots: Mapping[str, str], entities: Mapping[str, Entity], explanation: str
) -> Calculation:
    """Return the calculation of a score, a date or a duration, for which the limits are equal."""
    return Calculation(
        slots=slots,
        entities=entities,
        answer=answer,
        lower=answer,
        upper=answer,
        explanation=explanation,
    )


def entity_text(entities: Mapping[str, Entity]) -> str:
    """Return entities as the Python literal of MedCalc-Bench: values with units as lists."""
    written = {
        name: list(value) if isinstance(value, tuple) else value for name, value in entities.items()
    }
    return repr(written)

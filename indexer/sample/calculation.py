"""What a clinical calculator is, and what one calculation with a drawn patient gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

Entity: TypeAlias = str | bool | float | tuple[float, str]
OutputType: TypeAlias = Literal["decimal", "integer", "date"]
_TOLERANCE = 0.05


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
    draw: Callable[[np.random.Generator], Calculation]


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
    """Return entities as the Python literal that MedCalc-Bench writes: values with units as lists."""
    written = {
        name: list(value) if isinstance(value, tuple) else value for name, value in entities.items()
    }
    return repr(written)


def draw_sex(rng: np.random.Generator) -> str:
    """Return "woman" or "man"."""
    return "woman" if rng.random() < 0.5 else "man"


def draw_number(rng: np.random.Generator, low: float, high: float, decimals: int = 0) -> float:
    """Return a number between two bounds, both included, with so many decimals."""
    scale = 10**decimals
    drawn = int(rng.integers(round(low * scale), round(high * scale), endpoint=True))
    return drawn / scale if decimals else drawn


def text_of(value: float) -> str:
    """Return a number as a note writes it: no decimals where there are none."""
    return str(value)

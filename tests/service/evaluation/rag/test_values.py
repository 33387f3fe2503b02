"""Numbers, dates and durations are read, and held against MedCalc-Bench's limits."""

from datetime import date
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.evaluation.rag.values import is_within_limits, read_value


@pytest.fixture
def record(kit: SimpleNamespace):
    def make(answer: str, low: str | None = None, high: str | None = None):
        return kit.text_record(
            "calc", 1, answer=answer, answer_lower=low, answer_upper=high, calculator="C"
        )

    return make


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("25.2", 25.2),
        ("Answer: 1,234.5 mL/min", 1234.5),
        ("Answer: \N{MINUS SIGN}3.4 mEq/L", -3.4),
        ("Answer: 4.2 × 10^9", 4.2e9),
        ("Answer: 1e-3", 0.001),
        ("The CHA2DS2-VASc score is summed.\n**Answer:** 3 points", 3.0),
        ("Answer: (2/3) x 77 + (1/3) x 145 = 99.667", 99.667),
        ("72 kg and 1.8 m give 22.2", 22.2),
        ("<think>Answer: 5</think>Answer: .75", 0.75),
    ],
)
def test_the_stated_number_is_read(record, answer: str, value: float) -> None:
    assert read_value(answer, record("7")) == pytest.approx(value)


def test_dates_and_durations_are_read_as_such(record) -> None:
    due = record("08/31/2005", "08/31/2005", "08/31/2005")
    assert read_value("Answer: 08/31/2005", due) == date(2005, 8, 31)
    assert read_value("Answer: 2005-08-31", due) == date(2005, 8, 31)
    assert read_value("Answer: 31 August", due) is None
    assert read_value("Answer: 13/45/2005", due) is None
    age = record("8 weeks, 1 days", "8 weeks, 1 days", "8 weeks, 1 days")
    assert read_value("Answer: 8 weeks and 1 day", age) == (8, 1)
    assert is_within_limits((8, 1), age)
    assert not is_within_limits((8, 2), age)
    assert is_within_limits(date(2005, 8, 31), due)
    assert not is_within_limits(date(2005, 8, 30), due)


def test_limits_are_inclusive_and_may_be_swapped(record) -> None:
    creatinine = record("25.238", "23.9761", "26.4999")
    assert is_within_limits(23.9761, creatinine)
    assert is_within_limits(26.4999, creatinine)
    assert not is_within_limits(23.976, creatinine)
    assert not is_within_limits(26.5, creatinine)
    base_excess = record("-10", "-9.5", "-10.5")
    assert is_within_limits(-10.2, base_excess)
    assert not is_within_limits(10.0, base_excess)
    assert is_within_limits(7.0, record("7"))
    assert not is_within_limits(7.1, record("7"))


@given(st.floats(-1e9, 1e9).map(lambda value: round(value, 3)))
def test_a_number_is_read_back(value: float) -> None:
    record = SimpleNamespace(answer="1")
    assert read_value(f"Answer: {value:,.3f}", record) == pytest.approx(value, abs=1e-6)


@given(st.text(max_size=60))
def test_any_text_has_a_value_or_none(text: str) -> None:
    read_value(text, SimpleNamespace(answer="1"))
    read_value(text, SimpleNamespace(answer="08/31/2005"))

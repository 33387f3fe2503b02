import math

import pytest

from indexer.datasets.raw_row import RawRow
from indexer.errors import BadRecordError


def row(**values: object) -> RawRow:
    return RawRow(path="a/b.csv", line=7, index=5, values=values)


def test_a_name_is_found_as_spelt_before_it_is_found_folded() -> None:
    both = RawRow(path="t", line=1, index=0, values={"patient note": "folded", "Note": "second"})
    assert both.get("Patient_Note", "Note") == "second"
    assert both.get("PATIENT-NOTE") == "folded"
    assert both.get("Doctor") is None


@pytest.mark.parametrize("value", [None, "", " \t\n", "\u00a0", math.nan])
def test_null_blank_and_nan_are_no_text(value: object) -> None:
    assert row(a=value).optional_text("a") is None
    with pytest.raises(BadRecordError, match=r"a/b\.csv:7: a is missing or empty"):
        row(a=value).text("a")


@pytest.mark.parametrize(("value", "text"), [(3, "3"), (0, "0"), (2.5, "2.5"), (" x ", " x ")])
def test_numbers_are_written_out_and_text_stays_as_it_is(value: object, text: str) -> None:
    assert row(a=value).text("a") == text


@pytest.mark.parametrize("value", [True, ["x"], {"x": 1}])
def test_what_is_neither_text_nor_number_is_refused(value: object) -> None:
    with pytest.raises(BadRecordError, match="expected text"):
        row(a=value).optional_text("a")


def test_the_error_carries_the_place() -> None:
    error = row().bad("why")
    assert (error.path, error.line, error.reason) == ("a/b.csv", 7, "why")

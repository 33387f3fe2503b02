import itertools

from hypothesis import given
from hypothesis import strategies as st

from indexer.pixels.thinning import mark_slices, spread
from indexer.records import ImageRecord, ImageRef, Reject


def slice_record(number: int, series: str | None = "one", modality: str = "CT") -> ImageRecord:
    name = f"{series}{number}"
    return ImageRecord(
        record_id=f"d/all/{name}", dataset="d", split="all", source_id=name, source_path=name,
        case_id="p", licence="none", image=ImageRef(path=name), modality=modality,
        series_id=series, slice_number=number,
    )  # fmt: skip


def marked(rows: list[ImageRecord | Reject], most: int | None) -> list[bool]:
    pairs = list(mark_slices(iter(rows), most))
    assert [row for row, _ in pairs] == rows
    return [mark for _, mark in pairs]


@given(st.integers(0, 500), st.integers(1, 60))
def test_slices_are_spread_evenly(count: int, most: int) -> None:
    places = spread(count, most)
    assert len(places) == min(count, most)
    assert len(set(places)) == len(places)
    if len(places) > 1:
        steps = [after - before for before, after in itertools.pairwise(places)]
        assert max(steps) - min(steps) <= 1
        assert abs(places[0] - (count - 1 - places[-1])) <= 1


def test_all_are_kept_on_request_and_none_on_request() -> None:
    assert spread(9, None) == list(range(9))
    assert spread(9, 0) == []


def test_each_series_is_thinned_by_itself() -> None:
    rows = [slice_record(n) for n in range(4)] + [slice_record(n, "two") for n in range(8)]
    assert marked(rows, 2) == [False, True, False, True,
                               False, False, True, False, False, False, True, False]  # fmt: skip


def test_only_ct_is_marked_and_what_has_no_series_stands_alone() -> None:
    reject = Reject(path="x", line=None, reason="broken")
    rows = [slice_record(0, None), slice_record(1, None), reject, slice_record(2, "mr", "MRI")]
    assert marked(rows, 1) == [True, True, False, False]


def test_rows_are_asked_for_no_further_ahead_than_a_series() -> None:
    asked: list[int] = []

    def rows():  # type: ignore[no-untyped-def]
        for number in range(6):
            asked.append(number)
            yield slice_record(number, f"series{number // 2}")

    next(mark_slices(rows(), 1))
    assert asked == [0, 1, 2]

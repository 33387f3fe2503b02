"""Which slices of a CT series are looked at by window: some, spread evenly, since neighbours agree.

Every slice becomes a record with its `image` embedding; only the embeddings by window are thinned.
"""

from collections.abc import Iterator

from indexer.records import ImageRecord, Row

SLICES_PER_SERIES = 32
"""Slices of a series that are embedded by window, unless all are asked for.

One a centimetre in a chest of 320 mm.
"""

_CT = "CT"
# A dataset's reader puts at most so many files in order at a time; no more are waited for here.
_MOST_WAITING = 4096


def mark_slices(rows: Iterator[Row], most: int | None) -> Iterator[tuple[Row, bool]]:
    """Pair each row with whether it is to be looked at by window; the order stays.

    Of each run of CT rows of one series, `most` are marked (None: all), those in the middle of
    `most` equal parts: slice floor((i + 1/2) n / most) of n. Rows of no series are marked if they
    are CT. Slices that show nearly nothing but air are dropped later, when their pixels are known
    (`indexer.pixels.ct_windows.visible_windows`).
    """
    waiting: list[Row] = []
    for row in rows:
        if waiting and (len(waiting) == _MOST_WAITING or not _together(waiting[-1], row)):
            yield from _mark(waiting, most)
            waiting = []
        waiting.append(row)
    yield from _mark(waiting, most)


def spread(count: int, most: int | None) -> list[int]:
    """Return at most `most` of the places 0 to `count` - 1, the middles of equal parts, rising."""
    if most is None or count <= most:
        return list(range(count))
    return [(2 * part + 1) * count // (2 * most) for part in range(most)]


def _mark(run: list[Row], most: int | None) -> Iterator[tuple[Row, bool]]:
    chosen = set(spread(len(run), most))
    for place, row in enumerate(run):
        yield row, place in chosen and _is_ct(row)


def _together(row: Row, other: Row) -> bool:
    """Tell whether two rows are CT slices of one series."""
    return (
        isinstance(row, ImageRecord)
        and isinstance(other, ImageRecord)
        and _is_ct(row)
        and _is_ct(other)
        and row.series_id is not None
        and row.series_id == other.series_id
    )


def _is_ct(row: Row) -> bool:
    return isinstance(row, ImageRecord) and row.modality == _CT

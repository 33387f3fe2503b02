import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.store import subset as subset_module
from indexer.store.subset import Mask, Rows, Subset, intersect

CODES = np.arange(60, dtype=np.uint8).reshape(20, 3)
MASKS = st.lists(st.booleans(), min_size=20, max_size=20).map(lambda held: np.array(held, bool))


@given(mask=MASKS)
def test_codes_are_copied_once_a_search_has_ended(mask: Mask) -> None:
    subset = Subset(mask, repeats=True)
    part = subset.part("image", np.flatnonzero)
    before = subset.nbytes
    assert before == 20 + 8 * len(part)
    # One search may ask twice.
    assert part.gather(CODES) is None
    assert part.gather(CODES) is None
    part.searches += 1
    copied = part.gather(CODES)
    assert copied is not None
    np.testing.assert_array_equal(copied, CODES[mask])
    assert part.gather(CODES) is copied
    assert subset.nbytes == before + copied.nbytes


def test_a_subset_that_is_not_asked_again_copies_nothing() -> None:
    part = Subset(np.ones(20, bool)).part("image", np.flatnonzero)
    part.searches += 1
    assert part.gather(CODES) is None


def test_codes_that_are_too_large_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subset_module, "MOST_KEPT", 20 + 2 * 80 + 30)
    subset = Subset(np.arange(20) < 10, repeats=True)
    parts = [subset.part(field, np.flatnonzero) for field in ("image", "caption")]
    for part in parts:
        part.searches += 1
    # The first takes all that there is room for.
    assert [part.gather(CODES) is None for part in parts] == [False, True]
    assert [part.gather(CODES) is None for part in parts] == [False, True]


def test_places_are_found_once_for_each_field() -> None:
    asked: list[str] = []

    def find(mask: Mask) -> Rows:
        asked.append("")
        return np.flatnonzero(mask)

    subset = Subset(np.arange(20) % 3 == 0)
    assert subset.count == 7
    assert subset.part("image", find) is subset.part("image", find)
    assert subset.part("image", find).places.tolist() == [0, 3, 6, 9, 12, 15, 18]
    assert subset.part("caption", find) is not subset.part("image", find)
    assert len(asked) == 2
    assert subset.nbytes == 20 + 2 * 7 * 8


def test_a_mask_cannot_be_written_any_more() -> None:
    mask = np.ones(3, bool)
    Subset(mask)
    with pytest.raises(ValueError, match="read-only"):
        mask[0] = False


@given(one=st.none() | MASKS, other=st.none() | MASKS)
def test_what_two_subsets_share_is_what_both_masks_allow(
    one: Mask | None, other: Mask | None
) -> None:
    everything = np.ones(20, bool)
    expected = everything if one is None else one.copy()
    expected = expected if other is None else expected & other
    both = intersect(*(None if mask is None else Subset(mask) for mask in (one, other)))
    assert (both is None) == bool(expected.all())
    if both is not None:
        np.testing.assert_array_equal(both.mask, expected)

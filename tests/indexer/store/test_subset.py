import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.store import subset as subset_module
from indexer.store.subset import Mask, Part, Rows, Subset, intersect

CODES = np.arange(60, dtype=np.uint8).reshape(20, 3)
MASKS = st.lists(st.booleans(), min_size=20, max_size=20).map(lambda held: np.array(held, bool))


@given(mask=MASKS)
def test_codes_are_copied_from_the_second_search_on(mask: Mask) -> None:
    part = Part(np.flatnonzero(mask))
    assert part.gather(CODES) is None
    assert part.nbytes == 8 * len(part)
    copied = part.gather(CODES)
    assert copied is not None
    np.testing.assert_array_equal(copied, CODES[mask])
    assert part.gather(CODES) is copied
    assert part.nbytes == 8 * len(part) + copied.nbytes


def test_codes_that_are_too_large_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subset_module, "MOST_GATHERED", 30)
    large, small = Part(np.arange(11)), Part(np.arange(10))
    assert [large.gather(CODES) is None for _ in range(3)] == [True, True, True]
    assert [small.gather(CODES) is None for _ in range(3)] == [True, False, False]


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

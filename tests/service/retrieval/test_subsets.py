import gc
import weakref
from pathlib import Path

import numpy as np
import pytest

from indexer.store.index_set import IndexSet
from indexer.store.reader import IndexReader
from service.retrieval import subsets as subsets_module
from service.retrieval.columns import ColumnCache
from service.retrieval.filters import Comparison
from service.retrieval.subsets import SubsetCache

CT, MR = (Comparison("modality", "eq", modality) for modality in ("CT", "MR"))


@pytest.fixture
def reader(indexes_dir: Path) -> IndexReader:
    return IndexSet(indexes_dir).snapshot()["scans"]


def test_a_filter_is_evaluated_once(reader: IndexReader) -> None:
    subsets = SubsetCache(ColumnCache())
    [first] = subsets.allowed([reader], CT)
    [second] = subsets.allowed([reader], Comparison("modality", "eq", "CT"))
    assert first is second
    assert first is not None
    assert first.count == 12
    assert subsets.count([reader, reader], CT) == 24


def test_no_filter_is_no_subset(reader: IndexReader) -> None:
    assert SubsetCache(ColumnCache()).allowed([reader], None) == [None]


def test_the_oldest_are_dropped(reader: IndexReader) -> None:
    subsets = SubsetCache(ColumnCache(), kept_bytes=30)  # one of 24 records fits, two do not
    [first] = subsets.allowed([reader], CT)
    subsets.allowed([reader], MR)
    [again] = subsets.allowed([reader], CT)
    assert first is not again
    assert first is not None
    assert again is not None
    np.testing.assert_array_equal(first.mask, again.mask)


def test_what_grows_with_use_makes_room(reader: IndexReader) -> None:
    subsets = SubsetCache(ColumnCache(), kept_bytes=60)
    [first] = subsets.allowed([reader], CT)
    assert first is not None
    assert subsets.allowed([reader], MR) == subsets.allowed([reader], MR)
    assert subsets.allowed([reader], CT) == [first]
    first.part("image", np.flatnonzero)  # 96 bytes more
    subsets.allowed([reader], MR)
    assert subsets.allowed([reader], CT) != [first]


def test_many_small_ones_are_not_kept_either(
    reader: IndexReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subsets_module, "_KEPT_FILTERS", 1)
    subsets = SubsetCache(ColumnCache())
    [first] = subsets.allowed([reader], CT)
    subsets.allowed([reader], MR)
    assert subsets.allowed([reader], CT) != [first]


@pytest.mark.parametrize("chosen", [MR, None])
def test_those_of_builds_that_are_let_go_are_dropped(
    indexes_dir: Path, reader: IndexReader, chosen: Comparison | None
) -> None:
    """By the next search, filtered or not."""
    subsets = SubsetCache(ColumnCache())
    earlier = IndexReader.open(indexes_dir / "scans")
    [first] = subsets.allowed([earlier], CT)
    [other] = subsets.allowed([reader], CT)
    assert first is not other
    gone = weakref.ref(first)
    del first, earlier
    subsets.allowed([reader], chosen)
    gc.collect()
    assert gone() is None
    assert subsets.allowed([reader], CT) == [other]

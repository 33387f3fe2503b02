from pathlib import Path

from indexer.store.index_set import IndexSet
from service.retrieval.columns import ColumnCache
from service.retrieval.filters import Comparison
from service.retrieval.masks import MaskCache, count_allowed


def test_a_mask_is_evaluated_once_and_cannot_be_written(indexes_dir: Path) -> None:
    reader = IndexSet(indexes_dir).snapshot()["scans"]
    masks = MaskCache(ColumnCache())
    chosen = Comparison("modality", "eq", "CT")
    [first] = masks.allowed([reader], chosen)
    [second] = masks.allowed([reader], Comparison("modality", "eq", "CT"))
    assert first is second
    assert first is not None
    assert not first.flags.writeable
    assert count_allowed(first, 24) == 12


def test_no_filter_is_no_mask(indexes_dir: Path) -> None:
    reader = IndexSet(indexes_dir).snapshot()["scans"]
    assert MaskCache(ColumnCache()).allowed([reader], None) == [None]
    assert count_allowed(None, 24) == 24


def test_the_oldest_masks_are_dropped(indexes_dir: Path) -> None:
    reader = IndexSet(indexes_dir).snapshot()["scans"]
    masks = MaskCache(ColumnCache(), kept_bytes=30)  # one mask of 24 records fits, two do not
    [first] = masks.allowed([reader], Comparison("modality", "eq", "CT"))
    masks.allowed([reader], Comparison("modality", "eq", "MR"))
    [again] = masks.allowed([reader], Comparison("modality", "eq", "CT"))
    assert first is not again
    assert first is not None
    assert again is not None
    assert first.tolist() == again.tolist()

"""Columns are kept as long as somebody may read the build that they are of."""

import gc
import shutil
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest

from indexer.store.index_set import IndexSet
from service.opening import Opened, assemble
from service.retrieval.columns import ColumnCache
from service.retrieval.encoding import QueryEncoders
from service.retrieval.filters import Comparison
from service.retrieval.query import ImageSource, Query, RecordSource, TextSource


@pytest.fixture
def served(tmp_path: Path, kit: SimpleNamespace) -> Opened:
    """Two indexes of a folder that may be changed, and what serves them."""
    for name in ("scans", "films"):
        kit.publish(tmp_path, name, [kit.image_record(name, n) for n in range(6)])
    encoders = QueryEncoders(kit.loader(kit.HashEncoder()), kit.decode_grey)
    return assemble(IndexSet(tmp_path), encoders)


def search_all_ways(opened: Opened) -> None:
    chosen = Comparison("modality", "eq", "CT")
    for source in (TextSource("grey 3"), ImageSource(b"grey 3"), RecordSource("scans/train/3")):
        evidence = not isinstance(source, TextSource)
        query = Query(
            target="images", source=source, filters=chosen, group_by="case", evidence=evidence,
            facets=("modality",), exclude_same=frozenset({"near_duplicate"} if evidence else ()),
        )  # fmt: skip
        opened.retriever.search(query)


def test_columns_are_read_once_for_each_build(indexes_dir: Path) -> None:
    readers = IndexSet(indexes_dir).snapshot()
    columns = ColumnCache()
    assert columns.of(readers["scans"]) is columns.of(readers["scans"])
    assert columns.of(readers["scans"]) is not columns.of(readers["films"])


@pytest.mark.parametrize("superseded", [True, False])
def test_a_build_is_let_go_once_it_is_not_live(
    tmp_path: Path, kit: SimpleNamespace, served: Opened, *, superseded: bool
) -> None:
    search_all_ways(served)
    reader = served.indexes.snapshot()["films"]
    gone = [weakref.ref(one) for one in (reader, reader.table, served.columns.of(reader))]
    del reader
    if superseded:
        kit.publish(tmp_path, "films", [kit.image_record("films", n) for n in range(5)])
    else:
        shutil.rmtree(tmp_path / "films")
    assert served.indexes.refresh()
    served.retriever.search(Query(target="images", source=TextSource("grey 4"), indexes=("scans",)))
    gc.collect()
    assert [one() for one in gone] == [None] * 3


def test_whoever_holds_a_snapshot_keeps_its_columns(tmp_path: Path, served: Opened) -> None:
    snapshot = served.retriever.snapshot()
    kept = served.columns.of(snapshot["films"])
    shutil.rmtree(tmp_path / "films")
    served.indexes.refresh()
    search_all_ways(served)
    assert served.columns.of(snapshot["films"]) is kept

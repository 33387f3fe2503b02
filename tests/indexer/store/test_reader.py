from pathlib import Path

import numpy as np
import pytest

from indexer.errors import IndexNotFoundError, UnknownNameError
from indexer.store import reader as reader_module
from indexer.store.reader import IndexReader
from indexer.store.subset import Subset
from tests.indexer.store.conftest import DIM, Build, record


@pytest.fixture
def reader(build: Build, tmp_path: Path) -> IndexReader:
    build()
    return IndexReader.open(tmp_path / "tiny")


def test_records_and_thumbnails_come_back_as_they_were(reader: IndexReader) -> None:
    for number in range(40):
        row = reader.find(f"tiny/all/{number}")
        assert row is not None
        assert reader.record(row) == record(number)
        assert reader.thumbnail(row) == b"jpeg %d" % number
    assert reader.find("tiny/all/40") is None


def test_a_field_that_some_records_lack_still_names_the_right_rows(
    reader: IndexReader, vectors: np.ndarray
) -> None:
    for number in (1, 5, 38):
        [hits] = reader.search("caption", -vectors[[number]], 1)
        assert hits.rows.tolist() == [number]
    assert reader.vector("caption", 0) is None
    assert (reader.vector("caption", 38) == -vectors[38]).all()
    assert (reader.vector("image", 3) == vectors[3]).all()


@pytest.mark.parametrize(
    "query",
    [np.full((1, DIM), np.nan), np.full((1, DIM), np.inf), np.ones((1, DIM + 1)), np.ones(DIM)],
)
def test_queries_that_are_no_vectors_are_refused(reader: IndexReader, query: np.ndarray) -> None:
    with pytest.raises(ValueError, match="shape"):
        reader.search("image", query.astype(np.float32), 1)


def test_a_subset_of_another_length_is_refused(reader: IndexReader) -> None:
    with pytest.raises(ValueError, match="subset of 40 records"):
        reader.search("image", np.ones((1, DIM), np.float32), 1, allowed=Subset(np.ones(39, bool)))
    with pytest.raises(ValueError, match="subset of 40 records"):
        reader.search_lexical("number", 1, allowed=Subset(np.ones(41, bool)))


@pytest.mark.parametrize("row", [-1, 40])
def test_there_is_no_record_beyond_the_last(reader: IndexReader, row: int) -> None:
    with pytest.raises(IndexError):
        reader.record(row)
    with pytest.raises(IndexError):
        reader.thumbnail(row)


def test_an_id_is_found_by_itself_not_by_its_digest(
    reader: IndexReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = reader_module.id_digest("tiny/all/7")
    monkeypatch.setattr(reader_module, "id_digest", lambda _: digest)
    assert reader.find("tiny/all/7") == 7
    assert reader.find("tiny/all/8") is None


def test_what_a_field_holds_can_be_walked_through(reader: IndexReader, vectors: np.ndarray) -> None:
    assert reader.rows_of("caption").tolist() == [n for n in range(40) if n % 3]
    assert (reader.vectors("image") == vectors).all()
    assert not reader.vectors("image").flags.writeable
    assert reader.records_with("number") == 26
    assert reader.table.column("case_id")[5].as_py() == "case 2"


def test_an_unknown_field_is_named(reader: IndexReader) -> None:
    with pytest.raises(UnknownNameError, match="image"):
        reader.search("imago", np.ones((1, DIM), np.float32), 1)


def test_nothing_published_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError, match="medsearch index nowhere"):
        IndexReader.open(tmp_path / "nowhere")

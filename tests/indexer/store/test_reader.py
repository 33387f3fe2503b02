from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.errors import CorruptBuildError, IndexNotFoundError, UnknownNameError
from indexer.store.index_set import IndexSet
from indexer.store.reader import IndexReader
from indexer.store.verify import verify_build
from tests.indexer.store.conftest import DIM, Build, record, unit


@pytest.fixture
def reader(build: Build, tmp_path: Path) -> IndexReader:
    build()
    return IndexReader.open(tmp_path / "tiny")


def brute_force(vectors: np.ndarray, query: np.ndarray, k: int, allowed: np.ndarray) -> list[int]:
    scores = vectors @ query
    order = sorted(np.flatnonzero(allowed), key=lambda row: (-scores[row], row))
    return [int(row) for row in order[:k]]


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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.integers(0, 1000), k=st.integers(0, 50), share=st.floats(0, 1), exact=st.booleans())
def test_a_filtered_search_is_brute_force_over_the_allowed(
    reader: IndexReader, vectors: np.ndarray, seed: int, k: int, share: float, exact: bool
) -> None:
    rng = np.random.default_rng(seed)
    [query] = unit(rng, 1)
    allowed = rng.random(40) < share
    [hits] = reader.search("image", query[None], k, allowed=allowed, exact=exact)
    assert hits.rows.tolist() == brute_force(vectors, query, k, allowed)
    assert np.allclose(hits.scores, vectors[hits.rows] @ query, atol=1e-6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 1000), st.integers(1, 45))
def test_a_filtered_word_search_is_the_whole_ranking_filtered(
    reader: IndexReader, seed: int, k: int
) -> None:
    allowed = np.random.default_rng(seed).random(40) < 0.3
    everything = reader.search_lexical("caption number", 40)
    some = reader.search_lexical("caption number", k, allowed=allowed)
    assert some.rows.tolist() == [row for row in everything.rows if allowed[row]][:k]


def test_words_find_the_one_record_that_says_them(reader: IndexReader) -> None:
    assert reader.search_lexical("number 17", 3).rows[0] == 17
    assert len(reader.search_lexical("zebra", 3)) == 0
    assert len(reader.search_lexical("", 3)) == 0
    assert len(reader.search_lexical('") OR * AND (', 3)) == 0


@pytest.mark.parametrize(
    "query",
    [np.full((1, DIM), np.nan), np.full((1, DIM), np.inf), np.ones((1, DIM + 1)), np.ones(DIM)],
)
def test_queries_that_are_no_vectors_are_refused(reader: IndexReader, query: np.ndarray) -> None:
    with pytest.raises(ValueError, match="shape"):
        reader.search("image", query.astype(np.float32), 1)


def test_an_unknown_field_is_named(reader: IndexReader) -> None:
    with pytest.raises(UnknownNameError, match="image"):
        reader.search("imago", np.ones((1, DIM), np.float32), 1)


def test_lists_with_rescoring_find_what_exact_search_finds(
    tmp_path: Path, build: Build, vectors: np.ndarray
) -> None:
    published = build(flat_limit=10)
    structure = published.manifest.fields["image"].structure
    assert structure.kind == "ivf_sq8"
    assert structure.recall_at_10 >= 0.99
    reader = IndexReader.open(tmp_path / "tiny")
    for query in unit(np.random.default_rng(1), 20):
        [hits] = reader.search("image", query[None], 5)
        assert hits.rows.tolist() == brute_force(vectors, query, 5, np.ones(40, bool))


def files_of(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_any_changed_byte_is_refused_before_anything_is_parsed(
    build: Build, tmp_path: Path
) -> None:
    folder = build(flat_limit=10).folder
    names = [name for name in files_of(folder) if (folder / name).stat().st_size]
    assert {"records.arrow", "image.faiss", "image.vectors.npy"} <= set(names)
    for name in names:
        path = folder / name
        sound = path.read_bytes()
        middle = len(sound) // 2
        flipped = sound[:middle] + bytes([sound[middle] ^ 4]) + sound[middle + 1 :]
        # The manifest itself is vouched for by nothing: it is refused when it cannot be read.
        for damaged in (sound[:middle],) if name == "manifest.json" else (flipped, sound[:-1]):
            path.write_bytes(damaged)
            with pytest.raises(CorruptBuildError):
                IndexReader.open(tmp_path / "tiny")
        path.write_bytes(sound)
    IndexReader.open(tmp_path / "tiny")
    (folder / "stranger").write_text("x")
    with pytest.raises(CorruptBuildError, match="stranger"):
        IndexReader.open(tmp_path / "tiny")


def test_a_missing_file_is_named_by_the_check(build: Build) -> None:
    folder = build().folder
    assert verify_build(folder).faults == ()
    (folder / "image.vectors.npy").unlink()
    assert verify_build(folder).faults == ("image.vectors.npy is missing.",)


def test_a_later_format_is_refused_with_the_remedy(build: Build, tmp_path: Path) -> None:
    path = build().folder / "manifest.json"
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 2'))
    with pytest.raises(CorruptBuildError, match="Rebuild"):
        IndexReader.open(tmp_path / "tiny")


def test_nothing_published_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError, match="medsearch index nowhere"):
        IndexReader.open(tmp_path / "nowhere")


def test_a_set_follows_what_is_published_and_outlives_damage(
    build: Build, tmp_path: Path, vectors: np.ndarray
) -> None:
    indexes = IndexSet(tmp_path)
    assert dict(indexes.snapshot()) == {}
    first = build().manifest.build_id
    assert indexes.refresh()
    held = indexes.snapshot()
    assert held["tiny"].build_id == first
    assert not indexes.refresh()

    vectors[0] = np.roll(vectors[0], 1)
    second = build(source_digest="b")
    assert indexes.refresh()
    assert indexes.snapshot()["tiny"].build_id == second.manifest.build_id
    assert held["tiny"].build_id == first
    assert len(held["tiny"].search_lexical("number 17", 1)) == 1

    vectors[0] = np.roll(vectors[0], 1)
    third = build(source_digest="c")
    (third.folder / "records.arrow").write_bytes(b"")
    assert indexes.refresh()
    assert indexes.snapshot()["tiny"].build_id == second.manifest.build_id
    assert "damaged" in indexes.failures["tiny"].message

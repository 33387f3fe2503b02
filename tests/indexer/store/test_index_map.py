"""The map in a build: which records are on it, and where others would lie."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import CorruptBuildError, MapNotFoundError
from indexer.store import index_map
from indexer.store.index_map import IndexMap, MapFacts, Projection
from indexer.store.manifest import MANIFEST_NAME, _seal, read_manifest
from indexer.store.reader import IndexReader
from indexer.store.verify import verify_build
from indexer.store.writer import BuildWriter, Published
from tests.indexer.store.conftest import Build, plan, shard, unit


class FirstTwo:
    """Draws vectors by their first two numbers."""

    digest = "first two"

    def project(self, vectors: np.ndarray) -> Projection:
        return Projection(vectors[:, :2] / 2 + 0.5, 0.75)


Draw = Callable[..., Published]


@pytest.fixture
def draw(tmp_path: Path, vectors: np.ndarray) -> Draw:
    """Publish the tiny index with a map."""

    def run(projector: FirstTwo | None = None, fields: tuple[str, ...] = ("image", "caption")):
        kept = {name: plan().fields[name] for name in fields}
        with BuildWriter.open(tmp_path, plan(fields=kept)) as writer:
            if not writer.finished_shards:
                one = shard(range(40), vectors)
                for name in set(one.fields) - set(fields):
                    del one.fields[name]  # type: ignore[attr-defined]
                writer.add_shard(one)
            return writer.publish([], projector=projector or FirstTwo())

    return run


def opened(tmp_path: Path) -> tuple[IndexReader, IndexMap]:
    reader = IndexReader.open(tmp_path / "tiny")
    return reader, reader.map


def without_a_map(tmp_path: Path) -> str:
    with pytest.raises(MapNotFoundError) as raised:
        _ = IndexReader.open(tmp_path / "tiny").map
    return raised.value.remedy


def test_every_record_of_a_small_index_is_on_its_map(
    draw: Draw, tmp_path: Path, vectors: np.ndarray
) -> None:
    draw()
    _, drawn = opened(tmp_path)
    assert drawn.facts == MapFacts(field="image", points=40, trustworthiness=0.75)
    assert drawn.rows.tolist() == list(range(40))
    assert np.array_equal(drawn.places, vectors[:, :2] / 2 + 0.5)


def test_of_a_large_index_a_sample_is_drawn(
    draw: Draw, tmp_path: Path, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_map, "MOST_POINTS", 12)
    draw()
    _, drawn = opened(tmp_path)
    rows = drawn.rows.tolist()
    assert rows == sorted(set(rows))
    assert len(rows) == drawn.facts.points == 12
    assert np.array_equal(drawn.places, vectors[rows, :2] / 2 + 0.5)


def test_where_not_every_record_is_embedded_points_know_their_rows(
    draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_map, "MAPPED_FIELDS", ("caption",))
    draw()
    reader, drawn = opened(tmp_path)
    assert len(drawn.rows) == 26
    for row, place in zip(drawn.rows.tolist(), drawn.places, strict=True):
        vector = reader.vector("caption", row)
        assert vector is not None
        assert np.array_equal(place, vector[:2] / 2 + 0.5)


def test_an_index_of_words_alone_has_no_map(draw: Draw, tmp_path: Path) -> None:
    published = draw(fields=())
    assert published.manifest.index_map is None
    assert "--encoder" in without_a_map(tmp_path)


def test_its_files_are_vouched_for(draw: Draw, tmp_path: Path) -> None:
    folder = draw().folder
    assert {"map.npy", "map.rows.npy"} <= set(read_manifest(folder).files)
    path = folder / "map.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert verify_build(folder).faults
    with pytest.raises(CorruptBuildError, match=r"map\.npy"):
        IndexReader.open(tmp_path / "tiny")


def test_a_build_without_a_map_opens_and_one_from_before_maps_too(
    build: Build, tmp_path: Path
) -> None:
    folder = build().folder
    assert without_a_map(tmp_path) == "Rebuild it: `medsearch index tiny`."
    path = folder / MANIFEST_NAME
    older = json.loads(path.read_text("utf-8"))
    del older["index_map"], older["checksum"]
    path.write_text(_seal(older), "utf-8")
    assert without_a_map(tmp_path) == "Rebuild it: `medsearch index tiny`."


def test_building_again_draws_a_map_that_was_missing_or_is_another(
    build: Build, draw: Draw, tmp_path: Path
) -> None:
    build([range(40)], rejects=0)
    assert not draw().unchanged
    assert draw().unchanged
    other = FirstTwo()
    other.digest = "otherwise"
    assert not draw(other).unchanged


@given(seed=st.integers(0, 999), count=st.integers(1, 30), queries=st.integers(0, 300))
def test_others_lie_at_the_median_of_their_nearest(seed: int, count: int, queries: int) -> None:
    rng = np.random.default_rng(seed)
    mapped, asked = unit(rng, count), unit(rng, queries)
    places = rng.random((count, 2), np.float32)
    facts = MapFacts(field="image", points=count, trustworthiness=None)
    drawn = IndexMap(facts, np.arange(count), places)
    nearest = np.argsort(-(asked @ mapped.T), axis=1)[:, :5]
    assert drawn.place_among(asked, mapped) == pytest.approx(np.median(places[nearest], axis=1))


def test_a_reader_places_any_record(
    draw: Draw, tmp_path: Path, vectors: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_map, "MOST_POINTS", 12)
    draw()
    reader, drawn = opened(tmp_path)
    asked = np.arange(40)[::-1]
    places, own = reader.places_of(asked)
    assert sorted(asked[own].tolist()) == drawn.rows.tolist()
    expected = drawn.place_among(vectors[asked], vectors[drawn.rows])
    for number, row in enumerate(asked.tolist()):
        at = np.flatnonzero(drawn.rows == row)
        wanted = drawn.places[at[0]] if len(at) else expected[number]
        assert np.array_equal(places[number], wanted)
    assert reader.places_of(asked[:0])[0].shape == (0, 2)


def test_what_was_not_embedded_has_no_place(
    draw: Draw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_map, "MAPPED_FIELDS", ("caption",))
    monkeypatch.setattr(index_map, "MOST_POINTS", 5)
    draw()
    reader, _ = opened(tmp_path)
    places, own = reader.places_of(np.arange(40))
    bare = np.arange(40) % 3 == 0
    assert np.array_equal(np.isnan(places).any(axis=1), bare)
    assert own.sum() == 5
    assert not own[bare].any()

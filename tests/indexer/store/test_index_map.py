"""The map in a build: which records are on it, and where others would lie."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import CorruptBuildError
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
    assert reader.map is not None
    return reader, reader.map


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
    assert IndexReader.open(tmp_path / "tiny").map is None


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
    assert IndexReader.open(tmp_path / "tiny").map is None
    path = folder / MANIFEST_NAME
    older = json.loads(path.read_text("utf-8"))
    del older["index_map"], older["checksum"]
    path.write_text(_seal(older), "utf-8")
    assert IndexReader.open(tmp_path / "tiny").map is None


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

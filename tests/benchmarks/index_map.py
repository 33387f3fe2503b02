"""Drawing an index in the plane: what it costs, and how truly each way of it keeps neighbours."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.projection import Projector, leading_directions, trustworthiness
from indexer.store.arrays import write_array
from indexer.store.field_manifest import FieldManifest, SearchStructure
from indexer.store.index_map import MOST_POINTS, IndexMap, MapFacts, Vectors, draw_map
from tests.benchmarks.machine import MIB, cpu_seconds, watch_memory
from tests.benchmarks.report import Report
from tests.benchmarks.synthetic import DIM, FIELD, SHARD_ROWS, ClusteredVectors, synthetic_plan

if TYPE_CHECKING:
    from collections.abc import Callable

_HELD_OUT = 1000
_SEED = 5


def run(records: int, indexes: Path | None, scratch: Path | None) -> Report:
    """Draw a made-up index of `records`, and compare ways to draw what the given indexes hold."""
    report = Report("Map", {"points at most": MOST_POINTS})
    _draw_large(report, records, scratch)
    for name, vectors in _samples(indexes).items():
        _compare(report, name, vectors)
    return report


def _draw_large(report: Report, records: int, scratch: Path | None) -> None:
    """Report what the map adds to a build of that many records."""
    with tempfile.TemporaryDirectory(prefix="medsearch-map-", dir=scratch) as name:
        folder = Path(name)
        source = ClusteredVectors()
        counts = [min(SHARD_ROWS, records - start) for start in range(0, records, SHARD_ROWS)]
        parts = (source.draw(block, count)[0] for block, count in enumerate(counts))
        write_array(folder / f"{FIELD}.vectors.npy", parts, (records, DIM), np.float32)
        write_array(folder / f"{FIELD}.rows.npy", [np.arange(records)], (records,), np.int64)
        encoder, fingerprint = synthetic_plan(records).fields[FIELD]
        field = FieldManifest(
            encoder=encoder, fingerprint=fingerprint, dim=DIM, vectors=records,
            structure=SearchStructure(kind="flat"),
        )  # fmt: skip
        Projector().project(source.draw(0, 100)[0])  # what is loaded once is not counted
        start = cpu_seconds()
        with watch_memory() as memory:
            facts = draw_map(folder, {FIELD: field}, Projector())
        assert facts is not None
        what = f"{records:,} made-up records of {DIM} dimensions"
        report.add(f"{what}: processor time", cpu_seconds() - start, "s")
        report.add(
            f"{what}: memory beyond the page cache", (memory.peak - memory.before) / MIB, "MiB"
        )
        report.add(f"{what}: trustworthiness", facts.trustworthiness or 0, "")


def _samples(indexes: Path | None) -> dict[str, Vectors]:
    """Return what is drawn of the given indexes, by their names."""
    from indexer.store.index_set import IndexSet

    readers = IndexSet(indexes).snapshot() if indexes else {}
    found = {}
    for name, reader in readers.items():
        facts = reader.manifest.index_map
        if facts is not None and facts.trustworthiness is not None:
            at = np.searchsorted(reader.rows_of(facts.field), reader.map.rows)
            found[name] = np.asarray(reader.vectors(facts.field)[at], np.float32)
    return found


def _compare(report: Report, name: str, vectors: Vectors) -> None:
    """Report trustworthiness and processor time of the map and of the leading directions alone."""
    ways: dict[str, Callable[[], Vectors]] = {
        "two leading directions (PCA)": lambda: leading_directions(vectors, 2).astype(np.float32),
        "t-SNE of fifty, as built": lambda: Projector().project(vectors).places,
    }
    for way, draw in ways.items():
        start = cpu_seconds()
        places = draw()
        took = cpu_seconds() - start
        title = f"{name}, {len(vectors):,} points: {way}"
        report.add(f"{title}: trustworthiness", trustworthiness(vectors, places) or 0, "")
        report.add(f"{title}: processor time", took, "s")
    if len(vectors) > 2 * _HELD_OUT:
        title = f"{name}: {_HELD_OUT:,} of these placed on a map of the others"
        report.add(f"{title}: trustworthiness", _trust_of_placed(vectors), "")


def _trust_of_placed(vectors: Vectors) -> float:
    """Return the trustworthiness of a map on which some points were placed after it was drawn."""
    order = np.random.default_rng(_SEED).permutation(len(vectors))
    placed, drawn = order[:_HELD_OUT], order[_HELD_OUT:]
    projection = Projector().project(vectors[drawn])
    places = np.empty((len(vectors), 2), np.float32)
    places[drawn] = projection.places
    facts = MapFacts(field=FIELD, points=len(drawn), trustworthiness=None)
    drawn_map = IndexMap(facts, np.arange(len(drawn)), projection.places)
    places[placed] = drawn_map.place_among(vectors[placed], vectors[drawn])
    return trustworthiness(vectors, places) or 0

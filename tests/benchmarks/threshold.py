"""Comparing every vector against lists of codes, by size: why `structures.FLAT_LIMIT` is so."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.machine import Timings, cpu_seconds, time_each
from tests.benchmarks.report import Report
from tests.benchmarks.synthetic import DIM, FIELD, ClusteredVectors, Vectors, synthetic_plan

_SIZES = (5_000, 10_000, 20_000, 50_000, 100_000)
_QUERIES = 200
_QUERY_BLOCK = 1 << 30
_K = 10


def run(scratch: Path | None) -> Report:
    """Build both structures over samples of growing size, and search them."""
    report = Report("Flat or lists", {"dimensions": DIM, "k": _K, "queries": _QUERIES})
    source = ClusteredVectors()
    everything, _ = source.draw(0, max(_SIZES))
    queries, _ = source.draw(_QUERY_BLOCK, _QUERIES)
    for size in _SIZES:
        with tempfile.TemporaryDirectory(prefix="medsearch-flat-", dir=scratch) as name:
            _compare(report, Path(name), everything[:size], queries)
    return report


def _compare(report: Report, folder: Path, vectors: Vectors, queries: Vectors) -> None:
    """Report the processor time of one search, flat and by lists, and what lists cost to build."""
    np.save(folder / f"{FIELD}.vectors.npy", vectors)
    np.save(folder / f"{FIELD}.rows.npy", np.arange(len(vectors)))
    flat = _build_and_search(folder, vectors, queries, flat_limit=len(vectors))
    lists = _build_and_search(folder, vectors, queries, flat_limit=0)
    name = f"{len(vectors):,} vectors"
    report.add(f"{name}: flat, p50", flat.timings.p50_ms, "ms")
    report.add(f"{name}: flat, p50, processor time", flat.timings.p50_cpu_ms, "ms")
    report.add(f"{name}: lists, p50", lists.timings.p50_ms, "ms")
    report.add(f"{name}: lists, p50, processor time", lists.timings.p50_cpu_ms, "ms")
    report.add(f"{name}: lists visited", lists.visited, "of them all")
    report.add(f"{name}: lists, building, processor time", lists.build_cpu, "s")
    agreed = [
        len(np.intersect1d(one, two)) / _K for one, two in zip(flat.rows, lists.rows, strict=True)
    ]
    report.add(f"{name}: lists, recall@10", float(np.mean(agreed)), "", "0.99 or more")


@dataclass(frozen=True, slots=True)
class _Searched:
    """One structure's figures and the rows that it found for each query."""

    timings: Timings
    rows: list[Any]
    visited: float
    build_cpu: float


def _build_and_search(
    folder: Path, vectors: Vectors, queries: Vectors, *, flat_limit: int
) -> _Searched:
    from indexer.store.field_manifest import FieldManifest
    from indexer.store.structures import build_structure
    from indexer.store.vectors import FieldVectors

    start = cpu_seconds()
    structure = build_structure(vectors, folder, FIELD, flat_limit=flat_limit)
    build_cpu = cpu_seconds() - start
    encoder, fingerprint = synthetic_plan(len(vectors)).fields[FIELD]
    manifest = FieldManifest(
        encoder=encoder,
        fingerprint=fingerprint,
        dim=DIM,
        vectors=len(vectors),
        structure=structure,
    )
    field = FieldVectors(folder, FIELD, manifest, len(vectors))
    timings, found = time_each(
        lambda query: field.search(query[np.newaxis], _K, None, False)[0][0], queries
    )
    visited = structure.nprobe / structure.nlist if structure.nlist else 1.0
    return _Searched(timings, found, visited, build_cpu)

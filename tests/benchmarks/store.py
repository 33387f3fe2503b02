"""The store at size: build time, opening, memory, latency and recall of a large synthetic index.

Building and reading run in processes of their own, so that their memory is theirs alone.
"""

import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from indexer.store.subset import Subset
from tests.benchmarks.machine import MIB, anonymous_bytes, cpu_seconds, time_each, watch_memory
from tests.benchmarks.report import Report
from tests.benchmarks.synthetic import (
    DIM,
    FIELD,
    INDEX,
    SHARD_ROWS,
    ClusteredVectors,
    iter_shards,
    synthetic_plan,
)

_QUERIES = 300
_FILTERED_QUERIES = 30
_QUERY_BLOCK = 1 << 30
_K = 10
_WORDS = "lower lobe nodule after contrast"
Result = TypeVar("Result")


def run(records: int, scratch: Path | None) -> Report:
    """Build an index of `records` synthetic records, open it, search it."""
    report = Report("Store", {"records": f"{records:,}", "dimensions": DIM, "k": _K})
    folder = Path(tempfile.mkdtemp(prefix="medsearch-store-", dir=scratch))
    try:
        built = _in_own_process(_build, folder, records)
        _report_build(report, built, records)
        read = _in_own_process(_read, folder)
        _report_reading(report, read)
    finally:
        shutil.rmtree(folder)
    return report


def _in_own_process(work: Callable[..., Result], *arguments: object) -> Result:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, arguments)


def _build(folder: Path, records: int) -> dict[str, Any]:
    """Write shards, publish; return seconds by stage and memory. Drawing is not counted."""
    from indexer.store.writer import BuildWriter

    seconds: dict[str, float] = {"writing shards": 0.0}
    cpu: dict[str, float] = {"writing shards": 0.0}
    with BuildWriter.open(folder, synthetic_plan(records)) as writer:
        with watch_memory() as shard_memory:
            for shard in iter_shards(records):
                start, cpu_start = time.perf_counter(), cpu_seconds()
                for record, key in zip(shard.records, shard.content_keys, strict=True):
                    writer.seen.first_with_content(key)
                    writer.seen.claim(record.record_id, key)
                writer.add_shard(shard)
                seconds["writing shards"] += time.perf_counter() - start
                cpu["writing shards"] += cpu_seconds() - cpu_start
        marks: list[tuple[str, float, float]] = []
        peaks: dict[str, int] = {}
        with watch_memory() as memory:

            def on_stage(stage: str) -> None:
                if marks:
                    peaks[marks[-1][0]] = memory.peak
                memory.peak = anonymous_bytes()
                marks.append((stage, time.perf_counter(), cpu_seconds()))

            published = writer.publish([], on_stage=on_stage)
            peaks[marks[-1][0]] = memory.peak
        marks.append(("", time.perf_counter(), cpu_seconds()))
    for (stage, start, cpu_start), (_, end, cpu_end) in pairwise(marks):
        seconds[stage] = end - start
        cpu[stage] = cpu_end - cpu_start
    structure = published.manifest.fields[FIELD].structure
    return {
        "seconds": seconds,
        "cpu": cpu,
        "structure": structure,
        "peaks": peaks,
        "before": memory.before,
        "shard_peak": shard_memory.peak - shard_memory.before,
        "size_bytes": sum(one.size_bytes for one in published.manifest.files.values()),
    }


def _report_build(report: Report, built: dict[str, Any], records: int) -> None:
    total = sum(built["seconds"].values())
    structure = built["structure"]
    report.counts = {
        **report.counts,
        "rows a shard": f"{SHARD_ROWS:,}",
        "structure": f"{structure.kind} nlist {structure.nlist} nprobe {structure.nprobe}",
    }
    report.add("build in all, embeddings given", total, "s")
    report.add("build in all, processor time", sum(built["cpu"].values()), "s")
    for stage, seconds in built["seconds"].items():
        report.add(f"  {stage}", seconds, "s")
        report.add(f"  {stage}, processor time", built["cpu"][stage], "s")
    report.add("records a second", records / total, "/s")
    report.add("size of the build", built["size_bytes"] / MIB, "MiB")
    report.add("memory beyond the page cache, writing shards", built["shard_peak"] / MIB, "MiB")
    for stage, peak in built["peaks"].items():
        report.add(f"  while {stage}", (peak - built["before"]) / MIB, "MiB")
    report.add("recall@10 stated by the manifest", structure.recall_at_10, "", "0.99 or more")


def _read(folder: Path) -> dict[str, Any]:
    """Open the index, search it in all ways; return seconds, memory and recall."""
    from indexer.store.reader import IndexReader

    before = anonymous_bytes()
    queries, _ = ClusteredVectors().draw(_QUERY_BLOCK, _QUERIES)
    start, cpu = time.perf_counter(), cpu_seconds()
    reader = IndexReader.open(folder / INDEX)
    [first] = reader.search(FIELD, queries[:1], _K)
    reader.record(int(first.rows[0]))
    opening = time.perf_counter() - start
    found: dict[str, Any] = {
        "opening": opening,
        "opening_cpu": cpu_seconds() - cpu,
        "opened_bytes": anonymous_bytes() - before,
    }

    found["search"], hits = time_each(
        lambda query: reader.search(FIELD, query[np.newaxis], _K)[0], queries
    )
    found["recall"] = _recall(hits, reader.search(FIELD, queries, _K, exact=True))
    found["exact"], _ = time_each(
        lambda query: reader.search(FIELD, query[np.newaxis], _K, exact=True),
        queries[:_FILTERED_QUERIES],
    )
    start = time.perf_counter()
    reader.search(FIELD, queries, _K)
    found["batch"] = (time.perf_counter() - start) / len(queries)
    found["lexical"], _ = time_each(
        lambda words: reader.search_lexical(words, _K), [_WORDS] * _FILTERED_QUERIES
    )
    found["filtered"] = {
        (kind, share): _filtered(reader, queries, share, kind)
        for kind in ("scattered", "clustered")
        for share in (0.5, 0.05, 0.005)
    }
    found["searched_bytes"] = anonymous_bytes() - before
    return found


def _filtered(reader: Any, queries: np.ndarray, share: float, kind: str) -> tuple[Any, float]:
    """Time searches among a share of the rows, drawn at random or on one side of a direction.

    The latter follows the clusters, as a filter on modality or body part does.
    """
    rng = np.random.default_rng(9)
    count = reader.table.num_rows
    values = rng.random(count)
    if kind == "clustered":
        axis = rng.normal(size=DIM).astype(np.float32)
        values = np.concatenate(
            [block @ axis for block in np.array_split(reader.vectors(FIELD), 64)]
        )
    allowed = values <= np.quantile(values, share)
    chosen, subset = queries[:_FILTERED_QUERIES], Subset(allowed, repeats=True)
    timings, hits = time_each(
        lambda query: reader.search(FIELD, query[np.newaxis], _K, allowed=subset)[0], chosen
    )
    positions = np.flatnonzero(allowed)
    vectors = np.ascontiguousarray(reader.vectors(FIELD)[positions])
    right = 0.0
    for query, one in zip(chosen, hits, strict=True):
        best = positions[np.argsort(-(vectors @ query), kind="stable")[:_K]]
        right += len(set(best.tolist()) & set(one.rows.tolist())) / _K
    return timings, right / len(chosen)


def _recall(hits: list[Any], exact: list[Any]) -> float:
    shares = [
        len(set(one.rows.tolist()) & set(truth.rows.tolist())) / _K
        for one, truth in zip(hits, exact, strict=True)
    ]
    return float(np.mean(shares))


def _report_reading(report: Report, read: dict[str, Any]) -> None:
    report.add("open to first answer", read["opening"], "s", "2 s or less")
    report.add("open to first answer, processor time", read["opening_cpu"], "s")
    report.add("memory beyond the page cache, first answer", read["opened_bytes"] / MIB, "MiB")
    report.add("memory beyond the page cache, all searches", read["searched_bytes"] / MIB, "MiB")
    report.add("search p50", read["search"].p50_ms, "ms")
    report.add("search p50, processor time", read["search"].p50_cpu_ms, "ms")
    report.add("search p99", read["search"].p99_ms, "ms")
    report.add("search, one of a batch", 1000 * read["batch"], "ms")
    report.add("recall@10, unseen queries", read["recall"], "", "0.99 or more")
    report.add("exact search p50", read["exact"].p50_ms, "ms")
    report.add("exact search p50, processor time", read["exact"].p50_cpu_ms, "ms")
    report.add("full-text search p50", read["lexical"].p50_ms, "ms")
    for (kind, share), (timings, recall) in read["filtered"].items():
        name = f"{100 * share:g} % allowed, {kind}"
        report.add(f"{name}: p50", timings.p50_ms, "ms")
        report.add(f"{name}: p50, processor time", timings.p50_cpu_ms, "ms")
        report.add(f"{name}: recall@10", recall, "", "1")

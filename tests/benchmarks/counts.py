"""What is counted beside the hits: facets and neighbour evidence over a table of image records."""

import numpy as np
import pyarrow as pa

from service.retrieval.columns import BuildColumns, Mask
from service.retrieval.evidence import NEAREST_CASES, cases_of, gather_evidence
from service.retrieval.facets import count_facets
from service.retrieval.fusion import Key
from tests.benchmarks.machine import Timings, time_each
from tests.benchmarks.report import Report

_FACETS = ("modality", "body_part", "labels", "age_years")
_SHARES = (None, 0.5, 0.05, 0.005)
_CASE_RECORDS = 8
_MOST_LABELS = 5
_LABELS = 2000
_LABEL_SKEW = 1.3  # few labels are common, most are rare
_ROUNDS = 30


def run(records: int) -> Report:
    """Count over `records` synthetic records, with filters of falling shares."""
    rng = np.random.default_rng(11)
    report = Report("Counts", {"records": f"{records:,}", "facets": len(_FACETS)})
    table = _table(rng, records)
    build = BuildColumns(table)
    first, _ = time_each(lambda _: _count(BuildColumns(table), None), range(3))
    report.add("facets, first of a build (columns are read): p50", first.p50_ms, "ms")
    _count(build, None)
    for share in _SHARES:
        allowed = None if share is None else rng.random(records) < share
        name = "all allowed" if share is None else f"{100 * share:g} % allowed"
        facets, _ = time_each(lambda _, mask=allowed: _count(build, mask), range(_ROUNDS))
        _add(report, f"facets, {name}", facets, "15 or less")
        evidence = _time_evidence(rng, build, allowed)
        _add(report, f"evidence, {name}", evidence)
    return report


def _add(report: Report, name: str, timings: Timings, aim: str = "") -> None:
    report.add(f"{name}: p50", timings.p50_ms, "ms")
    report.add(f"{name}: p50, processor time", timings.p50_cpu_ms, "ms", aim)


def _count(build: BuildColumns, allowed: Mask | None) -> object:
    return count_facets({name: [allowed] for name in _FACETS}, [build])


def _time_evidence(rng: np.random.Generator, build: BuildColumns, allowed: Mask | None) -> Timings:
    rows = np.arange(build.records) if allowed is None else np.flatnonzero(allowed)
    nearest = [
        cases_of((Key(0, row) for row in drawn), [build])
        for drawn in rng.choice(rows, (_ROUNDS, NEAREST_CASES)).tolist()
    ]
    return time_each(lambda cases: gather_evidence(cases, [build], [allowed]), nearest)[0]


def _table(rng: np.random.Generator, records: int) -> pa.Table:
    counts = rng.integers(0, _MOST_LABELS, records)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    drawn = np.minimum(rng.zipf(_LABEL_SKEW, offsets[-1]), _LABELS)
    labels = np.array([f"label {number}" for number in range(_LABELS + 1)])
    parts = np.array([f"part {number}" for number in range(20)])
    return pa.table(
        {
            "modality": np.array(["CT", "MR", "US", "XR"])[rng.integers(0, 4, records)],
            "body_part": parts[rng.integers(0, len(parts), records)],
            "labels": pa.ListArray.from_arrays(offsets, pa.array(labels[drawn])),
            "age_years": rng.uniform(0, 100, records),
            "case_id": np.char.add("case ", (np.arange(records) // _CASE_RECORDS).astype(str)),
            "abnormal": rng.random(records) < 0.4,
        }
    )

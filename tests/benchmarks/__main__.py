"""`python -m tests.benchmarks [NAME ...]`: measure, print, write JSON."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tests.benchmarks import (
    counts,
    guard,
    hostile,
    index_map,
    indexing,
    isolation,
    page,
    prompts,
    query,
    retrieval,
    store,
    threshold,
    windows,
)
from tests.benchmarks.machine import describe_machine
from tests.benchmarks.report import Report, save, show

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Run the benchmarks that are named, all of them if none is."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        help="counts, guard, hostile, indexing, isolation, map, page, prompts, query, retrieval, "
        "store, threshold, windows; all if none is named",
    )
    parser.add_argument(
        "--records", type=int, default=600_000, help="of counts, map, store, retrieval"
    )
    parser.add_argument("--images", type=int, default=100_000, help="of page")
    parser.add_argument("--uploads", type=int, default=10_000, help="of hostile")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="for indexing")
    parser.add_argument("--rounds", type=int, default=3, help="of indexing and isolation")
    parser.add_argument("--indexes", type=Path, help="indexes to query, or to map; drawn ones")
    parser.add_argument("--scratch", type=Path, help="where large files are put meanwhile")
    parser.add_argument("--ct", type=Path, help="of windows: a folder of CT; without it, left out")
    parser.add_argument("--output", type=Path, default=Path("reports/benchmarks.json"))
    chosen = parser.parse_args()
    console = Console()
    setting = isolation.Setting(chosen.threads, chosen.rounds, chosen.scratch)
    benchmarks: dict[str, Callable[[], Report]] = {
        "counts": lambda: counts.run(chosen.records),
        "guard": guard.run,
        "hostile": lambda: hostile.run(chosen.uploads, chosen.scratch, console.print),
        "indexing": lambda: indexing.run(setting),
        "isolation": lambda: isolation.run(setting),
        "map": lambda: index_map.run(chosen.records, chosen.indexes, chosen.scratch),
        "page": lambda: page.run(chosen.images, chosen.scratch),
        "prompts": lambda: prompts.run(chosen.scratch),
        "query": lambda: query.run(chosen.indexes, chosen.scratch),
        "retrieval": lambda: retrieval.run(chosen.records, chosen.scratch),
        "threshold": lambda: threshold.run(chosen.scratch),
        "windows": lambda: windows.run(chosen.ct),
        "store": lambda: store.run(chosen.records, chosen.scratch),
    }
    if chosen.ct is None:
        del benchmarks["windows"]
    unknown = sorted(set(chosen.names) - set(benchmarks))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(benchmarks)}")
    machine = describe_machine()
    console.print("\n".join(f"{name}: {value}" for name, value in machine.items()), style="dim")
    reports: dict[str, Report] = {}
    for name in chosen.names or benchmarks:
        with console.status(f"{name} ..."):
            reports[name] = benchmarks[name]()
        show(reports[name], console)
    save(reports, machine, chosen.output)
    console.print(f"Figures: {chosen.output}")


if __name__ == "__main__":
    main()

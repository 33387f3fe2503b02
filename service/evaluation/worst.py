"""The queries that went worst, for a reader to look at."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from service.evaluation.evaluation import Evaluation
from service.evaluation.results import TaskResult

WORST_COUNT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstQuery:
    """One query that went badly: what was asked, what was wanted, what came first instead.

    `wanted` is None where many records would have done. `rank` is that of the wanted one.
    """

    query_id: str
    text: str
    value: float
    rank: int | None
    wanted: str | None
    found: str | None


def worst_queries(result: TaskResult, count: int = WORST_COUNT) -> list[WorstQuery]:
    """Return the queries with the lowest values, the worst first, one for each case."""
    columns = [-result.ranks] if result.ranks is not None else list(result.values.values())
    order = np.lexsort(columns[::-1])
    chosen: list[int] = []
    cases: set[str] = set()
    for row in order.tolist():
        case = result.clusters[row] if result.clusters else str(row)
        if case not in cases and result.values[result.lead][row] < 1:
            cases.add(case)
            chosen.append(row)
        if len(chosen) == count:
            break
    return [_describe(result, row) for row in chosen]


def write_pictures(evaluation: Evaluation, names: set[str], folder: Path) -> dict[str, str]:
    """Write the thumbnails of some records; return each one's file name in `folder`."""
    written: dict[str, str] = {}
    for name in sorted(names):
        jpeg = evaluation.picture(name)
        if jpeg is not None:
            folder.mkdir(parents=True, exist_ok=True)
            file = f"{slug(evaluation.pool)}-{slug(name)}.jpg"
            (folder / file).write_bytes(jpeg)
            written[name] = file
    return written


def slug(text: str) -> str:
    """Return a text as part of a file name: letters, digits and single hyphens."""
    kept = "".join(letter if letter.isalnum() else " " for letter in text)
    return "-".join(kept.split()).lower()


def _describe(result: TaskResult, row: int) -> WorstQuery:
    ranked = result.ranked
    rows, grades = ranked.judged[row]
    relevant = rows[grades > 0]
    first = int(ranked.rows[row, 0])
    return WorstQuery(
        query_id=ranked.query_ids[row],
        text=result.query_texts[row],
        value=float(result.values[result.lead][row]),
        rank=int(result.ranks[row]) if result.ranks is not None else None,
        wanted=str(ranked.candidate_ids[relevant[0]]) if len(relevant) == 1 else None,
        found=str(ranked.candidate_ids[first]) if first >= 0 else None,
    )

"""Every query of a task against its whole pool: ranked, measured, and the best kept for the run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from service.evaluation.collection import Mask, Rows, Strings, Vectors
from service.evaluation.metrics import Floats
from service.evaluation.ranking import (
    Integers,
    Measure,
    Ranking,
    Scores,
    first_rank,
    rank_candidates,
)
from service.evaluation.results import RUN_DEPTH, Ranked

_QUERIES_AT_ONCE = 256
_IDEAL_DEPTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is asked of a pool.

    `grades_of` gives query i's grade of every candidate (0 for not relevant), `allowed_of` which
    candidates it may find (None: all of them). `depth` candidates of each are kept for the run.
    """

    query_ids: tuple[str, ...]
    candidate_ids: Strings
    grades_of: Callable[[int], Integers]
    allowed_of: Callable[[int], Mask] | None = None
    measures: Mapping[str, Measure]
    depth: int = RUN_DEPTH


@dataclass(slots=True)
class Findings:
    """What the queries of a task found, query by query."""

    values: dict[str, Floats]
    chances: dict[str, float]
    ranks: Floats
    ranked: Ranked


@dataclass(slots=True)
class _Tally:
    """Findings while they grow."""

    measures: Mapping[str, Measure]
    depth: int
    values: dict[str, list[float]] = field(default_factory=dict)
    chances: dict[str, list[float]] = field(default_factory=dict)
    ranks: list[float] = field(default_factory=list)
    rows: list[Rows] = field(default_factory=list)
    scores: list[Vectors] = field(default_factory=list)
    judged: list[tuple[Rows, Integers]] = field(default_factory=list)

    def add(self, ranking: Ranking) -> None:
        for name, measure in self.measures.items():
            self.values.setdefault(name, []).append(measure.value(ranking))
            self.chances.setdefault(name, []).append(measure.chance(ranking))
        self.ranks.append(first_rank(ranking))
        missing = max(0, self.depth - len(ranking))
        top = ranking.scores[: self.depth].astype(np.float32)
        rows = np.where(np.isfinite(top), ranking.rows[: self.depth], -1)
        self.rows.append(np.pad(rows, (0, missing), constant_values=-1))
        self.scores.append(np.pad(top, (0, missing), constant_values=-np.inf))
        self.judged.append(_judged(ranking, self.depth))


def cosines(queries: Vectors, candidates: Vectors) -> Iterator[Scores]:
    """Yield for each query, of unit rows float32 (q, d), its cosine with every candidate (n, d)."""
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        yield from queries[start : start + _QUERIES_AT_ONCE] @ candidates.T


def measure_all(task: Task, scored: Iterable[Scores]) -> Findings:
    """Measure every query of a task: `scored` yields its score of each candidate, (n,).

    What was not found scores -inf and ranks last.
    """
    tally = _Tally(task.measures, task.depth)
    for query, scores in enumerate(scored):
        allowed = task.allowed_of(query) if task.allowed_of else None
        tally.add(rank_candidates(scores, task.grades_of(query), allowed))
    names = tuple(task.measures)
    return Findings(
        values={name: np.array(tally.values.get(name, []), np.float64) for name in names},
        chances={name: _mean(tally.chances.get(name, [])) for name in names},
        ranks=np.array(tally.ranks, np.float64),
        ranked=Ranked(
            query_ids=task.query_ids,
            candidate_ids=task.candidate_ids,
            rows=np.array(tally.rows, np.int64).reshape(-1, task.depth),
            scores=np.array(tally.scores, np.float32).reshape(-1, task.depth),
            judged=tally.judged,
        ),
    )


def _judged(ranking: Ranking, depth: int) -> tuple[Rows, Integers]:
    """Return the rows and grades that a qrels file holds of one query.

    Judging the run's depth is how TREC pools judgments; the best of the rest are added so that
    precision and nDCG come out of the files as they do here.
    """
    rest = np.arange(depth, len(ranking))
    best = rest[np.argsort(-ranking.grades[rest], kind="stable")[:_IDEAL_DEPTH]]
    places = np.concatenate([np.arange(min(depth, len(ranking))), best[ranking.grades[best] > 0]])
    return ranking.rows[places], ranking.grades[places]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")

"""What one task found: every query's values, the figures over them, and the run behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.evaluation.metrics import Figure, Floats, summarise, summarise_median

RUN_DEPTH = 100
"""Candidates of each query that a run file of known items or questions holds."""

MEDIAN_RANK = "median rank"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """The best candidates of every query, and which candidates were judged.

    `rows` int64 (q, depth) index `candidate_ids`, -1 where there were fewer; `scores` float32
    of the same shape. `judged` holds for each query candidate rows and their grades: all of the
    run's, and as many of the best as the ideal ranking needs.
    """

    query_ids: tuple[str, ...]
    candidate_ids: Sequence[str] | npt.NDArray[np.str_]
    rows: npt.NDArray[np.int64]
    scores: npt.NDArray[np.float32]
    judged: Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]

    def run(self) -> dict[str, dict[str, float]]:
        """Return query id -> candidate id -> score."""
        found: dict[str, dict[str, float]] = {}
        for query_id, rows, scores in zip(self.query_ids, self.rows, self.scores, strict=True):
            found[query_id] = {
                str(self.candidate_ids[row]): float(score)
                for row, score in zip(rows, scores, strict=True)
                if row >= 0
            }
        return found

    def qrels(self) -> dict[str, dict[str, int]]:
        """Return query id -> candidate id -> grade."""
        return {
            query_id: {
                str(self.candidate_ids[row]): int(grade)
                for row, grade in zip(rows, grades, strict=True)
            }
            for query_id, (rows, grades) in zip(self.query_ids, self.judged, strict=True)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskResult:
    """One task over one pool.

    `values` holds each measure's value for every query, the leading measure first; `chances` the
    mean level of chance. `facets` (modality, body part, source) and `clusters` (cases) say what
    each query is of. `ranks` float64 (q,) are those of known items. `query_texts` are shown where
    a query has to be.
    """

    task: str
    subset: str
    pool: int
    values: Mapping[str, Floats]
    chances: Mapping[str, float]
    query_texts: tuple[str, ...]
    ranked: Ranked
    clusters: tuple[str, ...] = ()
    facets: Mapping[str, tuple[str, ...]]
    ranks: Floats | None = None
    seed: int = 0

    @property
    def queries(self) -> int:
        """The number of queries."""
        return len(self.ranked.query_ids)

    @property
    def lead(self) -> str:
        """The name of the leading measure."""
        return next(iter(self.values))

    @property
    def name(self) -> str:
        """The task with its subset, for headings."""
        return self.task if self.subset == "all" else f"{self.task} [{self.subset}]"

    def figures(self) -> tuple[Figure, ...]:
        """Return a figure for each measure, and the median rank of known items."""
        found = [self._figure(name, values, self.clusters) for name, values in self.values.items()]
        if self.ranks is not None:
            chance = (self.pool + 1) / 2
            found.append(summarise_median(MEDIAN_RANK, self.ranks, chance=chance, seed=self.seed))
        return tuple(found)

    def breakdown(self, facet: str, least: int) -> dict[str, Figure]:
        """Return the leading figure of every value of a facet that has `least` queries or more."""
        groups = np.array(self.facets.get(facet, ()))
        found = {}
        for group in np.unique(groups[groups != ""]) if len(groups) else ():
            mine = np.flatnonzero(groups == group)
            if len(mine) >= least:
                clusters = tuple(self.clusters[row] for row in mine) if self.clusters else ()
                figure = self._figure(self.lead, self.values[self.lead][mine], clusters, group=True)
                found[str(group)] = figure
        return found

    def _figure(
        self, name: str, values: Floats, clusters: tuple[str, ...], *, group: bool = False
    ) -> Figure:
        return summarise(
            name,
            values,
            clusters=clusters or None,
            chance=None if group else self.chances.get(name),
            seed=self.seed,
        )

"""A whole evaluation: one pool, one encoder, all tasks; and the difference between two of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from indexer.encoders.spec import EncoderSpec
from service.evaluation.audit import Audit
from service.evaluation.metrics import Figure, paired_difference
from service.evaluation.results import TaskResult

NO_CONTAMINATION = "none known"

Picture = Callable[[str], bytes | None]
"""Gives a record's thumbnail (JPEG) by its id, or None."""


def no_picture(record_id: str) -> bytes | None:  # noqa: ARG001 - an index of texts has none
    """Return None for every record."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What one encoder did on one pool.

    `space` is the digest of the embedding space as the manifest states it; `notes` are what a
    reader of the figures must know.
    """

    pool: str
    kind: str
    records: int
    cases: int
    encoder: EncoderSpec
    space: str
    build_id: str
    results: tuple[TaskResult, ...]
    audits: tuple[Audit, ...] = ()
    notes: tuple[str, ...] = ()
    picture: Picture = field(default=no_picture, repr=False)

    @property
    def contaminated(self) -> bool:
        """Whether the encoder may have seen what is asked.

        The hash audit against its training images decides; without one, what its card says.
        """
        audits = [audit for audit in self.audits if audit.kind == "training"]
        if audits:
            return not all(audit.clean for audit in audits)
        return self.encoder.contamination != NO_CONTAMINATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far the first encoder is ahead of the second, query by query."""

    pool: str
    task: str
    subset: str
    first: str
    second: str
    figure: Figure

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.figure.low > 0 or self.figure.high < 0


def compare(
    first: Sequence[Evaluation], second: Sequence[Evaluation], *, seed: int = 0
) -> Iterator[Difference]:
    """Yield the paired difference of every measure of every task that both ran over one pool."""
    theirs = {(one.pool, result.name): (one, result) for one in second for result in one.results}
    for ours in first:
        for result in ours.results:
            if (ours.pool, result.name) in theirs:
                other, its = theirs[ours.pool, result.name]
                names = (ours.encoder.key, other.encoder.key)
                yield from _differences(ours.pool, names, result, its, seed)


def manners(evaluation: Evaluation, *, seed: int = 0) -> Iterator[Difference]:
    """Yield how far hybrid search is ahead of each of its legs, by the leading measure."""
    by_task = {(one.subset, one.task): one for one in evaluation.results}
    for (subset, task), hybrid in by_task.items():
        stem, _, manner = task.rpartition(", ")
        if manner != "hybrid":
            continue
        for leg in ("dense", "lexical"):
            other = by_task.get((subset, f"{stem}, {leg}"))
            if other is not None:
                figure = _paired(hybrid, other, hybrid.lead, seed)
                yield Difference(
                    pool=evaluation.pool,
                    task=stem,
                    subset=subset,
                    first="hybrid",
                    second=leg,
                    figure=figure,
                )


def _differences(
    pool: str, names: tuple[str, str], ours: TaskResult, theirs: TaskResult, seed: int
) -> Iterator[Difference]:
    for measure in ours.values:
        yield Difference(
            pool=pool,
            task=ours.task,
            subset=ours.subset,
            first=names[0],
            second=names[1],
            figure=_paired(ours, theirs, measure, seed),
        )


def _paired(ours: TaskResult, theirs: TaskResult, measure: str, seed: int) -> Figure:
    """Return the difference over the queries that both answered."""
    place = {name: row for row, name in enumerate(theirs.ranked.query_ids)}
    mine = [row for row, name in enumerate(ours.ranked.query_ids) if name in place]
    its = [place[ours.ranked.query_ids[row]] for row in mine]
    clusters = [ours.clusters[row] for row in mine] if ours.clusters else None
    return paired_difference(
        measure,
        ours.values[measure][np.array(mine, np.int64)],
        theirs.values[measure][np.array(its, np.int64)],
        clusters=clusters,
        seed=seed,
    )

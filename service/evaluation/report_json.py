"""An evaluation as JSON, for other programs and for later comparison."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from service.evaluation.evaluation import Difference, Evaluation
from service.evaluation.metrics import BOOTSTRAP_SAMPLES, CONFIDENCE, Figure
from service.evaluation.results import TaskResult

LEAST_OF_GROUP = 10
"""Queries that a modality, body part or source needs for a figure of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that one run of `medsearch eval` found."""

    command: str
    version: str
    seed: int
    evaluations: Sequence[Evaluation]
    differences: Sequence[Difference]


def report_json(report: Report) -> str:
    """Return a report as indented JSON; what has no value is null."""
    values = {
        "command": report.command,
        "version": report.version,
        "seed": report.seed,
        "interval": {"confidence": CONFIDENCE, "bootstrap_samples": BOOTSTRAP_SAMPLES},
        "evaluations": [_evaluation(one) for one in report.evaluations],
        "differences": [
            {**asdict(one), "figure": figure_json(one.figure), "clear": one.clear}
            for one in report.differences
        ],
    }
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _evaluation(one: Evaluation) -> dict[str, Any]:
    return {
        "pool": one.pool,
        "kind": one.kind,
        "records": one.records,
        "cases": one.cases,
        "build_id": one.build_id,
        "encoder": one.encoder.key,
        "space": one.space,
        "contamination": one.encoder.contamination,
        "contaminated": one.contaminated,
        "audits": [asdict(audit) for audit in one.audits],
        "notes": list(one.notes),
        "tasks": [_task(result) for result in one.results],
    }


def _task(result: TaskResult) -> dict[str, Any]:
    return {
        "task": result.task,
        "subset": result.subset,
        "pool": result.pool,
        "queries": result.queries,
        "figures": [figure_json(figure) for figure in result.figures()],
        "by": {
            facet: {
                group: figure_json(figure)
                for group, figure in result.breakdown(facet, LEAST_OF_GROUP).items()
            }
            for facet in result.facets
        },
    }


def figure_json(figure: Figure) -> dict[str, Any]:
    """Return a figure by its fields; what has no value is None."""
    values = asdict(figure)
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }

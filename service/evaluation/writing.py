"""A report's folder: the page, the JSON, the plots, and TREC files for every task."""

from pathlib import Path

from service.evaluation.evaluation import Evaluation
from service.evaluation.plots import draw_plots
from service.evaluation.report_json import Report, report_json
from service.evaluation.report_markdown import evaluation_key, report_markdown
from service.evaluation.runs import write_qrels, write_run
from service.evaluation.worst import slug

PAGE_NAME = "report.md"
JSON_NAME = "results.json"


def write_report(report: Report, folder: Path, *, plots: bool = True) -> Path:
    """Write everything below `folder`, over what an earlier run left; return the page's path.

    Raises
    ------
    MedsearchError
        Plots are wanted, but matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {
        evaluation_key(one): draw_plots(one, folder / "plots") if plots else []
        for one in report.evaluations
    }
    for evaluation in report.evaluations:
        _write_trec_files(evaluation, folder / "trec")
    (folder / JSON_NAME).write_text(report_json(report), "utf-8")
    page = folder / PAGE_NAME
    page.write_text(report_markdown(report, folder, drawn), "utf-8")
    return page


def _write_trec_files(evaluation: Evaluation, folder: Path) -> None:
    """Write `POOL-ENCODER-TASK-SUBSET.run.gz` and `.qrels.gz` for each task."""
    folder.mkdir(exist_ok=True)
    for result in evaluation.results:
        parts = (evaluation.pool, evaluation.encoder.key, result.task, result.subset)
        stem = "-".join(slug(part) for part in parts)
        write_run(folder / f"{stem}.run.gz", result.ranked.run(), tag=slug(evaluation.encoder.key))
        write_qrels(folder / f"{stem}.qrels.gz", result.ranked.qrels())

"""`medsearch eval`: how well an encoder or an index answers, in numbers that nobody can fool."""

import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from indexer.errors import EncoderError, QueryError
from service.cli.console import answers_console, errors_console
from service.cli.default_command import DefaultCommandGroup
from service.cli.evaluating_rag import evaluate_rag

if TYPE_CHECKING:
    from indexer.encoders.selection import Encoders
    from service.evaluation.evaluation import Difference, Evaluation
    from service.evaluation.results import TaskResult


def evaluate(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="INDEX", help="Built indexes; all of them by default."),
    ] = None,
    indexes: Annotated[Path, typer.Option(help="Where indexes live.")] = Path("indexes"),
    holdout: Annotated[
        list[Path] | None,
        typer.Option(help="A folder with pool.jsonl and images, built into a temporary index."),
    ] = None,
    relevance: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of judged texts: MQP, Chinese question pairs, NFCorpus."),
    ] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(help="For --holdout and --relevance: catalogue key or model folder."),
    ] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Two encoders over the same --holdout or --relevance, query by query."),
    ] = None,
    trained_on: Annotated[
        list[Path] | None,
        typer.Option(help="What the encoder was trained on, in the pool's layout: is audited."),
    ] = None,
    output: Annotated[Path, typer.Option(help="Where the report is written.")] = Path(
        "reports/eval"
    ),
    queries: Annotated[
        int, typer.Option(min=1, help="Most queries of one image task; drawn by --seed from more.")
    ] = 5000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap and of drawn queries.")] = 0,
    device: Annotated[str | None, typer.Option(help="cuda, mps or cpu.")] = None,
    plots: Annotated[bool, typer.Option(help="Draw plots (needs the extra `eval`).")] = True,
) -> None:
    """Measure search: tables here, and a report with intervals, plots and TREC files.

    `medsearch eval rag --help`: whether retrieval helps a language model.
    """
    folders, judged = holdout or [], relevance or []
    if (encoder or compare) and not (folders or judged):
        raise QueryError(
            "A built index is measured with the encoder that it was built with.",
            remedy="Give --holdout DIR or --relevance DIR to measure another encoder on.",
        )
    from service.cli.evaluation_pools import hash_training
    from service.cli.evaluation_runs import evaluate_built, evaluate_folders, evaluate_texts
    from service.evaluation.image_tasks import Sampling
    from service.evaluation.plots import require_matplotlib

    if plots:
        require_matplotlib()
    sampling = Sampling(max_queries=queries, seed=seed)
    runs: list[list[Evaluation]] = []
    failures: list[EncoderError] = []
    with TemporaryDirectory(prefix="medsearch-eval-") as temporary:
        if names or not (folders or judged):
            built, failures = evaluate_built(indexes, names or [], sampling, device)
            runs.append(built)
        trained = hash_training(trained_on or [])
        for keys in _encoder_choices(encoder, compare) if folders or judged else ():
            place = Path(temporary) / str(len(runs))
            pair = _load(keys, device)
            runs.append(
                [
                    *evaluate_folders(folders, place, pair, sampling, indexes, trained),
                    *evaluate_texts(judged, place, pair, seed),
                ]
            )
        _report(runs, compared=compare is not None, output=output, seed=seed, plots=plots)
    for failure in failures:
        errors_console().print(f"[red]Left out:[/] {failure}", highlight=False)
    if failures:
        raise typer.Exit(1)


def _encoder_choices(encoder: list[str] | None, compare: tuple[str, str] | None) -> list[list[str]]:
    """Return the encoders of each run: one run, or two to be compared."""
    return [[key] for key in compare] if compare else [encoder or []]


def _report(
    runs: "list[list[Evaluation]]", *, compared: bool, output: Path, seed: int, plots: bool
) -> None:
    """Print what was found and write the report; pictures are read from indexes still open."""
    from service.evaluation.evaluation import compare, manners
    from service.evaluation.report_json import Report
    from service.evaluation.writing import write_report

    done = [one for run in runs for one in run]
    differences = [two for one in done for two in manners(one, seed=seed)]
    if compared:
        differences += compare(runs[-2], runs[-1], seed=seed)
    _print(done, differences)
    report = Report(
        command=shlex.join(["medsearch", *sys.argv[1:]]),
        version=version("medsearch"),
        seed=seed,
        evaluations=done,
        differences=differences,
    )
    with errors_console().status("Writing the report"):
        page = write_report(report, output, plots=plots)
    answers_console().print(f"Report: {page} (figures as JSON and TREC files beside it).")


def _load(keys: Sequence[str], device: str | None) -> "Encoders":
    from indexer.encoders.selection import select_encoders

    with errors_console().status("Loading encoders"):
        return select_encoders(keys, device=device)


def _print(evaluations: "Sequence[Evaluation]", differences: "Sequence[Difference]") -> None:
    """Print a table for each evaluation, then the paired differences."""
    for evaluation in evaluations:
        mark = " [yellow]†[/]" if evaluation.contaminated else ""
        table = Table(title=f"{evaluation.pool}, encoder {evaluation.encoder.key}{mark}")
        for heading in ("task", "over", "queries", "pool"):
            table.add_column(heading, justify="right" if heading in {"queries", "pool"} else "left")
        table.add_column("leading figure", no_wrap=True)
        for result in evaluation.results:
            table.add_row(*_cells(result))
        answers_console().print(table)
        for note in _remarks(evaluation):
            answers_console().print(note, highlight=False, markup=False)
    if differences:
        table = Table(title="Differences, paired by query")
        for heading in ("pool", "task", "over", "figure", "difference", "mean [95 %]"):
            table.add_column(heading, no_wrap=heading == "difference")
        for one in differences:
            colour = ("green" if one.figure.mean > 0 else "red") if one.clear else "default"
            shown = f"{one.figure.mean:+.3f} [{one.figure.low:+.3f}, {one.figure.high:+.3f}]"
            table.add_row(
                one.pool, one.task, one.subset, one.figure.name,
                f"{one.first} - {one.second}", Text(shown, style=colour),
            )  # fmt: skip
        answers_console().print(table)


def _cells(result: "TaskResult") -> tuple[str | Text, ...]:
    from service.evaluation.report_markdown import show_figure

    lead = result.figures()[0]
    counts = (f"{result.queries:,}", f"{result.pool:,}")
    return (result.task, result.subset, *counts, Text(f"{lead.name} {show_figure(lead)}"))


def _remarks(evaluation: "Evaluation") -> list[str]:
    """Return what a reader of the table must know."""
    audits = [
        f"Hash audit against {audit.against}: {audit.exact} equal, {audit.near} near-identical, "
        f"{audit.shared_cases} shared cases."
        for audit in evaluation.audits
    ]
    seen = f"Contamination of {evaluation.encoder.key}: {evaluation.encoder.contamination}"
    return [
        "Figures: mean [95 % interval] / chance; the report has more. † may have seen the pool.",
        seen,
        *audits,
        *evaluation.notes,
    ]


app = typer.Typer(cls=DefaultCommandGroup)
app.command("indexes")(evaluate)
app.command("rag")(evaluate_rag)

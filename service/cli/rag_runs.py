"""What `medsearch eval rag` does: read questions, write prompts, ask, compare, report."""

import shlex
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table
from rich.text import Text

from service.cli.console import answers_console, errors_console, progress_bars

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from service.evaluation.rag.asking import Estimate
    from service.evaluation.rag.journal import Journal
    from service.evaluation.rag.model import Endpoint, ModelError
    from service.evaluation.rag.pairing import ArmComparison
    from service.evaluation.rag.prompts import Ask
    from service.evaluation.rag.questions import BenchmarkQuestion, Selection
    from service.evaluation.rag.report import RagReport
    from service.evaluation.rag.screening import Level, Screen
    from service.opening import Opened


@dataclass(frozen=True, slots=True, kw_only=True)
class RagPlan:
    """What is measured, on what evidence, and where the report goes.

    `names` are the indexes that evidence is taken from (None: all of questions), `level` how far
    a question's relatives are kept out of it.
    """

    data: Path
    indexes: Path
    names: tuple[str, ...] | None
    datasets: tuple[str, ...]
    selection: "Selection"
    level: "Level"
    passages: int
    budget_tokens: int
    output: Path
    device: str | None
    plots: bool


def measure_model(
    plan: RagPlan,
    endpoint: "Endpoint",
    *,
    prices: tuple[float, float] | None,
    concurrency: int,
    agreed: bool,
) -> bool:
    """Ask the model, print the comparison and write the report; return whether all was answered.

    What it may cost is shown first, and without `agreed` the user is asked whether to go on.
    """
    from service.evaluation.rag.asking import estimate
    from service.evaluation.rag.journal import JOURNAL_NAME, Journal
    from service.evaluation.rag.report import write_rag_report

    asks, builds = _write_prompts(plan)
    with Journal(plan.output / JOURNAL_NAME) as journal:
        expected = estimate(asks, journal, endpoint, prices)
        errors_console().print(_describe(expected, endpoint, journal), highlight=False)
        if expected.requests and not agreed:
            typer.confirm("Ask the model?", abort=True, err=True)
        failures = _ask(asks, journal, endpoint, expected, concurrency)
        report = _make_report(plan, endpoint, asks, journal, builds, failures)
    page = write_rag_report(report, plan.output, plots=plan.plots)
    _print(report.comparisons)
    answers_console().print(f"Report: {page} (figures as JSON beside it).")
    for why, count in report.failures.items():
        errors_console().print(f"[red]{count} without an answer:[/] {why}", highlight=False)
    return not failures


@contextmanager
def opened_screen(plan: RagPlan) -> "Iterator[tuple[Opened, Screen]]":
    """Open the indexes; yield them and what keeps a question's relatives out of its evidence."""
    from service.evaluation.rag.screening import Holdings, Screen
    from service.opening import open_indexes
    from service.settings import Settings

    with ExitStack() as stack:
        with errors_console().status("Opening indexes"):
            settings = Settings(indexes_dir=plan.indexes, device=plan.device)
            opened = open_indexes(settings, stack)
            holdings = Holdings.of(opened.retriever.snapshot(), plan.names)
        yield opened, Screen(holdings, plan.level)


def read_benchmarks(plan: RagPlan) -> "dict[str, list[BenchmarkQuestion]]":
    """Read the questions of every benchmark of a plan from its published files.

    Raises
    ------
    DatasetNotFoundError, DatasetEmptyError
        A benchmark's files are not there, or hold no question that a program can mark.
    QueryError
        No question has the wanted split and language.
    """
    from indexer.datasets.base import locate, not_found
    from indexer.datasets.registry import get_dataset
    from indexer.records import TextRecord
    from service.evaluation.rag.questions import select_questions

    chosen = {}
    for name in plan.datasets:
        source = get_dataset(name)
        root = locate(source.info, plan.data)
        if root is None:
            raise not_found(source.info, plan.data / name)
        with errors_console().status(f"Reading {source.info.title}"):
            records = (row for row in source.iter_rows(root) if isinstance(row, TextRecord))
            chosen[name] = select_questions(records, source.info.title, plan.selection)
    return chosen


def command_line() -> str:
    """Return the command as it was typed, for the report."""
    return shlex.join(["medsearch", *sys.argv[1:]])


def _write_prompts(plan: RagPlan) -> "tuple[list[Ask], dict[str, str]]":
    """Write both prompts of every question; return them with the builds behind them."""
    from service.evaluation.rag.prompts import AskWriter

    benchmarks = read_benchmarks(plan)
    questions = [question for asked in benchmarks.values() for question in asked]
    asks: list[Ask] = []
    with opened_screen(plan) as (opened, screen), progress_bars() as progress:
        snapshot = opened.retriever.snapshot()
        builds = {name: snapshot[name].build_id for name in screen.holdings.indexes}
        writer = AskWriter(
            opened.prompter, screen, passages=plan.passages, budget_tokens=plan.budget_tokens
        )
        for question in progress.track(questions, description="Writing prompts"):
            asks.extend(writer.write(question))
    return asks, builds


def _ask(
    asks: "Sequence[Ask]",
    journal: "Journal",
    endpoint: "Endpoint",
    expected: "Estimate",
    concurrency: int,
) -> "list[ModelError]":
    """Ask what has no answer yet."""
    from service.evaluation.rag.asking import ask_all
    from service.evaluation.rag.model import ChatModel

    if not expected.requests:
        return []
    model = ChatModel(endpoint)
    try:
        with progress_bars() as progress:
            task = progress.add_task("Asking the model", total=expected.requests)
            return ask_all(
                asks, journal, model,
                concurrency=concurrency, on_answer=lambda: progress.advance(task),
            )  # fmt: skip
    finally:
        model.close()


def _make_report(
    plan: RagPlan,
    endpoint: "Endpoint",
    asks: "Sequence[Ask]",
    journal: "Journal",
    builds: dict[str, str],
    failures: "Sequence[ModelError]",
) -> "RagReport":
    from service.evaluation.rag.journal import tokens_of
    from service.evaluation.rag.pairing import compare_benchmarks
    from service.evaluation.rag.report import RagReport

    return RagReport(
        command=command_line(),
        version=version("medsearch"),
        seed=plan.selection.seed,
        model=endpoint.model,
        sampling=endpoint.sampling,
        level=plan.level,
        builds=builds,
        comparisons=compare_benchmarks(asks, journal.answers, endpoint, seed=plan.selection.seed),
        tokens=tokens_of(asks, journal.answers, endpoint),
        failures=Counter(str(failure) for failure in failures),
    )


def _describe(expected: "Estimate", endpoint: "Endpoint", journal: "Journal") -> str:
    """Return what a run will take, in a sentence or two."""
    torn = f" {journal.torn} unreadable lines were passed over." if journal.torn else ""
    if not expected.requests:
        return f"All {expected.answered:,} answers of {endpoint.model} are at hand.{torn}"
    cost = "" if expected.cost is None else f", which cost {expected.cost:,.2f} at most"
    return (
        f"{expected.requests:,} requests to {endpoint.model} ({expected.answered:,} answers are at "
        f"hand): up to {expected.tokens_in:,} tokens of prompts and {expected.tokens_out:,} of "
        f"answers{cost}.{torn}"
        + ("" if cost else " --price-in and --price-out (a million tokens) give the cost.")
    )


def _print(comparisons: "Sequence[ArmComparison]") -> None:
    """Print the comparison as a table."""
    from service.evaluation.report_markdown import show_figure

    table = Table(title="Accuracy without and with passages")
    for heading in ("benchmark", "questions", "without", "with", "helped / hurt", "McNemar p"):
        table.add_column(heading)
    for one in comparisons:
        table.add_row(
            one.name,
            f"{len(one.outcomes):,}",
            Text(show_figure(one.without)),
            Text(show_figure(one.with_passages)),
            f"{one.helped} / {one.hurt}",
            f"{one.p_value:.3g}",
        )
    answers_console().print(table)

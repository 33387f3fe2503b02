"""What `medsearch eval rag --retrieval-only` measures: no model is asked."""

from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from indexer.errors import QueryError
from service.cli.console import answers_console, errors_console
from service.cli.rag_runs import RagPlan, command_line, opened_screen, read_benchmarks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from indexer.records import TextRecord
    from service.evaluation.rag.evidence import EvidenceMeasurer, Measurement
    from service.evaluation.rag.questions import BenchmarkQuestion
    from service.evaluation.text_sets import TextSet

_SOUGHT_BY: "Mapping[str, Callable[[TextRecord], str]]" = MappingProxyType(
    {"note": lambda one: one.context or one.question, "question": lambda one: one.question}
)


def measure_retrieval(plan: RagPlan, paraphrases: Path | None) -> None:
    """Measure the evidence for a plan's questions, print the figures and write the report."""
    from service.evaluation.rag.evidence import EvidenceMeasurer
    from service.evaluation.rag.evidence_report import EvidenceReport, write_evidence_report

    benchmarks = read_benchmarks(plan)
    pairs = _read_pairs(paraphrases) if paraphrases else []
    with opened_screen(plan) as (opened, screen):
        snapshot = opened.retriever.snapshot()
        seed = plan.selection.seed
        measurer = EvidenceMeasurer(opened.retriever, screen, depth=plan.passages, seed=seed)
        with errors_console().status("Searching"):
            measured = [
                one
                for name, questions in benchmarks.items()
                for one in _of_benchmark(measurer, name, questions)
            ]
            measured += [_of_pairs(measurer, one, plan.selection.limit) for one in pairs]
    report = EvidenceReport(
        command=command_line(),
        version=version("medsearch"),
        seed=seed,
        level=plan.level,
        builds={name: snapshot[name].build_id for name in screen.holdings.indexes},
        measurements=measured,
    )
    page = write_evidence_report(report, plan.output, plots=plan.plots)
    _print(measured)
    answers_console().print(f"Report: {page} (figures as JSON beside it).")


def _of_benchmark(
    measurer: "EvidenceMeasurer", name: str, questions: "Sequence[BenchmarkQuestion]"
) -> "Iterator[Measurement]":
    """Yield what can be measured on a benchmark: options or calculators, and steadiness."""
    if questions[0].record.options:
        yield measurer.options(name, questions)
    else:
        for sought_by, words_of in _SOUGHT_BY.items():
            yield from measurer.calculators(f"{name}, by the {sought_by}", questions, words_of)
    steady = measurer.steadiness(name, questions)
    if steady is not None:
        yield steady


def _read_pairs(folder: Path) -> "list[TextSet]":
    """Return the judged sets of question pairs in a folder.

    Raises
    ------
    QueryError
        The folder holds none; what it holds are documents.
    """
    from service.evaluation.text_sets import read_text_sets

    sets = [one for one in read_text_sets(folder) if set(one.queries) <= set(one.documents)]
    if not sets:
        raise QueryError(
            "The folder holds no pairs of questions that mean the same.",
            remedy="Give the folder of Medical Question Pairs (mqp.csv) with --paraphrases.",
        )
    return sets


def _of_pairs(measurer: "EvidenceMeasurer", texts: "TextSet", limit: int) -> "Measurement":
    """Measure steadiness with the first `limit` questions of a set, each with one paraphrase."""
    pairs = [
        (texts.queries[asked], texts.documents[other])
        for asked, grades in texts.qrels.items()
        for other in [next(name for name, grade in grades.items() if grade)]
    ]
    note = f"paraphrases by people; the first {min(limit, len(pairs)):,} of {len(pairs):,} pairs"
    return measurer.steadiness_of_pairs(texts.name, pairs[:limit], note)


def _print(measured: "Sequence[Measurement]") -> None:
    """Print the figures as a table."""
    from service.evaluation.report_markdown import show_figure

    table = Table(title="Evidence, no model asked: mean [95 % interval] / chance")
    for heading in ("measure", "over", "questions", "figure", "value"):
        table.add_column(heading)
    for one in measured:
        for figure in one.figures:
            table.add_row(
                one.measure, one.questions, f"{figure.queries:,}", figure.name,
                Text(show_figure(figure)),
            )  # fmt: skip
    answers_console().print(table)

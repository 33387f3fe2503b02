"""`medsearch refusals`: how often searches find something where there is nothing, or miss it."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from indexer.records import ImageRecord
from service.cli.console import answers_console, errors_console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.evaluation.refusals import Outcome
    from service.retrieval.encoding import QueryEncoders


def refusals(
    indexes: Annotated[Path, typer.Option(help="Where indexes live.")] = Path("indexes"),
    unrelated: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of pictures that show nothing medical.", exists=True),
    ] = None,
    related: Annotated[
        list[Path] | None,
        typer.Option(help="A folder with pool.jsonl and images like those indexed.", exists=True),
    ] = None,
    relevance: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of judged texts, each indexed by itself.", exists=True),
    ] = None,
    queries: Annotated[int, typer.Option(min=1, help="Most queries of one kind.")] = 300,
) -> None:
    """Measure false alarms and misses of the verdict "nothing relevant was found"."""
    from service.opening import open_encoders
    from service.settings import Settings

    table = Table(title="Is anything found better than chance?")
    for heading in ("where", "asked", "relevant", "not", "unknown", "wrong", "95 %"):
        table.add_column(heading, justify="left" if heading in {"where", "asked"} else "right")
    with ExitStack() as stack, errors_console().status("Asking") as status:
        encoders = open_encoders(Settings(indexes_dir=indexes), stack)
        for where, outcome in (
            *_ask_built(indexes, encoders, unrelated or [], related or [], queries),
            *_ask_judged(relevance or [], encoders, queries),
        ):
            status.update(f"{where}: {outcome.trial.name}")
            table.add_row(*_cells(where, outcome))
    answers_console().print(table)


def _ask_built(
    indexes: Path,
    encoders: "QueryEncoders",
    unrelated: list[Path],
    related: list[Path],
    queries: int,
) -> "Iterator[tuple[str, Outcome]]":
    """Yield what came of asking all built indexes of a kind together, as a search does."""
    from indexer.store.index_set import IndexSet
    from service.cli.evaluation_pools import OWN_IMAGES
    from service.evaluation.refusals import (
        drawn_trial,
        pictures_trial,
        pool_trials,
        run_trial,
        written_trials,
    )
    from service.retrieval.retriever import Retriever
    from service.retrieval.selection import target_of

    opened = IndexSet(indexes)
    retriever = Retriever(opened, encoders)
    for target in sorted({target_of(reader) for reader in opened.snapshot().values()}):
        trials = list(written_trials(target))
        if target == "images":
            trials += [drawn_trial(), *map(pictures_trial, unrelated)]
            for folder in related:
                rows = OWN_IMAGES.iter_rows(folder)
                records = (row for row in rows if isinstance(row, ImageRecord))
                trials += pool_trials(folder, records, queries)
        for trial in trials:
            yield f"all {target}", run_trial(retriever, trial)


def _ask_judged(
    folders: list[Path], encoders: "QueryEncoders", queries: int
) -> "Iterator[tuple[str, Outcome]]":
    """Yield what came of asking each judged set, indexed and calibrated by itself."""
    from indexer.calibration.calibrator import Calibrator
    from indexer.encoders.selection import select_encoders
    from indexer.store.index_set import IndexSet
    from service.evaluation.refusals import judged_trial, run_trial, written_trials
    from service.evaluation.text_index import build_text_index
    from service.evaluation.text_sets import read_text_sets
    from service.retrieval.retriever import Retriever

    if not folders:
        return
    pair = select_encoders([])
    calibrator = Calibrator(pair.text, None, pair.chinese)
    for texts in (one for folder in folders for one in read_text_sets(folder)):
        with TemporaryDirectory(prefix="medsearch-refusals-") as place:
            build_text_index(texts, Path(place), pair.text, pair.chinese, calibrator=calibrator)
            retriever = Retriever(IndexSet(Path(place)), encoders)
            for trial in (*written_trials("questions"), judged_trial(texts, queries)):
                yield texts.name, run_trial(retriever, trial)


def _cells(where: str, outcome: "Outcome") -> tuple[str, ...]:
    wrong = f"{outcome.errors / outcome.asked:.1%}" if outcome.asked else ""
    low, high = outcome.interval
    colour = "green" if not outcome.errors else "default"
    return (
        where,
        f"{outcome.asked} {outcome.trial.name}",
        str(outcome.passed),
        str(outcome.refused),
        str(outcome.unsaid),
        f"[{colour}]{wrong}[/]",
        f"{low:.1%} to {high:.1%}",
    )

"""`medsearch sample` and `medsearch index`: from files to published indexes."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from indexer.datasets.base import Dataset, how_to_get, locate
from indexer.datasets.registry import all_datasets, get_dataset
from indexer.errors import DatasetNotFoundError, MedsearchError
from service.cli.console import answers_console, errors_console, progress_bars

if TYPE_CHECKING:
    from indexer.build import BuildResult
    from indexer.calibration.calibrator import Calibrator
    from indexer.encoders.selection import EncoderPair


@dataclass(frozen=True, slots=True)
class _Target:
    """One dataset to index and the folder that holds its files."""

    dataset: Dataset
    root: Path


def sample(
    folder: Annotated[Path, typer.Argument(help="Where to write it.")] = Path("data/sample"),
    seed: Annotated[int, typer.Option(help="Another seed draws other phantoms.")] = 0,
) -> None:
    """Write the synthetic sample corpus: all ten datasets, in their genuine layouts."""
    from indexer.sample.corpus import write_sample_corpus

    with progress_bars() as progress:
        task = progress.add_task("Drawing the sample corpus", total=None)
        write_sample_corpus(
            folder,
            seed=seed,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    answers_console().print(f"Synthetic sample corpus in {folder}/ (phantoms, not patients).")


def index(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME | NAME=FOLDER]...",
            help="Datasets to index; all that are found below --data when none is named.",
        ),
    ] = None,
    data: Annotated[Path, typer.Option(help="Folder with one folder per dataset.")] = Path("data"),
    indexes: Annotated[Path, typer.Option(help="Where indexes live.")] = Path("indexes"),
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            help="Catalogue key or model folder; twice for one image and one text encoder."
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cuda, mps or cpu; the best if left out.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N rows of each.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; all cores if left out.")
    ] = None,
) -> None:
    """Build and publish indexes. Safe to stop at any moment: the same command goes on."""
    targets, missing = _targets(names or [], data)
    from indexer.calibration.calibrator import Calibrator
    from indexer.encoders.selection import select_encoders

    with errors_console().status("Loading encoders"):
        encoders = select_encoders(encoder or [], device=device)
    calibrator = Calibrator(encoders.text, encoders.image)
    results: list[tuple[str, BuildResult | MedsearchError]] = list(missing)
    for target in targets:
        name = target.dataset.info.name
        try:
            results.append((name, _build(target, indexes, encoders, calibrator, limit, workers)))
        except MedsearchError as error:
            results.append((name, error))
    _print_summary(results)
    if any(isinstance(result, MedsearchError) for _, result in results):
        raise typer.Exit(1)


def _targets(
    names: list[str], data: Path
) -> tuple[list[_Target], list[tuple[str, MedsearchError]]]:
    """Return what to build, and an error for each named dataset that is not there."""
    targets: list[_Target] = []
    missing: list[tuple[str, MedsearchError]] = []
    if not names:
        for dataset in all_datasets().values():
            root = locate(dataset.info, data)
            if root is not None and dataset.detect(root) is not None:
                targets.append(_Target(dataset, root))
        if not targets:
            raise DatasetNotFoundError(
                f"No dataset was found in {data}/.",
                remedy=f"Put one folder per dataset there, named {', '.join(all_datasets())}; "
                "or run `medsearch sample` for a synthetic corpus and "
                "`medsearch index --data data/sample`.",
            )
    for text in names:
        name, _, folder = text.partition("=")
        dataset = get_dataset(name)
        root = Path(folder) if folder else locate(dataset.info, data)
        if root is None or not root.is_dir():
            where = folder or f"{data}/{name}"
            missing.append(
                (
                    name,
                    DatasetNotFoundError(
                        f"{dataset.info.title}: there is no folder {where}.",
                        remedy=f"How to get it: {how_to_get(dataset.info)}",
                    ),
                )
            )
        else:
            targets.append(_Target(dataset, root))
    return targets, missing


def _build(
    target: _Target,
    indexes: Path,
    encoders: "EncoderPair",
    calibrator: "Calibrator",
    limit: int | None,
    workers: int | None,
) -> "BuildResult":
    """Build one dataset's index behind a progress bar."""
    from indexer.build import BuildOptions, build_index

    name = target.dataset.info.name
    with progress_bars() as progress:
        task = progress.add_task(name, total=limit)
        result = build_index(
            target.dataset,
            target.root,
            indexes,
            text=encoders.text,
            image=encoders.image,
            options=BuildOptions(limit=limit, workers=workers),
            calibrator=calibrator,
            on_progress=lambda stage, rows: progress.update(
                task, description=f"{name}: {stage}", completed=rows
            ),
        )
        rows = result.published.manifest.counts.rows
        progress.update(task, description=f"{name}: done", completed=rows, total=rows)
    return result


def _print_summary(results: list[tuple[str, "BuildResult | MedsearchError"]]) -> None:
    """Print what became of each dataset, and where the rejects are listed."""
    table = Table(title="Indexes")
    for heading in ("index", "rows", "records", "duplicates", "rejects", "encoded", "build"):
        table.add_column(heading, justify="left" if heading in {"index", "build"} else "right")
    for name, result in results:
        if isinstance(result, MedsearchError):
            table.add_row(name, "", "", "", "", "", f"[red]{result.code}[/]")
            continue
        counts = result.published.manifest.counts
        state = "unchanged" if result.published.unchanged else "published"
        table.add_row(
            name,
            f"{counts.rows:,}",
            f"{counts.records:,}",
            f"{counts.duplicates:,}",
            f"{counts.rejected:,}",
            f"{result.encoded:,}",
            f"[green]{state}[/]",
        )
    answers_console().print(table)
    for name, result in results:
        if isinstance(result, MedsearchError):
            errors_console().print(f"[red]{name}:[/] {result.message}", highlight=False)
            errors_console().print(f"  Remedy: {result.remedy}", highlight=False)
        elif result.published.manifest.counts.rejected:
            counts = result.published.manifest.counts
            reasons = ", ".join(f"{count:,} {kind}" for kind, count in counts.rejects.items())
            errors_console().print(
                f"{name}: skipped {reasons}; listed in {result.published.folder / 'rejects.jsonl'}"
            )

"""`medsearch sample` and `medsearch index`: from files to published indexes."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.datasets.base import Dataset, how_to_get, locate
from indexer.datasets.instances import ALLOW_BURNED_IN
from indexer.datasets.registry import all_datasets, get_dataset
from indexer.errors import DatasetNotFoundError, MedsearchError
from indexer.records import Language
from service.cli.console import answers_console, errors_console, progress_bars
from service.cli.index_summary import print_json, print_summary
from service.cli.pacs import PacsChoice, choose_folder, index_pacs

if TYPE_CHECKING:
    from indexer.build import BuildResult
    from indexer.calibration.calibrator import Calibrator
    from indexer.encoders.selection import Encoders
    from indexer.pacs.mirror import MirrorReport


@dataclass(frozen=True, slots=True)
class _Models:
    """What embeds records, and what measures how it scores what is unrelated."""

    encoders: "Encoders"
    calibrator: "Calibrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manner:
    """How to build, as the options say: see `indexer.build.BuildOptions`."""

    limit: int | None
    workers: int | None
    by_window: bool
    all_slices: bool


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
            help="Catalogue key or model folder; again for another place: images, texts, Chinese."
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cuda, mps or cpu; the best if left out.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N rows of each.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; all cores if left out.")
    ] = None,
    windows: Annotated[
        bool, typer.Option(help="Embed CT slices in the windows that fit them, too.")
    ] = True,
    all_slices: Annotated[
        bool, typer.Option(help="By window, embed all slices of a series instead of 32.")
    ] = False,
    allow_burned_in: Annotated[
        bool,
        typer.Option(help="Let in DICOM pictures that may show a patient's name; look at them!"),
    ] = False,
    dicomweb: Annotated[
        str | None, typer.Option(metavar="URL", help="`pacs`: the root of its DICOMweb service.")
    ] = None,
    name: Annotated[str, typer.Option(help="`pacs`: the index's name.")] = "pacs",
    user: Annotated[
        str | None,
        typer.Option(help="`pacs`: who asks; the password is read from MEDSEARCH_PACS_PASSWORD."),
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(help="`pacs`: certificates to trust.", exists=True, dir_okay=False),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="`pacs`: leave out studies of earlier days."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="`pacs`: compare only the studies or series with these UIDs, one a line; - reads "
            "them from standard input.",
        ),
    ] = None,
    recheck: Annotated[
        bool, typer.Option("--recheck", help="`pacs`: compare each study instance by instance.")
    ] = False,
    if_changed: Annotated[
        bool,
        typer.Option("--if-changed", help="`pacs`: build only if the archive or index changed."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Build and publish indexes. Safe to stop at any moment: the same command goes on."""
    if allow_burned_in:
        os.environ[ALLOW_BURNED_IN] = "1"  # as an operator may set it for good
    manner = _Manner(limit=limit, workers=workers, by_window=windows, all_slices=all_slices)
    pacs: MirrorReport | None = None
    results: list[tuple[str, BuildResult | MedsearchError]] = []
    if dicomweb is None:
        targets, missing = _targets(names or [], data)
        languages = {one for target in targets for one in target.dataset.info.languages}
        models = _load_models(encoder or [], device, languages)
        results.extend(missing)
        results.extend(_outcome(target, indexes, models, manner) for target in targets)
    else:
        choice = PacsChoice(
            url=dicomweb, name=name, root=choose_folder(names or [], name, data), user=user,
            ca_file=ca_file, since=since.date() if since else None, only=only, recheck=recheck,
            if_changed=if_changed,
        )  # fmt: skip

        def build(dataset: Dataset, root: Path) -> "BuildResult":
            loaded = _load_models(encoder or [], device, dataset.info.languages)
            return _build(_Target(dataset, root), indexes, loaded, manner)

        try:
            pacs, result = index_pacs(choice, indexes, build)
            results.extend([(name, result)] if result else [])
        except MedsearchError as error:
            results.append((name, error))
    if as_json:
        print_json(results, pacs)
    else:
        print_summary(results)
    if any(isinstance(result, MedsearchError) for _, result in results):
        raise typer.Exit(1)


def _load_models(keys: list[str], device: str | None, languages: Collection[Language]) -> "_Models":
    from indexer.calibration.calibrator import Calibrator
    from indexer.encoders.selection import select_encoders

    with errors_console().status("Loading encoders"):
        encoders = select_encoders(keys, device=device, languages=languages)
    return _Models(encoders, Calibrator(encoders.text, encoders.image, encoders.chinese))


def _outcome(
    target: _Target,
    indexes: Path,
    models: "_Models",
    manner: _Manner,
) -> "tuple[str, BuildResult | MedsearchError]":
    """Return what became of one dataset; that it failed does not stop the others."""
    name = target.dataset.info.name
    try:
        return name, _build(target, indexes, models, manner)
    except MedsearchError as error:
        return name, error


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
    models: "_Models",
    manner: _Manner,
) -> "BuildResult":
    """Build one dataset's index behind a progress bar."""
    from indexer.build import BuildOptions, build_index
    from indexer.pixels.thinning import SLICES_PER_SERIES

    name = target.dataset.info.name
    with progress_bars() as progress:
        task = progress.add_task(name, total=manner.limit)
        result = build_index(
            target.dataset,
            target.root,
            indexes,
            text=models.encoders.text,
            image=models.encoders.image,
            chinese=models.encoders.chinese,
            options=BuildOptions(
                limit=manner.limit,
                workers=manner.workers,
                by_window=manner.by_window,
                slices_per_series=None if manner.all_slices else SLICES_PER_SERIES,
            ),
            calibrator=models.calibrator,
            on_progress=lambda stage, rows: progress.update(
                task, description=f"{name}: {stage}", completed=rows
            ),
        )
        rows = result.published.manifest.counts.rows
        progress.update(task, description=f"{name}: done", completed=rows, total=rows)
    return result

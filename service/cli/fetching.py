"""`medsearch datasets get` and `check`: fetching a dataset, checking one that was got by hand."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from indexer.datasets.base import DatasetInfo
from indexer.datasets.registry import get_dataset
from indexer.errors import FetchError
from indexer.fetching.sources import HubSource, NbiaSource, get_source
from service.cli.console import answers_console, byte_bars, errors_console

if TYPE_CHECKING:
    from indexer.fetching.base import Fetch, FetchPlan
    from indexer.fetching.checking import Findings

_ANY_MODALITY = "all"

Name = Annotated[str, typer.Argument(help="A dataset's name.")]
DataDir = Annotated[Path, typer.Option("--data", help="Folder with one folder per dataset.")]


def get(
    name: Name,
    data: DataDir = Path("data"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before it starts.")] = False,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="TCIA: only N series, the largest of each patient first."),
    ] = None,
    modality: Annotated[
        list[str] | None,
        typer.Option(help="TCIA: series of this modality, CT if left out; repeatable, or `all`."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Hub: only files of this pattern, 'data/test-*'; repeatable."),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Another address of the service, or a mirror of the hub.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, help="Seconds to wait for an answer or the next bytes.")
    ] = 30,
    attempts: Annotated[int, typer.Option(min=1, help="Attempts for what may pass.")] = 5,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="TCIA: place what could be had.")
    ] = False,
) -> None:
    """Fetch a dataset into DATA/NAME. Stopped at any moment, the same command goes on."""
    info = get_dataset(name).info
    asked = {"--limit": limit, "--modality": modality, "--allow-missing": allow_missing,
             "--only": only, "--base-url": base_url}  # fmt: skip
    _refuse_unused(name, {option for option, value in asked.items() if value})
    _print_terms(info)
    from indexer.fetching.base import FetchOptions, Patience
    from indexer.fetching.fetch import open_fetch

    modalities = tuple(modality or ("CT",))
    options = FetchOptions(
        base_url=base_url,
        limit=limit,
        modalities=() if _ANY_MODALITY in modalities else modalities,
        only=tuple(only or ()),
        allow_missing=allow_missing,
        patience=Patience(connect_s=min(10.0, timeout), answer_s=timeout, attempts=attempts),
    )
    with open_fetch(name, data, options) as fetch:
        plan = fetch.plan
        _print_plan(plan, info)
        if plan.is_done:
            answers_console().print(f"All of it is in {data / name} already.", markup=False)
            return
        if not yes:
            _ask()
        _run(fetch, plan)
    answers_console().print(
        f"{info.title} is in {data / name}. Index it: medsearch index {name} --data {data}",
        highlight=False,
        markup=False,
    )


def check(
    name: Name,
    path: Annotated[
        Path, typer.Argument(exists=True, help="A folder, or a zip file to unpack into DATA/NAME.")
    ],
    data: DataDir = Path("data"),
    partial: Annotated[
        bool, typer.Option("--partial", help="Take an archive that is not all of the dataset.")
    ] = False,
) -> None:
    """Check a dataset that was got by hand: layout, records, what cannot be read, what is missing.

    A zip file is unpacked safely and put into DATA/NAME if it is whole; a folder stays where it is.
    """
    from indexer.fetching.checking import adopt_archive, check_folder

    dataset = get_dataset(name)
    _print_terms(dataset.info)
    if path.is_dir():
        findings = check_folder(dataset, path)
    else:
        with byte_bars() as bars:
            task = bars.add_task(f"Unpacking {escape(path.name)}", total=None)
            findings = adopt_archive(
                dataset,
                path,
                data,
                partial=partial,
                on_bytes=lambda done: bars.update(task, completed=done),
            )
    _print_findings(findings)
    if not path.is_dir():
        answers_console().print(f"{dataset.info.title} is in {data / name}.", markup=False)
    if findings.faults and not partial:
        raise typer.Exit(1)


def _refuse_unused(name: str, asked: set[str]) -> None:
    """Refuse an option that the dataset's source has no use for: it would be ignored in silence."""
    source = get_source(name)
    useful = {
        NbiaSource: {"--limit", "--modality", "--allow-missing", "--base-url"},
        HubSource: {"--only", "--base-url"},
    }.get(type(source), set())
    if asked - useful:
        unused = ", ".join(sorted(asked - useful))
        raise typer.BadParameter(f"{name} comes from {source.origin}, which knows no {unused}.")


def _print_terms(info: DatasetInfo) -> None:
    lines = [
        f"{info.title}: {info.description}",
        f"Licence: {info.licence} ({info.licence_url})",
        f"Cite: {info.citation}",
        get_source(info.name).remark,
    ]
    answers_console().print("\n".join(filter(None, lines)), highlight=False, markup=False)


def _print_plan(plan: "FetchPlan", info: DatasetInfo) -> None:
    commit = f", commit {plan.revision[:12]}" if plan.revision else ""
    size = (
        f"size not told beforehand (published: {info.size})"
        if plan.missing_bytes is None
        else f"{plan.missing_bytes / 1e6:,.1f} MB to fetch"
    )
    answers_console().print(
        f"From {plan.origin}{commit}: {plan.pieces:,} {plan.piece}, {plan.pieces_there:,} of them "
        f"there, {size}.",
        highlight=False,
        markup=False,
    )


def _ask() -> None:
    """Go on only if the user says so.

    Raises
    ------
    FetchError
        Nobody is there to be asked.
    """
    if not sys.stdin.isatty():
        raise FetchError(
            "Nobody can be asked whether to start.",
            remedy="Say --yes if licence and size are all right.",
        )
    typer.confirm("Fetch it under these terms?", abort=True)


def _run(fetch: "Fetch", plan: "FetchPlan") -> None:
    if plan.shows_progress:
        fetch.run(lambda _piece, _done: None)
        return
    with byte_bars() as bars:
        task = bars.add_task("Starting", total=plan.missing_bytes)
        fetch.run(
            lambda piece, done: bars.update(task, description=escape(piece[-50:]), completed=done)
        )


def _print_findings(findings: "Findings") -> None:
    say = answers_console().print
    records = ", ".join(f"{count:,} {split}" for split, count in sorted(findings.records.items()))
    say(f"Layout: {findings.layout}. Records: {records or 'none'}.", highlight=False)
    for kind, count in sorted(findings.rejects.items()):
        say(f"Cannot be read ({kind}): {count:,}", highlight=False)
    for example in findings.examples:
        say(f"  {example}", highlight=False, markup=False)
    for fault in findings.faults:
        errors_console().print(f"Missing: {fault}", highlight=False, markup=False)

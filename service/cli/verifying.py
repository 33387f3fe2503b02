"""`medsearch verify`, `builds`, `rollback`, `prune`: what is on disk, is it sound, going back."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from indexer.errors import IndexNotFoundError, MedsearchError
from service.cli.console import answers_console, errors_console, progress_bars

IndexesDir = Annotated[Path, typer.Option("--indexes", help="Where indexes live.")]


def verify(indexes: IndexesDir = Path("indexes")) -> None:
    """Check every byte of every live build against its manifest."""
    from indexer.store.publish import current_build
    from indexer.store.verify import verify_build

    table = Table(title="Live builds")
    for heading in ("index", "build", "files", "MB", "state"):
        table.add_column(heading, justify="right" if heading in {"files", "MB"} else "left")
    sound = True
    folders = _index_folders(indexes)
    with progress_bars() as progress:
        for folder in progress.track(folders, description="Checking"):
            try:
                report = verify_build(current_build(folder))
            except MedsearchError as error:
                sound = False
                table.add_row(folder.name, "", "", "", f"[red]{error.message}[/]")
                continue
            sound = sound and not report.faults
            state = "[green]sound[/]" if not report.faults else f"[red]{' '.join(report.faults)}[/]"
            size = f"{report.size_bytes / 1e6:,.1f}"
            table.add_row(folder.name, report.build_id, str(report.files), size, state)
    answers_console().print(table)
    if not sound:
        errors_console().print("Go back with `medsearch rollback INDEX`, or rebuild the index.")
        raise typer.Exit(1)


def builds(indexes: IndexesDir = Path("indexes")) -> None:
    """List all builds of all indexes, oldest first; the live one is marked."""
    from indexer.store.publish import current_build, list_builds

    table = Table(title=f"Builds in {indexes}/")
    for heading in ("index", "build", "made at", "records", "encoders", ""):
        table.add_column(heading, justify="right" if heading == "records" else "left")
    for folder in _index_folders(indexes):
        live = current_build(folder).name
        for manifest in list_builds(folder):
            table.add_row(
                manifest.index,
                manifest.build_id,
                manifest.created_at[:19],
                f"{manifest.counts.records:,}",
                ", ".join(sorted({field.encoder for field in manifest.fields.values()})),
                "[green]live[/]" if manifest.build_id == live else "",
            )
    answers_console().print(table)


def rollback(
    index: Annotated[str, typer.Argument(help="The index to change.")],
    build: Annotated[
        str | None, typer.Argument(help="A build's id; the one before the live one if left out.")
    ] = None,
    indexes: IndexesDir = Path("indexes"),
) -> None:
    """Make an earlier build of an index live again; running services follow by themselves."""
    from indexer.store import publish

    if not (indexes / index).is_dir():
        raise IndexNotFoundError(
            f"There is no index {index!r} in {indexes}/.", remedy="`medsearch builds` lists them."
        )
    chosen = publish.rollback(indexes / index, build)
    answers_console().print(f"{index}: build {chosen} is live.")


def prune(
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest builds to keep.")] = 2,
    indexes: IndexesDir = Path("indexes"),
) -> None:
    """Delete old builds of every index; the live one always stays."""
    from indexer.store import publish

    for folder in _index_folders(indexes):
        for build_id in publish.prune(folder, keep):
            answers_console().print(f"{folder.name}: build {build_id} is deleted.")


def _index_folders(indexes: Path) -> list[Path]:
    """Return the folders of all published indexes; none at all is an error."""
    from indexer.store.publish import index_folders

    folders = index_folders(indexes)
    if not folders:
        raise IndexNotFoundError(
            f"There is no published index in {indexes}/.",
            remedy="Build some: `medsearch index`, or `make index` for the synthetic ones.",
        )
    return folders

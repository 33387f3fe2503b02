"""`medsearch datasets`: which datasets there are, where each is looked for, how to get it."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from indexer.datasets.base import Dataset, locate
from indexer.datasets.registry import all_datasets, get_dataset
from indexer.fetching.sources import ManualSource, get_source
from indexer.fetching.staging import is_unfinished
from service.cli import fetching
from service.cli.console import answers_console

app = typer.Typer(help="The ten datasets: licence, where each is looked for, how to get it.")

DataDir = Annotated[Path, typer.Option("--data", help="Folder with one folder per dataset.")]


@app.callback(invoke_without_command=True)
def list_datasets(
    context: typer.Context,
    data: DataDir = Path("data"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the datasets and what was found of each below the data folder."""
    if context.invoked_subcommand is not None:
        return
    rows = [_describe(dataset, data) for dataset in all_datasets().values()]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table(title=f"Datasets, looked for in {data}/", show_lines=False)
    for heading in ("name", "kind", "licence", "folder", "found"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        found = f"[green]{row['layout_found']}[/]" if row["found"] else "[yellow]no[/]"
        if row["unfinished"]:
            found += " (a download waits to go on)"
        where = row["folder"] or row["expected"]
        table.add_row(row["name"], row["kind"], row["licence"], where, found)
    answers_console().print(table)
    answers_console().print(
        "Get one: [bold]medsearch datasets get NAME[/]. "
        "More on it: [bold]medsearch datasets show NAME[/]. "
        "Folders elsewhere: [bold]medsearch index NAME=FOLDER[/]."
    )


@app.command("show")
def show_dataset(name: Annotated[str, typer.Argument(help="A dataset's name.")]) -> None:
    """Show one dataset: what it is, its licence and citation, its layout and how to get it."""
    info = get_dataset(name).info
    table = Table(show_header=False, box=None)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for label, text in (
        ("name", info.name),
        ("title", info.title),
        ("what", info.description),
        ("kind", info.kind),
        ("languages", ", ".join(info.languages)),
        ("size", info.size),
        ("licence", f"{info.licence} ({info.licence_url})"),
        ("citation", info.citation),
        ("homepage", info.homepage),
        ("on disk", info.layout),
        ("folders", ", ".join(info.folders)),
        ("how to get it", info.access),
        ("fetched from", _describe_source(info.name)),
    ):
        table.add_row(label, text)
    answers_console().print(table)


def _describe_source(name: str) -> str:
    source = get_source(name)
    command = "" if isinstance(source, ManualSource) else f"; medsearch datasets get {name}"
    return f"{source.origin}{command}. {source.remark}".strip()


def _describe(dataset: Dataset, data: Path) -> dict[str, Any]:
    """Return one dataset's row of the table as JSON-ready values."""
    info = dataset.info
    folder = locate(info, data)
    layout = dataset.detect(folder) if folder else None
    return {
        "name": info.name,
        "kind": info.kind,
        "licence": info.licence,
        "size": info.size,
        "expected": str(data / info.name),
        "folder": str(folder) if folder else None,
        "found": layout is not None,
        "layout_found": layout,
        "unfinished": is_unfinished(info, data),
        "homepage": info.homepage,
        "access": info.access,
    }


app.command("get")(fetching.get)
app.command("check")(fetching.check)

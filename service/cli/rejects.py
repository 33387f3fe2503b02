"""`medsearch rejects`: what an index left out, and where the files lie that it does not name."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from indexer.datasets.registry import get_dataset
from indexer.errors import UnknownNameError
from service.cli.console import answers_console, errors_console

_FILE = "rejects.jsonl"


def rejects(
    index: Annotated[str, typer.Argument(help="An index.")],
    data: Annotated[
        Path | None,
        typer.Option(help="The folder with one folder per dataset, to name scans' files by."),
    ] = None,
    indexes: Annotated[Path, typer.Option(help="Where indexes live.")] = Path("indexes"),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """List what was left out of an index and why.

    An index holds no path of a scan, for files are named after patients. With `--data`, and the
    pseudonym key that the index was built with, the files are found again.
    """
    from indexer.store.publish import current_build

    build = current_build(indexes / index)
    manifest = json.loads((build / "manifest.json").read_text("utf-8"))
    found = list(_read(build / _FILE))
    places = _find_files(manifest["dataset"], data, found) if data else {}
    for one in found:
        one["path"] = places.get(one["path"], one["path"]) if one["of_scan"] else one["path"]
    if as_json:
        for one in found:
            typer.echo(json.dumps(one, ensure_ascii=False))
    else:
        _print(index, found)
    unnamed = sum(one["of_scan"] for one in found) - len(places)
    if unnamed:
        errors_console().print(
            f"{unnamed} files of scans are given by pseudonyms; --data DIR names those that are "
            "there still, if MEDSEARCH_PSEUDONYM_KEY is as it was."
        )


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield {"of_scan": False} | json.loads(line)


def _find_files(dataset: str, data: Path, found: list[dict[str, Any]]) -> Mapping[str, str]:
    """Return the path of every reject's file that lies below `data`, by its pseudonym."""
    from indexer.datasets.base import locate
    from indexer.pixels.pseudonyms import PATH_KIND, Pseudonymiser

    try:
        root = locate(get_dataset(dataset).info, data) or data
    except UnknownNameError:
        root = data
    pseudonyms = Pseudonymiser.from_environment()
    wanted = {one["path"] for one in found if one["of_scan"]}
    places: dict[str, str] = {}
    for path in root.rglob("*"):
        relative = path.relative_to(root).as_posix()
        hidden = pseudonyms.pseudonym(PATH_KIND, relative)
        if hidden in wanted:
            places[hidden] = relative
    return places


def _print(index: str, found: list[dict[str, Any]]) -> None:
    table = Table(title=f"{len(found)} left out of {escape(index)}")
    for heading in ("kind", "where", "why"):
        table.add_column(heading, overflow="fold")
    for one in found:
        line = f":{one['line']}" if one["line"] else ""
        table.add_row(one["kind"], escape(f"{one['path']}{line}"), escape(one["reason"]))
    answers_console().print(table)

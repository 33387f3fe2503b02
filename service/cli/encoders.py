"""`medsearch encoders`: which models there are, fetching one, training an image tower."""

from dataclasses import fields
from typing import Annotated

import typer
from rich.table import Table

from indexer.encoders.catalogue import CATALOGUE, get_model_spec
from indexer.encoders.rerankers import RERANKERS
from service.cli.console import answers_console
from service.cli.training import train_encoder

app = typer.Typer(help="The encoders: source, licence, size, languages; fetching one.")


@app.callback(invoke_without_command=True)
def list_encoders(context: typer.Context) -> None:
    """List the catalogue."""
    if context.invoked_subcommand is not None:
        return
    table = Table(title="Encoders", show_lines=False)
    for heading in ("key", "embeds", "dim", "tokens", "px", "languages", "licence", "model"):
        table.add_column(heading, overflow="fold")
    for spec in CATALOGUE.values():
        table.add_row(
            spec.key,
            " + ".join(sorted(spec.modalities)),
            str(spec.dim),
            str(spec.max_tokens or ""),
            str(spec.image_px or ""),
            ", ".join(spec.languages),
            spec.licence,
            spec.model,
        )
    answers_console().print(table)
    answers_console().print(_rerankers_table())
    answers_console().print(
        "More on one: [bold]medsearch encoders show KEY[/]. Fetch its weights: "
        "[bold]medsearch encoders get KEY[/]. Use it: [bold]medsearch index --encoder KEY[/]."
    )


def _rerankers_table() -> Table:
    table = Table(title="Rerankers (text pairs)", show_lines=False)
    for heading in ("key", "tokens", "languages", "licence", "model"):
        table.add_column(heading, overflow="fold")
    for spec in RERANKERS.values():
        languages = ", ".join(spec.languages)
        table.add_row(spec.key, str(spec.max_tokens), languages, spec.licence, spec.model)
    return table


@app.command("show")
def show_encoder(key: Annotated[str, typer.Argument(help="A catalogue key.")]) -> None:
    """Show one entry: source, revision, prefixes, known contamination, what was not verified."""
    spec = get_model_spec(key)
    table = Table(show_header=False, box=None)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name in (each.name for each in fields(spec)):
        value = getattr(spec, name)
        if isinstance(value, frozenset | tuple):
            value = ", ".join(sorted(value))
        if value not in {"", None, False}:
            table.add_row(name, str(value))
    answers_console().print(table)


@app.command("get")
def get_encoder(key: Annotated[str, typer.Argument(help="A catalogue key.")]) -> None:
    """Fetch an encoder's or a reranker's weights from its hub into the local cache."""
    from indexer.encoders.fetch import fetch_encoder

    for folder in fetch_encoder(key, report=lambda line: answers_console().print(line)):
        answers_console().print(f"{key} is in {folder}.")


app.command("train")(train_encoder)

"""The one console command, `medsearch`: a module per group of commands, wired together here."""

import sys

import typer
from rich.markup import escape

from indexer.errors import MedsearchError
from service.cli import (
    datasets,
    encoders,
    evaluating,
    indexing,
    refusing,
    rejects,
    replaying,
    searching,
    serving,
    tools,
    verifying,
)
from service.cli.console import errors_console

app = typer.Typer(
    name="medsearch",
    help="Multimodal medical retrieval: index public datasets, search them, write cited prompts. "
    "For research; not a diagnostic device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
)
app.add_typer(datasets.app, name="datasets")
app.add_typer(encoders.app, name="encoders")
app.add_typer(encoders.app, name="encoder", hidden=True)  # `medsearch encoder train` reads better
app.add_typer(evaluating.app, name="eval", help="Measure search, or what it brings to a model.")
app.command("sample")(indexing.sample)
app.command("index")(indexing.index)
app.command("search")(searching.search)
app.command("replay")(replaying.replay)
app.command("serve")(serving.serve)
app.command("mcp")(tools.mcp)
app.command("refusals")(refusing.refusals)
app.command("verify")(verifying.verify)
app.command("builds")(verifying.builds)
app.command("rejects")(rejects.rejects)
app.command("rollback")(verifying.rollback)
app.command("prune")(verifying.prune)


def main() -> None:
    """Run the command line; an error raised on purpose is shown without a stack trace, status 1."""
    try:
        app()
    except MedsearchError as error:
        errors_console().print(f"[bold red]Error:[/] {escape(error.message)}", highlight=False)
        if error.remedy:
            errors_console().print(f"[bold]Remedy:[/] {escape(error.remedy)}", highlight=False)
        sys.exit(1)
    except KeyboardInterrupt:
        errors_console().print("Stopped. What was finished is kept; the same command goes on.")
        sys.exit(130)

"""`medsearch search`: one query from the command line, answered by the same engine as over HTTP."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from indexer.errors import QueryError
from indexer.records import AnyRecord, ImageRecord
from service.cli.console import answers_console, errors_console

if TYPE_CHECKING:
    from service.retrieval.query import Hit, Query, SearchReply

_SHOWN_CHARS = 240


def search(
    text: Annotated[str | None, typer.Argument(help="Words that describe an image.")] = None,
    image: Annotated[
        Path | None,
        typer.Option(help="An image or DICOM file to search like.", exists=True, dir_okay=False),
    ] = None,
    question: Annotated[str | None, typer.Option(help="A question, English or Chinese.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many hits.")] = 10,
    index: Annotated[list[str] | None, typer.Option(help="Only this index; repeatable.")] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", help="FIELD=VALUE (also !=, >, >=, <, <=); repeatable."),
    ] = None,
    group_by: Annotated[str | None, typer.Option(help="case, study or series.")] = None,
    indexes: Annotated[Path, typer.Option(help="Where indexes live.")] = Path("indexes"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Search images by words or by an image, or questions by a question."""
    query = _query(text, image, question, k, index, filters, group_by)
    from service.opening import open_indexes
    from service.settings import Settings

    with ExitStack() as stack:
        with errors_console().status("Opening indexes"):
            opened = open_indexes(Settings(indexes_dir=indexes), stack)
            reply = opened.retriever.search(query)
        for name, failure in opened.indexes.failures.items():
            errors_console().print(f"[yellow]{name} is left out:[/] {failure}", highlight=False)
    if as_json:
        from service.json_response import dump_json
        from service.replies import search_json

        typer.echo(dump_json(search_json(reply)).decode())
    else:
        _print(reply)


def _query(
    text: str | None,
    image: Path | None,
    question: str | None,
    k: int,
    index: list[str] | None,
    filters: list[str] | None,
    group_by: str | None,
) -> "Query":
    """Return the query that the options describe.

    Raises
    ------
    QueryError
        Not exactly one of text, image and question was given, or a filter cannot be read.
    """
    from service.retrieval.filters import Combination, parse_comparison
    from service.retrieval.grouping import GROUP_COLUMNS
    from service.retrieval.query import ImageSource, Query, TextSource

    if sum(given is not None for given in (text, image, question)) != 1:
        raise QueryError(
            "One query is needed.",
            remedy='Give one of: "WORDS", --image FILE, --question "QUESTION".',
        )
    if group_by is not None and group_by not in GROUP_COLUMNS:
        raise QueryError(
            f"Hits cannot be grouped by {group_by!r}.",
            remedy=f"Use one of: {', '.join(GROUP_COLUMNS)}.",
        )
    comparisons = [parse_comparison(one) for one in filters or []]
    return Query(
        target="questions" if question is not None else "images",
        source=ImageSource(image.read_bytes()) if image else TextSource(text or question or ""),
        k=k,
        indexes=tuple(index) if index else None,
        filters=Combination("and", tuple(comparisons)) if comparisons else None,
        group_by=group_by,  # type: ignore[arg-type]  # checked above
    )


def _print(reply: "SearchReply") -> None:
    """Print hits as a table, then what a reader should know of them."""
    table = Table(title=f"{len(reply.hits)} hits in {reply.took_ms:.0f} ms", show_lines=True)
    for heading in ("#", "score", "record", "what", "why"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "#" else "left")
    for hit in reply.hits:
        why = "\n".join(f"{name} {place.rank}" for name, place in hit.why.items())
        name = f"{hit.record.record_id}\n[dim]{hit.record.licence}[/]"
        table.add_row(str(hit.rank), f"{hit.score:.3f}", name, _what(hit), why)
    console = answers_console()
    console.print(table)
    for note in reply.notes:
        console.print(f"[yellow]Note:[/] {note.message}", highlight=False)
    if any(hit.record.synthetic for hit in reply.hits):
        console.print("[yellow]Synthetic[/] sample data: drawn and written for medsearch.")
    console.print("[dim]Research use only; not a diagnostic device.[/]")


def _what(hit: "Hit") -> str:
    """Return what a record is about, in a few lines without markup."""
    from rich.markup import escape

    return escape(_summary(hit.record))


def _summary(record: AnyRecord) -> str:
    if isinstance(record, ImageRecord):
        stated = (record.modality, record.body_part, *record.labels)
        facts = ", ".join(part for part in stated if part)
        return "\n".join(part for part in (facts, _shorten(record.caption or "")) if part)
    return f"{_shorten(record.question)}\n-> {_shorten(record.answer)}"


def _shorten(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SHOWN_CHARS else f"{flat[: _SHOWN_CHARS - 1]}…"

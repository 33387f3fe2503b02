"""Shows the answer to a search on the command line, as a table or as JSON."""

import math
from typing import TYPE_CHECKING

import typer
from rich.markup import escape
from rich.table import Table

from indexer.records import AnyRecord, ImageRecord
from service.cli.console import answers_console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.retrieval.facets import FacetCount
    from service.retrieval.hits import Hit
    from service.retrieval.reply import SearchReply

_SHOWN_CHARS = 240
_SHOWN_VALUES = 12
_SHOWN_LABELS = 3


def show(reply: "SearchReply", *, as_json: bool) -> None:
    """Print an answer, on standard output."""
    if as_json:
        from service.json_response import dump_json
        from service.replies import search_json

        typer.echo(dump_json(search_json(reply)).decode())
    else:
        _print(reply)


def _print(reply: "SearchReply") -> None:
    """Print hits as a table, then what a reader should know of them."""
    table = Table(title=f"{len(reply.hits)} hits in {reply.took_ms:.0f} ms", show_lines=True)
    for heading in ("#", "score", "record", "what", "why"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "#" else "left")
    for hit in reply.hits:
        why = "\n".join(f"{name} {place.rank}" for name, place in hit.why.items())
        why += f"\n{hit.window.replace('_', ' ')} window" if hit.window else ""
        name = f"{hit.record.record_id}\n[dim]{hit.record.licence}[/]"
        score = f"{hit.score:.3f}{_chance(hit)}"
        table.add_row(str(hit.rank), score, name, _what(hit), why)
    console = answers_console()
    if reply.relevant is False:
        console.print(f"[bold red]Not relevant:[/] {reply.relevance_reason}", highlight=False)
    console.print(table)
    for name, counts in reply.facets.items():
        console.print(f"[bold]{name}:[/] {_counts(counts)}", highlight=False)
    for one in (reply.evidence or ())[:_SHOWN_LABELS]:
        console.print(escape(one.sentence), highlight=False)
    for note in reply.notes:
        console.print(f"[yellow]Note:[/] {note.message}", highlight=False)
    if any(hit.record.synthetic for hit in reply.hits):
        console.print("[yellow]Synthetic[/] sample data: drawn and written for medsearch.")
    console.print("[dim]Research use only; not a diagnostic device.[/]")


def _chance(hit: "Hit") -> str:
    """Return how a hit compares with pairs that have nothing to do with each other."""
    if hit.percentile is None:
        return ""
    # Rounded down: 99.96 % is not all of them.
    beaten = math.floor(hit.percentile * 10) / 10
    return f"\n[dim]better than {beaten:g} % of unrelated pairs[/]"


def _what(hit: "Hit") -> str:
    """Return what a record is about, in a few lines without markup."""
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


def _counts(counts: "Sequence[FacetCount]") -> str:
    """Return the commonest values with their counts on one line."""
    shown = [
        f"{'other' if one.value is None else escape(str(one.value))} {one.records:,}"
        for one in counts[:_SHOWN_VALUES]
    ]
    more = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") if shown else "nothing stated"

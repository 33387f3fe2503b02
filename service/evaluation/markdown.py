"""Pieces of markdown that every report is made of."""

from collections.abc import Sequence

_SHOWN_CHARS = 160


def plain_cell(text: str) -> str:
    """Return a text of any origin as one table cell without markup, shortened if it is long."""
    flat = " ".join(text.split())
    flat = flat if len(flat) <= _SHOWN_CHARS else f"{flat[: _SHOWN_CHARS - 1]}…"
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]<>#|!" else letter for letter in flat)


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table's lines: the headings, a rule, the rows."""
    lines = [headings, ["---"] * len(headings), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]

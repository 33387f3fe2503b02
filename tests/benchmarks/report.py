"""What a benchmark found: a table on the screen and figures in a JSON file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value: what it is, its unit, and the aim that it is held against, if any."""

    name: str
    value: float
    unit: str
    aim: str = ""

    def shown(self) -> str:
        """Return the value with its unit."""
        digits = 0 if abs(self.value) >= 1000 else 1 if abs(self.value) >= 100 else 3
        return f"{self.value:,.{digits}f} {self.unit}".rstrip()


@dataclass(slots=True)
class Report:
    """The figures of one benchmark, in the order in which they are to be read."""

    title: str
    counts: Mapping[str, object]
    figures: list[Figure] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str, aim: str = "") -> None:
        """Append a figure."""
        self.figures.append(Figure(name, float(value), unit, aim))


def show(report: Report, console: Console) -> None:
    """Print a report as a table."""
    counts = ", ".join(f"{name} {value}" for name, value in report.counts.items())
    table = Table(title=f"{report.title}\n[dim]{counts}[/]", title_justify="left")
    for heading, justify in (("figure", "left"), ("value", "right"), ("aim", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for figure in report.figures:
        table.add_row(figure.name, figure.shown(), figure.aim)
    console.print(table)


def save(reports: Mapping[str, Report], machine: Mapping[str, str], path: Path) -> None:
    """Write all reports of a run to one JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {"machine": dict(machine), **{name: asdict(one) for name, one in reports.items()}}
    path.write_text(json.dumps(values, indent=2, default=str) + "\n", "utf-8")

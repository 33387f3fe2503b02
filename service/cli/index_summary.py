"""What `medsearch index` did: as a table, or as JSON for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from rich.markup import escape
from rich.table import Table

from indexer.errors import MedsearchError
from service.cli.console import answers_console, errors_console

if TYPE_CHECKING:
    from indexer.build import BuildResult
    from indexer.pacs.mirror import MirrorReport

Outcome: TypeAlias = "tuple[str, BuildResult | MedsearchError]"


def print_summary(results: Sequence[Outcome]) -> None:
    """Print what became of each dataset, and where the rejects are listed."""
    table = Table(title="Indexes")
    for heading in ("index", "rows", "records", "duplicates", "rejects", "encoded", "build"):
        table.add_column(heading, justify="left" if heading in {"index", "build"} else "right")
    for name, result in results:
        if isinstance(result, MedsearchError):
            table.add_row(name, "", "", "", "", "", f"[red]{result.code}[/]")
            continue
        counts = result.published.manifest.counts
        state = "unchanged" if result.published.unchanged else "published"
        table.add_row(
            name,
            f"{counts.rows:,}",
            f"{counts.records:,}",
            f"{counts.duplicates:,}",
            f"{counts.rejected:,}",
            f"{result.encoded:,}",
            f"[green]{state}[/]",
        )
    answers_console().print(table)
    for name, result in results:
        if isinstance(result, MedsearchError):
            errors_console().print(f"[red]{name}:[/] {escape(result.message)}", highlight=False)
            errors_console().print(f"  Remedy: {escape(result.remedy)}", highlight=False)
        elif result.published.manifest.counts.rejected:
            counts = result.published.manifest.counts
            reasons = ", ".join(f"{count:,} {kind}" for kind, count in counts.rejects.items())
            errors_console().print(
                f"{name}: skipped {reasons}; listed in {result.published.folder / 'rejects.jsonl'}"
            )


def print_json(results: Sequence[Outcome], pacs: "MirrorReport | None") -> None:
    """Print one line of JSON: {indexes: [...], pacs: {...} or null}.

    Reasons for failures are told by their code; the words stand on standard error.
    """
    content = {
        "indexes": [_outcome_json(name, result) for name, result in results],
        "pacs": None if pacs is None else asdict(pacs),
    }
    answers_console().print(json.dumps(content), soft_wrap=True, highlight=False, markup=False)
    for name, result in results:
        if isinstance(result, MedsearchError):
            errors_console().print(f"[red]{name}:[/] {result}", highlight=False)


def _outcome_json(name: str, result: "BuildResult | MedsearchError") -> dict[str, Any]:
    if isinstance(result, MedsearchError):
        return {"index": name, "error": result.code}
    counts = result.published.manifest.counts
    return {
        "index": name,
        "rows": counts.rows,
        "records": counts.records,
        "duplicates": counts.duplicates,
        "rejects": counts.rejected,
        "encoded": result.encoded,
        "build": result.published.manifest.build_id,
        "published": not result.published.unchanged,
    }

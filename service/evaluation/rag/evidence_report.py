"""What was measured of retrieval alone, as a folder: report.md, results.json, evidence.png."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from service.evaluation.markdown import markdown_table
from service.evaluation.metrics import BOOTSTRAP_SAMPLES, CONFIDENCE
from service.evaluation.rag.evidence import Measurement
from service.evaluation.rag.plot import draw_measurements
from service.evaluation.rag.report import NEAR_IDENTICAL, SCREENED
from service.evaluation.rag.screening import Level
from service.evaluation.report_json import figure_json
from service.evaluation.report_markdown import show_figure
from service.evaluation.writing import JSON_NAME, PAGE_NAME

PLOT_NAME = "evidence.png"
_DEFINITIONS = f"""No language model is asked. **Option's text**: whether the question, note, answer
or explanation of a hit holds the text of the right option, against the share of wrong options that
are held; searched is with the question alone; after the slash, what another question's hits hold.
**Right calculator**: whether a record of the calculator that is asked for is among the first hits;
after the slash, a random order of the records. **Jaccard, overlap**: records found both with a
question and with its paraphrase, over all found, or over the number of hits; after the slash, the
same with another question's paraphrase. In brackets: {CONFIDENCE:.0%} interval, percentile
bootstrap ({BOOTSTRAP_SAMPLES:,} samples), over patient notes where several are asked of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceReport:
    """One run without a model; `builds` are those of the indexes that were searched."""

    command: str
    version: str
    seed: int
    level: Level
    builds: Mapping[str, str]
    measurements: Sequence[Measurement]


def write_evidence_report(report: EvidenceReport, folder: Path, *, plots: bool = True) -> Path:
    """Write the report below `folder`, over what an earlier run left; return the page's path.

    Raises
    ------
    MedsearchError
        Plots are wanted, but matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if plots:
        draw_measurements(report.measurements, folder / PLOT_NAME)
    values = {
        "command": report.command,
        "version": report.version,
        "seed": report.seed,
        "decontamination": report.level,
        "builds": dict(report.builds),
        "interval": {"confidence": CONFIDENCE, "bootstrap_samples": BOOTSTRAP_SAMPLES},
        "measurements": [
            {
                "measure": one.measure,
                "questions": one.questions,
                "note": one.note,
                "figures": [figure_json(figure) for figure in one.figures],
            }
            for one in report.measurements
        ],
    }
    text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / JSON_NAME).write_text(f"{text}\n", "utf-8")
    page = folder / PAGE_NAME
    page.write_text(evidence_markdown(report, plot=PLOT_NAME if plots else None), "utf-8")
    return page


def evidence_markdown(report: EvidenceReport, *, plot: str | None) -> str:
    """Return a report as a page."""
    rows = [
        (
            one.measure,
            one.questions,
            f"{figure.queries:,}",
            figure.name,
            show_figure(figure),
            one.note,
        )
        for one in report.measurements
        for figure in one.figures
    ]
    headings = ("measure", "over", "questions", "figure", "mean [95 %] / chance", "note")
    lines = [
        "# What retrieval brings by itself",
        "",
        f"`{report.command}`, medsearch {report.version}, seed {report.seed}.",
        f"Kept out of the evidence: {SCREENED[report.level]}.",
        "",
        _DEFINITIONS + ("" if report.level == "off" else f"\n{NEAR_IDENTICAL}"),
        "",
        *markdown_table(headings, rows),
        "",
        *([f"![evidence]({plot})"] if plot else []),
    ]
    return "\n".join(lines).rstrip() + "\n"

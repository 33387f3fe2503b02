"""What a run with a language model found, as a folder: report.md, results.json, accuracy.png."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from indexer.text.questions import answer_text
from service.evaluation.markdown import markdown_table, plain_cell
from service.evaluation.metrics import BOOTSTRAP_SAMPLES, CONFIDENCE
from service.evaluation.rag.pairing import ArmComparison, Outcome
from service.evaluation.rag.plot import draw_accuracies
from service.evaluation.rag.screening import SAME_CONTAINED, SAME_JACCARD, Level
from service.evaluation.report_json import figure_json
from service.evaluation.report_markdown import show_figure
from service.evaluation.writing import JSON_NAME, PAGE_NAME

PLOT_NAME = "accuracy.png"
_SHOWN_HURT = 20
SCREENED: Mapping[Level, str] = {
    "dataset": "no record of the question's own dataset",
    "split": "no record of the question's own split of its dataset",
    "question": "not the question itself (other questions of its split may be found)",
    "off": "nothing: the question itself may be found, and these figures prove nothing",
}
"""What each level of decontamination keeps out of the evidence."""
_DEFINITIONS = f"""Each question is asked twice, with retrieved passages and without; options and
the way to answer are worded alike. **Accuracy**: share of right answers; of several right letters
all must be named and no other; a calculated value must lie within MedCalc-Bench's limits, a date or
duration must be the published one. An answer without a letter or value is unreadable and wrong.
**Commonest answer**: the accuracy of always giving the one that is right most often.
In brackets: {CONFIDENCE:.0%} interval, percentile bootstrap ({BOOTSTRAP_SAMPLES:,} samples) over
cases. **McNemar**: exact, two-sided, over the questions on which the arms differ. A question
without an answer in one of the arms is in no figure."""
NEAR_IDENTICAL = f"""Near-identical questions (their character 5-grams shared to
{SAME_JACCARD:.0%} of all, or {SAME_CONTAINED:.0%} of the shorter one's) and translations of the
question are never evidence for it, whatever the level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RagReport:
    """One run. `comparisons` are those of each benchmark, then that of all together.

    `tokens` are prompt and answer tokens as the server counted them, None where it did not;
    `failures` says why requests stayed without an answer, and how often.
    """

    command: str
    version: str
    seed: int
    model: str
    sampling: Mapping[str, float]
    level: Level
    builds: Mapping[str, str]
    comparisons: Sequence[ArmComparison]
    tokens: tuple[int, int] | None
    failures: Mapping[str, int]


def write_rag_report(report: RagReport, folder: Path, *, plots: bool = True) -> Path:
    """Write the report below `folder`, over what an earlier run left; return the page's path.

    Raises
    ------
    MedsearchError
        Plots are wanted, but matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if plots:
        draw_accuracies(report.comparisons, folder / PLOT_NAME)
    (folder / JSON_NAME).write_text(rag_json(report), "utf-8")
    page = folder / PAGE_NAME
    page.write_text(rag_markdown(report, plot=PLOT_NAME if plots else None), "utf-8")
    return page


def rag_json(report: RagReport) -> str:
    """Return a report as indented JSON; what has no value is null."""
    values = {
        "command": report.command,
        "version": report.version,
        "seed": report.seed,
        "model": report.model,
        "sampling": dict(report.sampling),
        "decontamination": report.level,
        "builds": dict(report.builds),
        "interval": {"confidence": CONFIDENCE, "bootstrap_samples": BOOTSTRAP_SAMPLES},
        "tokens": report.tokens,
        "failures": dict(report.failures),
        "comparisons": [_comparison_json(one) for one in report.comparisons],
    }
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def rag_markdown(report: RagReport, *, plot: str | None) -> str:
    """Return a report as a page."""
    lines = [
        "# Does retrieval help?",
        "",
        f"`{report.command}`, medsearch {report.version}, seed {report.seed}.",
        f"Model `{report.model}`. Kept out of the evidence: {SCREENED[report.level]}.",
        "",
        _DEFINITIONS + ("" if report.level == "off" else f"\n{NEAR_IDENTICAL}"),
        "",
        *_figures(report.comparisons),
        "",
    ]
    if plot:
        lines += [f"![accuracy]({plot})", ""]
    if report.tokens:
        lines += [f"Tokens: {report.tokens[0]:,} of prompts, {report.tokens[1]:,} of answers.", ""]
    lines += [f"- {count} x {why}" for why, count in report.failures.items()]
    for one in report.comparisons:
        if one.name != "all":
            lines += _hurt(one)
    return "\n".join(lines).rstrip() + "\n"


def _figures(comparisons: Sequence[ArmComparison]) -> list[str]:
    rows = [
        (
            one.name,
            f"{len(one.outcomes):,}",
            f"{one.commonest:.3f}",
            show_figure(one.without),
            show_figure(one.with_passages),
            f"{one.difference.mean:+.3f} [{one.difference.low:+.3f}, {one.difference.high:+.3f}]"
            if one.outcomes
            else "-",
            f"{one.helped} / {one.hurt}",
            f"{one.p_value:.3g}",
            f"{one.unreadable[0]} / {one.unreadable[1]}",
            str(one.cut_off),
            str(one.bare),
            str(one.unanswered),
        )
        for one in comparisons
    ]
    headings = (
        "benchmark", "questions", "commonest answer", "without", "with", "with - without",
        "helped / hurt", "McNemar p", "unreadable without / with", "cut off",
        "no passages", "unanswered",
    )  # fmt: skip
    return markdown_table(headings, rows)


def _hurt(comparison: ArmComparison) -> Iterator[str]:
    """Yield the questions that were right without passages and wrong with them."""
    hurt = [one for one in comparison.outcomes if one.hurt]
    if not hurt:
        return
    yield from (f"## {comparison.name}: where retrieval hurt", "")
    if len(hurt) > _SHOWN_HURT:
        yield from (f"The first {_SHOWN_HURT} of {len(hurt)}; results.json names all.", "")
    rows = [_hurt_row(one) for one in hurt[:_SHOWN_HURT]]
    headings = ("question", "right answer", "without", "with", "passages shown")
    yield from (*markdown_table(headings, rows), "")


def _hurt_row(one: Outcome) -> tuple[str, ...]:
    return (
        f"`{one.question.question_id}`",
        plain_cell(answer_text(one.question.record)),
        plain_cell(one.without.read or "-"),
        plain_cell(one.with_passages.read or "-"),
        ", ".join(f"`{name}`" for name in one.passages) or "none",
    )


def _comparison_json(one: ArmComparison) -> dict[str, Any]:
    return {
        "name": one.name,
        "questions": len(one.outcomes),
        "commonest_answer": one.commonest if one.outcomes else None,
        "unanswered": one.unanswered,
        "without": figure_json(one.without),
        "with": figure_json(one.with_passages),
        "difference": figure_json(one.difference),
        "helped": one.helped,
        "hurt": one.hurt,
        "mcnemar_p": one.p_value,
        "unreadable": dict(zip(("without", "with"), one.unreadable, strict=True)),
        "cut_off": one.cut_off,
        "without_passages_found": one.bare,
        "hurt_questions": [_outcome_json(outcome) for outcome in one.outcomes if outcome.hurt],
        "outcomes": [_outcome_json(outcome) for outcome in one.outcomes],
    }


def _outcome_json(one: Outcome) -> dict[str, Any]:
    return {
        "question_id": one.question.question_id,
        "right_answer": answer_text(one.question.record),
        "without": asdict(one.without),
        "with": asdict(one.with_passages),
        "passages": list(one.passages),
    }

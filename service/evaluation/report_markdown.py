"""An evaluation as a markdown page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from indexer.pixels.resize import NEAR_DUPLICATE_BITS
from service.evaluation.audit import Audit
from service.evaluation.evaluation import Difference, Evaluation
from service.evaluation.markdown import markdown_table, plain_cell
from service.evaluation.metrics import BOOTSTRAP_SAMPLES, Figure
from service.evaluation.report_json import LEAST_OF_GROUP, Report
from service.evaluation.results import MEDIAN_RANK, TaskResult
from service.evaluation.worst import WorstQuery, worst_queries, write_pictures

_SHOWN_GROUPS = 15
_DEFINITIONS = f"""Every query searches the full pool named beside it. **R@k**: share of queries
whose record is among the first k (for questions with several right answers: any of them; R@100 of
documents: share of the relevant ones found). **MRR**: mean of 1 / rank. **P@10**: share of the
first ten that are relevant. **mAP**: mean average precision over the whole ranking. **nDCG@10**:
the gain is the grade. Ties count against us. Where an image is the query, its own case and its
near-duplicates ({NEAR_DUPLICATE_BITS} of 256 bits of a perceptual hash, or fewer) are never
counted as finds. Known items are asked for by captions that no other case shares; where images of
one case share a caption, only the one asked for counts. Where several sources are searched
together, body parts go by their common names ("skull and contents" is "brain").

In brackets: 95 % interval, percentile bootstrap ({BOOTSTRAP_SAMPLES:,} samples) over cases where
queries belong to cases, else over queries. After the slash: what a random order of the pool gives.
† The encoder may have seen what it is asked here: see its contamination and the hash audit."""


def report_markdown(report: Report, folder: Path, plots: Mapping[str, Sequence[Path]]) -> str:
    """Return the page; the pictures that it shows are written below `folder`.

    `plots` holds the files drawn for each evaluation, by `evaluation_key`.
    """
    lines = [
        "# Evaluation",
        "",
        f"`{report.command}`, medsearch {report.version}, seed {report.seed}.",
        "",
        _DEFINITIONS,
        "",
    ]
    if report.differences:
        lines += _differences(report.differences)
    for evaluation in report.evaluations:
        lines += _evaluation(evaluation, folder, plots.get(evaluation_key(evaluation), ()))
    return "\n".join(lines).rstrip() + "\n"


def evaluation_key(evaluation: Evaluation) -> str:
    """Return what tells the evaluations of one report apart."""
    return f"{evaluation.pool} with {evaluation.encoder.key}"


def show_figure(figure: Figure) -> str:
    """Return a figure as ".123 [.100, .150] / .010"; nothing measured gives a dash."""
    if figure.queries == 0:
        return "-"
    digits = 1 if figure.name == MEDIAN_RANK else 3
    text = f"{figure.mean:.{digits}f} [{figure.low:.{digits}f}, {figure.high:.{digits}f}]"
    return text if figure.chance is None else f"{text} / {figure.chance:.{digits}f}"


def _differences(differences: Sequence[Difference]) -> list[str]:
    rows = [
        (
            one.pool,
            one.task,
            one.subset,
            one.figure.name,
            f"{one.first} - {one.second}",
            f"{one.figure.mean:+.3f} [{one.figure.low:+.3f}, {one.figure.high:+.3f}]",
            "yes" if one.clear else "no",
        )
        for one in differences
    ]
    headings = ("pool", "task", "over", "figure", "difference", "paired by query", "clear of 0")
    return ["## Differences", "", *markdown_table(headings, rows), ""]


def _evaluation(evaluation: Evaluation, folder: Path, plots: Sequence[Path]) -> Iterator[str]:
    mark = " †" if evaluation.contaminated else ""
    yield from (f"## {evaluation_key(evaluation)}{mark}", "")
    size = f"{evaluation.records:,} records in {evaluation.cases:,} cases"
    yield f"- {size}; build `{evaluation.build_id}`; embedding space `{evaluation.space}`"
    yield f"- Contamination, as the catalogue has it: {evaluation.encoder.contamination}"
    yield from (f"- {_audit(audit)}" for audit in evaluation.audits)
    yield from (f"- {note}" for note in evaluation.notes)
    yield ""
    rows = [
        (
            result.task + mark,
            result.subset,
            f"{result.queries:,}",
            f"{result.pool:,}",
            figure.name,
            show_figure(figure),
        )
        for result in evaluation.results
        for figure in result.figures()
    ]
    headings = ("task", "over", "queries", "pool", "figure", "mean [95 %] / chance")
    yield from (*markdown_table(headings, rows), "")
    for path in plots:
        yield from (f"![{path.stem}]({path.relative_to(folder).as_posix()})", "")
    for result in evaluation.results:
        if result.subset == "all":
            yield from _breakdown(result)
    for result in _worth_showing(evaluation):
        yield from _worst(evaluation, result, folder)


def _audit(audit: Audit) -> str:
    found = f"{audit.exact:,} equal byte for byte, {audit.near:,} look the same"
    if audit.kind == "training":
        found += f", {audit.shared_cases:,} cases in both"
    examples = f" (e.g. {', '.join(audit.examples[:3])})" if audit.examples else ""
    return (
        f"Hash audit of {audit.pool:,} images against {audit.against} "
        f"({audit.compared_with:,} images): {found}{examples}"
    )


def _breakdown(result: TaskResult) -> Iterator[str]:
    """Yield a table of the leading figure by every facet that has two groups or more."""
    for facet in result.facets:
        groups = result.breakdown(facet, LEAST_OF_GROUP)
        if len(groups) < 2:
            continue
        largest = sorted(groups, key=lambda group: -groups[group].queries)[:_SHOWN_GROUPS]
        rows = [
            (group, f"{groups[group].queries:,}", show_figure(groups[group])) for group in largest
        ]
        yield from (f"### {result.task}, {result.lead} by {facet}", "")
        yield from (*markdown_table((facet, "queries", "mean [95 %]"), rows), "")


def _worth_showing(evaluation: Evaluation) -> list[TaskResult]:
    """Return the tasks whose failures are shown: by words, by image, and of hybrid search."""
    shown = ("caption -> image", "image -> image, same body part")
    return [
        result
        for result in evaluation.results
        if (result.subset == "all" and result.task in shown) or result.task.endswith("hybrid")
    ]


def _worst(evaluation: Evaluation, result: TaskResult, folder: Path) -> Iterator[str]:
    worst = worst_queries(result)
    if not worst:
        return
    names = {name for one in worst for name in (one.query_id, one.wanted, one.found) if name}
    pictures = write_pictures(evaluation, names, folder / "pictures")
    rows = [_worst_row(one, result, pictures) for one in worst]
    yield from (f"### {result.name}: the worst {len(worst)} queries", "")
    headings = ("query", result.lead, "rank", "wanted", "found first")
    yield from (*markdown_table(headings, rows), "")


def _worst_row(
    one: WorstQuery, result: TaskResult, pictures: Mapping[str, str]
) -> tuple[str, str, str, str, str]:
    def show(name: str | None) -> str:
        if name is None:
            return ""
        return f"![{name}](pictures/{pictures[name]})" if name in pictures else f"`{name}`"

    by_image = result.task.startswith("image")
    query = show(one.query_id) if by_image else plain_cell(one.text)
    rank = "" if one.rank is None else f"{one.rank:,}"
    return query, f"{one.value:.2f}", rank, show(one.wanted), show(one.found)

"""The report's plots. Matplotlib comes with the optional extra `eval`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.errors import MedsearchError
from service.evaluation.evaluation import Evaluation
from service.evaluation.results import TaskResult
from service.evaluation.worst import slug

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_DEEPEST_RANK = 100
_LEAST_OF_GROUP = 10
_CURVES = 8


def draw_plots(evaluation: Evaluation, folder: Path) -> list[Path]:
    """Draw recall by rank and the leading figures by modality; return the files written.

    Raises
    ------
    MedsearchError
        Matplotlib is not installed.
    """
    drawn = []
    known = [result for result in evaluation.results if result.ranks is not None][:_CURVES]
    grouped = [
        result
        for result in evaluation.results
        if result.subset == "all" and len(result.breakdown("modality", _LEAST_OF_GROUP)) > 1
    ]
    stem = f"{slug(evaluation.pool)}-{slug(evaluation.encoder.key)}"
    for name, chosen, draw in (
        ("recall-by-rank", known, _draw_recall),
        ("by-modality", grouped, _draw_modalities),
    ):
        if chosen:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{stem}-{name}.png"
            canvas = new_canvas()
            draw(canvas.subplots(), chosen)
            canvas.savefig(path)
            drawn.append(path)
    return drawn


def require_matplotlib() -> None:
    """Make sure that plots can be drawn, before hours are spent on what they are to show.

    Raises
    ------
    MedsearchError
        Matplotlib is not installed.
    """
    new_canvas()


def new_canvas() -> "Canvas":
    """Return an empty figure that needs no display.

    Raises
    ------
    MedsearchError
        Matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Canvas
    except ImportError as error:
        raise MedsearchError(
            "Plots need matplotlib, which is not installed.",
            remedy="pip install 'medsearch[eval]', or pass --no-plots.",
        ) from error
    canvas = Canvas(figsize=(8, 6), dpi=110, layout="constrained")
    FigureCanvasAgg(canvas)
    return canvas


def _draw_recall(axes: Any, results: Sequence[TaskResult]) -> None:
    """Draw, for each known-item task, the share of queries found by each rank."""
    depths = np.arange(1, _DEEPEST_RANK + 1)
    for result in results:
        ranks = np.asarray(result.ranks)
        shares = [(ranks <= depth).mean() for depth in depths]
        [line] = axes.plot(depths, shares, label=f"{result.name} (pool {result.pool:,})")
        chance = np.minimum(1, depths / result.pool)
        axes.plot(depths, chance, color=line.get_color(), linestyle=":", linewidth=1)
    axes.set(xscale="log", xlabel="rank (dotted: chance)", ylabel="recall", ylim=(0, 1))
    axes.grid(alpha=0.3)
    _add_legend(axes)


def _draw_modalities(axes: Any, results: Sequence[TaskResult]) -> None:
    """Draw each task's leading figure by modality, with its interval."""
    tables = [result.breakdown("modality", _LEAST_OF_GROUP) for result in results]
    groups = sorted({group for table in tables for group in table})
    width = 0.8 / len(results)
    for number, (result, table) in enumerate(zip(results, tables, strict=True)):
        places = [place for place, group in enumerate(groups) if group in table]
        figures = [table[groups[place]] for place in places]
        means = np.array([figure.mean for figure in figures])
        errors = [
            np.maximum(0, means - [figure.low for figure in figures]),
            np.maximum(0, np.array([figure.high for figure in figures]) - means),
        ]
        where = np.array(places) + (number - (len(results) - 1) / 2) * width
        label = f"{result.task}, {result.lead}"
        axes.bar(where, means, width, yerr=errors, label=label, error_kw={"linewidth": 0.7})
    axes.set_xticks(range(len(groups)), groups)
    axes.set(ylabel="leading figure", ylim=(0, 1))
    axes.grid(alpha=0.3, axis="y")
    _add_legend(axes)


def _add_legend(axes: Any) -> None:
    """Put the legend below the axes, where it hides nothing."""
    axes.figure.legend(loc="outside lower center", ncols=2, fontsize=8)

"""Draws accuracies with and without passages, and what was measured of retrieval alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from service.evaluation.metrics import Figure
from service.evaluation.plots import new_canvas
from service.evaluation.rag.evidence import Measurement
from service.evaluation.rag.pairing import ArmComparison

_WIDTH = 0.38


def draw_accuracies(comparisons: Sequence[ArmComparison], path: Path) -> None:
    """Draw the accuracies with their intervals, and below them helped and hurt questions.

    Raises
    ------
    MedsearchError
        Matplotlib is not installed.
    """
    shown = [one for one in comparisons if one.outcomes]
    canvas = new_canvas()
    above, below = canvas.subplots(2, 1, height_ratios=(2, 1), sharex=True)
    places = np.arange(len(shown))
    _draw_bars(above, places - _WIDTH / 2, [one.without for one in shown], "without passages")
    _draw_bars(above, places + _WIDTH / 2, [one.with_passages for one in shown], "with passages")
    above.set(ylabel="accuracy [95 %]", ylim=(0, 1))
    below.bar(places, [one.helped for one in shown], _WIDTH, label="helped", color="tab:green")
    below.bar(places, [-one.hurt for one in shown], _WIDTH, label="hurt", color="tab:red")
    below.axhline(0, color="black", linewidth=0.7)
    below.set(ylabel="questions")
    names = [f"{one.name}\nn = {len(one.outcomes):,}, p = {one.p_value:.2g}" for one in shown]
    below.set_xticks(places, names)
    for axes in (above, below):
        axes.grid(alpha=0.3, axis="y")
        axes.legend(fontsize=8)
    canvas.savefig(path)


def draw_measurements(measurements: Sequence[Measurement], path: Path) -> None:
    """Draw every figure with its interval, one below the other, chance as a hollow mark.

    Raises
    ------
    MedsearchError
        Matplotlib is not installed.
    """
    shown = [
        (f"{one.questions}: {one.measure}, {figure.name}", figure)
        for one in reversed(measurements)
        for figure in reversed(one.figures)
        if figure.queries
    ]
    canvas = new_canvas()
    canvas.set_size_inches(9, 1 + 0.28 * len(shown))
    axes = canvas.subplots()
    means = np.array([figure.mean for _, figure in shown])
    errors = [
        np.maximum(0, means - [figure.low for _, figure in shown]),
        np.maximum(0, np.array([figure.high for _, figure in shown]) - means),
    ]
    axes.errorbar(means, np.arange(len(shown)), xerr=errors, fmt="o", markersize=4, linewidth=1)
    chances = [
        (figure.chance, place)
        for place, (_, figure) in enumerate(shown)
        if figure.chance is not None
    ]
    if chances:
        across, down = zip(*chances, strict=True)
        axes.plot(across, down, "o", markersize=4, markerfacecolor="none", color="grey")
    axes.set_yticks(range(len(shown)), [label for label, _ in shown], fontsize=7)
    axes.set(xlabel="share (hollow: chance)")
    axes.grid(alpha=0.3, axis="x")
    canvas.savefig(path)


def _draw_bars(axes: Any, places: Any, figures: Sequence[Figure], label: str) -> None:
    means = np.array([figure.mean for figure in figures])
    errors = [
        np.maximum(0, means - [figure.low for figure in figures]),
        np.maximum(0, np.array([figure.high for figure in figures]) - means),
    ]
    axes.bar(places, means, _WIDTH, yerr=errors, label=label, error_kw={"linewidth": 0.7})

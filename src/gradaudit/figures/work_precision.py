"""Error achieved against the time that it took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from gradaudit.figures import layout, style
from gradaudit.figures.axes import (
    ErrorRange,
    VerdictBounds,
    error_axis,
    verdict_bands,
)
from gradaudit.figures.curves import curves_of, draw_rows, marks, setting_handles
from gradaudit.records.figure import Drawing

FIGURE = Drawing(
    of="model",
    tables=("evaluate",),
    facts=("title",),
    label="work and precision",
    category="Models",
    subcategory="{model}",
    caption=(
        "Error achieved for ``{{ snakemake.wildcards.model }}`` against the run time in "
        "seconds, without compilation."
    ),
)


def work_precision(table: pd.DataFrame, *, title: str, settings: Mapping[str, Any]) -> Figure:
    """One panel per functional, one line per setting, one marker per tolerance."""
    thresholds = VerdictBounds.from_settings(settings)
    errors = style.as_numbers(table["error"])
    failed = style.failed_rows(table)
    names = style.functionals_of(table)
    limits = ErrorRange.of(errors, thresholds, failed=bool(failed.any()))
    curves = curves_of(table, settings["palette"])
    seconds = style.as_numbers(table["seconds"])
    timed = seconds[np.isfinite(seconds) & (seconds > 0.0)]
    best = Line2D([], [], color="#9aa0a6", lw=7, alpha=0.4, label="the best for its time")
    edges = marks(failed=bool(failed.any()), beyond=bool((errors[~failed] > limits.top).any()))
    legends = {**setting_handles(curves), "marks": [best, *edges]}
    with style.styled(settings):
        figure, panels = layout.panels(
            len(names), columns=2, size=(4.6, 2.75), right=0.75, legends=len(legends)
        )
        for index, (ax, (functional, name)) in enumerate(zip(panels, names.items(), strict=True)):
            rows = table[table["functional"] == functional]
            error_axis(ax, limits)
            verdict_bands(ax, thresholds, limits, names=index % 2 == 1 or index == len(names) - 1)
            _time_axis(ax, timed)
            _best(ax, rows, limits)
            for (solver, method), curve in curves.items():
                own = rows[(rows["solver"] == solver) & (rows["method"] == method)]
                draw_rows(ax, own, curve, limits, x="seconds")
            ax.set_title(name)
        layout.axis_names(
            figure,
            x="seconds of a warm solve (without compilation)",
            y="error of the gradient (relative)",
            legends=len(legends),
        )
        layout.legends_below(figure, legends)
        layout.head(
            figure,
            f"{title}: what an accurate gradient costs",
            "Each marker is one tolerance; lower is more accurate, further left is faster.",
        )
    return figure


def frontier(seconds: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points that no other beats in both time and error, by rising time."""
    order = np.lexsort((errors, seconds))
    kept, best = [], np.inf
    for index in order:
        if errors[index] < best:
            kept.append(index)
            best = errors[index]
    return seconds[kept], errors[kept]


def _best(ax: Axes, rows: pd.DataFrame, limits: ErrorRange) -> None:
    """The frontier as a pale line behind the others."""
    worked = rows[rows["status"] == "ok"]
    seconds, errors = style.as_numbers(worked["seconds"]), style.as_numbers(worked["error"])
    finite = np.isfinite(seconds) & np.isfinite(errors)
    x, y = frontier(seconds[finite], errors[finite])
    ax.plot(
        x,
        limits.inside(y),
        color="#9aa0a6",
        lw=7,
        alpha=0.4,
        solid_joinstyle="round",
        solid_capstyle="round",
        zorder=1,
    )


def _time_axis(ax: Axes, seconds: np.ndarray) -> None:
    ax.set_xscale("log")
    if len(seconds):
        ax.set_xlim(seconds.min() / 1.6, seconds.max() * 1.6)
        decades = np.log10(seconds.max() / seconds.min())
        subs = (1.0,) if decades > 2.0 else (1.0, 2.0, 5.0)
        ax.xaxis.set_major_locator(LogLocator(subs=subs, numticks=12))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")

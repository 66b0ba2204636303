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

from gradaudit.figures import style
from gradaudit.figures.axes import (
    ErrorRange,
)
from gradaudit.figures.error_panels import Panel, error_panels
from gradaudit.figures.tooltips import short
from gradaudit.records.figure import Drawing
from gradaudit.records.labels import method_name

FIGURE = Drawing(
    of="model",
    tables=("evaluate",),
    facts=("title",),
    label="work and precision",
    category="Models",
    subcategory="{model}",
    caption=(
        "Error achieved for ``{{ snakemake.wildcards.model }}`` against the run time in "
        "milliseconds, without compilation."
    ),
)


WIDE_ENOUGH = 6.5
"""Times whose ratio is this have two ticks at 1, 2, 5, 10, ... between them, wherever they lie."""


def work_precision(table: pd.DataFrame, *, title: str, settings: Mapping[str, Any]) -> Figure:
    """One panel per functional, one line per setting, one marker per tolerance."""
    seconds = style.as_numbers(table["seconds"])
    timed = seconds[np.isfinite(seconds) & (seconds > 0.0)]

    def behind(panel: Panel) -> None:
        time_axis(panel.ax, timed)
        _best(panel.ax, panel.rows, panel.limits)

    return error_panels(
        table,
        settings=settings,
        x="seconds",
        x_name="milliseconds of a warm solve (without compilation)",
        head=(
            f"{title}: what an accurate gradient costs",
            "Each marker is one tolerance, timed by the shortest of three runs. Lower is more "
            "accurate, further left is faster.",
        ),
        behind=behind,
        handles=[Line2D([], [], color="#9aa0a6", lw=7, alpha=0.4, label="the best for its time")],
        said=_said,
    )


def _said(row: Mapping[str, Any]) -> str:
    """Setting, error and cost of a marker."""
    setting = f"{method_name(row['method'])}, {row['solver']}, rtol {short(row['rtol'])}"
    if row["status"] != "ok":
        return f"{setting}: {row['status']}"
    error, cost = float(row["error"]), float(row["seconds"])
    return f"{setting}: error {short(error)}, {short(1e3 * cost)} ms"


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


def time_axis(ax: Axes, seconds: np.ndarray) -> None:
    """A scale of milliseconds for times (k,) in seconds, with two ticks or more."""
    ax.set_xscale("log")
    if len(seconds):
        span = seconds.max() / seconds.min()
        beside = max(1.6, np.sqrt(WIDE_ENOUGH / span))
        ax.set_xlim(seconds.min() / beside, seconds.max() * beside)
        subs = (1.0,) if span > 100.0 else (1.0, 2.0, 5.0)
        ax.xaxis.set_major_locator(LogLocator(subs=subs, numticks=12))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda value, _: f"{1e3 * value:g}")

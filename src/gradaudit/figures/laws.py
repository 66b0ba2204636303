"""Error of the gradient against error of the states, regime by regime, with the fitted laws."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from gradaudit.analysis.audit_rows import prepared, typical
from gradaudit.analysis.regimes import ordered, regimes
from gradaudit.analysis.scaling_laws import RESOLVED, law_methods
from gradaudit.figures import layout, style
from gradaudit.figures.axes import VerdictBounds, band_handles, bands
from gradaudit.model.mechanism import label_of
from gradaudit.records.figure import Drawing
from gradaudit.records.labels import method_name

FIGURE = Drawing(
    of="atlas",
    tables=("atlas.audits", "atlas.laws"),
    label="state error and gradient error",
    category="Atlas",
    caption=(
        "The error of the gradient against the error of the states, one panel per mechanism, "
        "with the fitted power laws and their 95 % intervals."
    ),
)

X, Y = (1e-14, 3e0), (1e-13, 1e4)
"""Ranges that points are drawn in; what is beyond them is at their ends."""
FRAME_X, FRAME_Y = (1e-15, 1e1), (1e-14, 1e8)
"""Of a panel: no point is on its frame, and the laws stand above all points."""
SIZES = (4.6, 2.6)
"""Of the points of the methods: the later ones lie on the others, and leave their rims free."""
WIDEST = 30
"""Letters in a line of a title."""
WHY = {
    "state_exact": "no law: the state is exact",
    "not_converging": "no law: does not converge",
    "rounding": "no law: errors are rounding",
    "too_few_points": "no law: too few points",
}


def laws(audits: pd.DataFrame, fitted: pd.DataFrame, *, settings: Mapping[str, Any]) -> Figure:
    """A panel a mechanism: every gradient of forward AD and of full control, and its law.

    Parameters
    ----------
    audits
        Of stage atlas: the rows of every model.
    fitted
        Of stage atlas: the laws.
    settings
        ``palette``, ``dpi``, and the thresholds ``good`` and ``horrible``.
    """
    thresholds = VerdictBounds.from_settings(settings)
    table = typical(prepared(audits))
    table = table[table["informative"] & table["method"].isin(law_methods())]
    names = ordered(regimes(audits))
    colours = style.method_colours(law_methods(), settings["palette"])
    with style.styled(settings):
        figure, panels = layout.panels(
            max(len(names), 1), columns=4, size=(2.7, 2.6), gaps=(0.2, 0.6), legends=2
        )
        for ax, name in zip(panels, names, strict=False):
            _scales(ax, thresholds)
            own = fitted[
                (fitted["law"] == "state_error")
                & (fitted["mechanism"] == name)
                & (fitted["stepping"] == "all")
            ]
            for line, method in enumerate(law_methods()):
                rows = table[(table["mechanism"] == name) & (table["method"] == method)]
                _points(ax, rows, colours[method], SIZES[min(line, len(SIZES) - 1)])
                _law(ax, own[own["method"] == method], colours[method], line)
            title = textwrap.fill(label_of(name), WIDEST)
            ax.set_title(title, fontsize=8.8, fontweight="bold")
        layout.axis_names(
            figure,
            x="error of the states (scaled)",
            y="error of the gradient",
            legends=2,
        )
        layout.legends_below(
            figure, {"method": _handles(colours), "error": band_handles(thresholds)}
        )
        layout.head(
            figure,
            "Error of the gradient against error of the states",
            "A point is one gradient; q is the fitted exponent with its 95 % interval. At the left "
            "edge the states are exact; the gradient may be wrong.",
        )
    return figure


def _scales(ax: Axes, thresholds: VerdictBounds) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(*FRAME_X)
    ax.set_ylim(*FRAME_Y)
    ax.xaxis.set_major_locator(FixedLocator([10.0**k for k in range(-13, 1, 4)]))
    ax.yaxis.set_major_locator(FixedLocator([10.0**k for k in range(-12, 5, 4)]))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
    bands(ax, thresholds, Y[1])
    ax.plot(X, X, color=style.MUTED, lw=0.9, ls=(0, (1, 2)), zorder=1)


def _points(ax: Axes, rows: pd.DataFrame, colour: Any, size: float) -> None:
    x = style.as_numbers(rows["state_error"]) if "state_error" in rows else np.zeros(len(rows))
    y = style.as_numbers(rows["error"])
    seen = np.isfinite(x) & np.isfinite(y)
    x = np.clip(np.where(x <= RESOLVED, X[0], x), *X)
    y = np.clip(y, *Y)
    ax.plot(
        x[seen], y[seen], ls="none", marker="o", ms=size, color=colour, mec="white", mew=0.3,
        alpha=0.7,
    )  # fmt: skip


def _law(ax: Axes, law: pd.DataFrame, colour: Any, line: int) -> None:
    if law.empty:
        return
    row = law.iloc[0]
    text = WHY.get(str(row["status"]), "")
    if row["status"] == "ok":
        x = np.array([row["x_min"], row["x_max"]])
        ax.plot(x, 10.0 ** (row["intercept"] + row["exponent"] * np.log10(x)), color=colour, lw=2.2)
        text = f"q = {row['exponent']:.2f}  [{row['low']:.2f}, {row['high']:.2f}]"
    ax.text(
        0.97,
        0.955 - 0.075 * line,
        text,
        transform=ax.transAxes,
        ha="right",
        va="center",
        fontsize=8.2,
        fontweight="bold",
        color=tuple(0.78 * c for c in colour),
        zorder=5,
    )


def _handles(colours: Mapping[str, Any]) -> list[Line2D]:
    named = [
        Line2D([], [], color=colour, marker="o", ms=5, lw=2.2, label=method_name(name))
        for name, colour in colours.items()
    ]
    even = Line2D(
        [], [], color=style.MUTED, ls=(0, (1, 2)), label="gradient as accurate as the states"
    )
    return [*named, even]

"""What the indicator sees without a reference, against the error that the reference shows."""

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
from gradaudit.figures.axes import CEILING, FLOOR, VerdictBounds
from gradaudit.figures.curves import marks
from gradaudit.records.figure import Drawing
from gradaudit.records.labels import method_name

FIGURE = Drawing(
    of="atlas",
    tables=("atlas.audits",),
    label="indicator",
    category="Atlas",
    caption="The indicator that needs no reference, against the certified error.",
)


EDGE = 3.0
"""Over the frame: where points are drawn that are beyond it, such as errors of 0."""


def indicator(audits: pd.DataFrame, *, settings: Mapping[str, Any]) -> Figure:
    """One panel per method: indicator times tolerance against the error of every row.

    The indicator is the largest local error of the tangents in units of the tolerance, so its
    product with the tolerance is that error relative to the tangents.

    Parameters
    ----------
    audits
        Of stage atlas: the rows of every model.
    settings
        ``palette``, ``dpi``, and the thresholds ``good`` and ``horrible``.
    """
    thresholds = VerdictBounds.from_settings(settings)
    methods = list(style.method_colours(audits["method"], settings["palette"]))
    seen = style.as_numbers(audits["indicator"]) * style.as_numbers(audits["rtol"])
    error = style.as_numbers(audits["error"])
    failed = style.failed_rows(audits) | ~np.isfinite(error)
    bounds = [thresholds.good / 10.0, thresholds.horrible * 10.0]
    limits = _limits(seen[~failed]), _limits(np.append(error[~failed], bounds))
    with style.styled(settings):
        figure, panels = layout.panels(
            len(methods), columns=3, size=(3.7, 3.5), gaps=(0.55, 0.48), legends=1
        )
        for ax, method in zip(panels, methods, strict=True):
            _scales(ax, limits, thresholds)
            chosen = (audits["method"] == method).to_numpy()
            for verdict, colour in style.VERDICTS.items():
                here = chosen & (audits["verdict"] == verdict)
                _points(ax, seen[here], error[here], failed[here], colour)
            ax.set_title(method_name(method), fontweight="bold")
        layout.axis_names(
            figure,
            x="indicator × rtol: largest local error of the tangents, relative to them",
            y="true relative error of the gradient",
            legends=1,
        )
        grey: dict[str, Any] = {"ls": "none", "mec": "white", "ms": 7}
        layout.legends_below(
            figure,
            {
                "verdict": [
                    Line2D([], [], marker="o", color=colour, label=word, **grey)
                    for word, colour in style.VERDICTS.items()
                ]
                + marks(failed=bool(failed.any()), beyond=False),
            },
        )
        layout.head(
            figure,
            "Indicator without a reference, against the true error",
            "A point is one gradient. On the dotted line the indicator equals the error; errors "
            "far above it are not detected.\nAt the lower edge the error is 0. Red below the grey "
            "lines: counts, and series that do not converge.",
        )
    return figure


def _limits(values: np.ndarray) -> tuple[float, float]:
    shown = values[np.isfinite(values) & (values > 0.0)]
    if not len(shown):
        return 1e-12, 1.0
    low, high = max(shown.min(), FLOOR), min(shown.max(), CEILING)
    room = np.log10(2.0 * EDGE)
    return (
        float(10.0 ** np.floor(np.log10(low) - room)),
        float(10.0 ** np.ceil(np.log10(high) + room)),
    )


def _scales(
    ax: Axes, limits: tuple[tuple[float, float], tuple[float, float]], thresholds: VerdictBounds
) -> None:
    (left, right), (bottom, top) = limits
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    for axis, ticks in ((ax.xaxis, 6), (ax.yaxis, 8)):
        axis.set_major_locator(LogLocator(numticks=ticks))
        axis.set_minor_locator(NullLocator())
    both = np.array([min(left, bottom), max(right, top)])
    ax.plot(both, both, color=style.MUTED, lw=1.0, ls=(0, (1, 2)), zorder=1)
    for level in (thresholds.good, thresholds.horrible):
        ax.axhline(level, color=style.FAINT, lw=1.0, zorder=0)


def _points(ax: Axes, x: np.ndarray, y: np.ndarray, failed: np.ndarray, colour: str) -> None:
    """Points inside the axes, at its edges where they are beyond, crosses on top for the failed."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    x = np.clip(np.where(np.isfinite(x), x, right), left * EDGE, right / EDGE)
    ax.plot(
        x[~failed],
        np.clip(y[~failed], bottom * EDGE, top / EDGE),
        ls="none",
        marker="o",
        color=colour,
        mec="white",
        mew=0.3,
        ms=4.0,
        alpha=0.85,
    )
    ax.plot(x[failed], np.full(failed.sum(), top / EDGE), ls="none", marker="x", color=colour, ms=6)

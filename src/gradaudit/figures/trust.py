"""The trust score on mechanisms that were left out: predicted against certified error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gradaudit.analysis.calibration.skill import calibration
from gradaudit.figures import layout, style
from gradaudit.records.figure import Drawing
from gradaudit.records.labels import indicator_name

FIGURE = Drawing(
    of="trust",
    tables=("trust.predictions",),
    label="trust score",
    category="Atlas",
    caption=(
        "The trust score on mechanisms that it was not fitted to: estimated against true "
        "relative error of the gradient, and how often the true error lies within the stated "
        "interval."
    ),
)

LIMITS = (-13.5, 2.7)


def trust(predictions: pd.DataFrame, *, settings: Mapping[str, Any]) -> Figure:
    """One column a score: estimate against truth, and below it the coverage by mechanism.

    Parameters
    ----------
    predictions
        Of stage trust.
    settings
        ``dpi``, and the thresholds ``good`` and ``horrible``.
    """
    if predictions.empty:
        with style.styled(settings):
            return _nothing()
    names = list(dict.fromkeys(predictions["score"]))
    covered = calibration(predictions)
    rows = covered["mechanism"].nunique()
    high = 1.2 + 0.24 * rows
    height = 0.98 + 3.6 + 0.75 + high + 0.8
    with style.styled(settings):
        figure, grid = plt.subplots(
            2, len(names), figsize=(max(9.0, 2.5 + 3.35 * len(names)), height),
            squeeze=False, sharey="row", height_ratios=[3.6, high],
        )  # fmt: skip
        figure.subplots_adjust(
            left=0.255, right=0.98, top=1 - 1.2 / height, bottom=0.95 / height,
            hspace=0.75 / (0.5 * (3.6 + high)), wspace=0.1,
        )  # fmt: skip
        for column, name in enumerate(names):
            own = predictions[predictions["score"] == name]
            _scatter(grid[0, column], own, float(settings.get("good", 1e-2)))
            grid[0, column].set_title(indicator_name(str(name)), fontweight="bold")
            _coverage(grid[1, column], covered[covered["score"] == name])
        grid[0, 0].set_ylabel("true relative error")
        layout.legends_below(
            figure,
            {
                "verdict": [
                    Line2D([], [], marker="o", ls="none", color=colour, label=word)
                    for word, colour in style.VERDICTS.items()
                ]
            },
        )
        layout.head(
            figure,
            "An estimate of the gradient's error that needs no reference",
            "Each mechanism is left out of its own fit. Above: a point is one gradient; in the "
            "band the interval holds. Below: share of gradients in their 90 % interval.",
        )
    return figure


def _nothing() -> Figure:
    figure = plt.figure(figsize=(layout.MIN_WIDTH, 0.8))
    layout.head(
        figure,
        "An estimate of the gradient's error that needs no reference: nothing to draw",
        "A score is judged on mechanisms that it was not fitted to; this configuration has too "
        "few of them.",
    )
    return figure


def _scatter(ax: Axes, rows: pd.DataFrame, bound: float) -> None:
    line = np.array(LIMITS)
    if np.isfinite(style.as_numbers(rows["low"])).any():
        low = float(np.nanmedian(rows["low"] - rows["estimate"]))
        high = float(np.nanmedian(rows["high"] - rows["estimate"]))
        # The band may be as narrow as a line, so that it has edges and is told in numbers.
        ax.fill_between(line, line + low, line + high, color=style.FAINT, alpha=0.55, lw=0)
        for edge in (low, high):
            ax.plot(line, line + edge, color=style.INK, lw=0.6)
        factors = f"{10.0**low:.3g} to {10.0**high:.3g}"
        ax.text(
            0.03, 0.97, f"interval: {factors}\ntimes the estimate (median)",
            transform=ax.transAxes, va="top", fontsize=8.5,
        )  # fmt: skip
    ax.plot(line, line, color=style.MUTED, lw=1, ls=(0, (1, 1.5)))
    for word, colour in style.VERDICTS.items():
        chosen = rows[rows["verdict"] == word]
        ax.plot(chosen["estimate"], chosen["true"], ".", ms=4, alpha=0.45, mew=0, color=colour,
                rasterized=True)  # fmt: skip
    ax.axhline(np.log10(bound), color=style.FAINT, lw=1)
    if len(rows):
        ax.axvline(float(rows["threshold"].median()), color=style.FAINT, lw=1)
    ticks = [-12, -9, -6, -3, 0]
    labels = [f"$10^{{{tick}}}$" for tick in ticks]
    ax.set_xticks(ticks, labels)
    ax.set_yticks(ticks, labels)
    ax.set_xlim(*LIMITS)
    ax.set_ylim(*LIMITS)
    ax.set_xlabel("estimated relative error")


def _coverage(ax: Axes, rows: pd.DataFrame) -> None:
    rows = rows.iloc[::-1]
    colours = [style.INK if name == "all" else "#7fa7c4" for name in rows["mechanism"]]
    ax.barh(rows["mechanism"], rows["inside"], color=colours, height=0.66)
    below = 1.0 - rows["inside"] - rows["above"]
    ax.barh(rows["mechanism"], below, left=rows["inside"], height=0.66, color=style.FAINT)
    ax.barh(rows["mechanism"], rows["above"], left=1 - rows["above"], height=0.66,
            color=style.VERDICTS["horrible"])  # fmt: skip
    ax.axvline(0.9, color=style.MUTED, lw=1, ls=(0, (4, 2)))
    ax.set_xlim(0, 1)
    ax.set_xticks([0.0, 0.5, 0.9, 1.0], ["0", "0.5", "0.9", "1"])
    ax.set_xlabel("in the interval (grey: below, red: above)")
    ax.tick_params(axis="y", length=0)

"""What each indicator is worth on mechanisms left out: the area under its ROC, and its cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from gradaudit.analysis.calibration.skill import roc
from gradaudit.figures import layout, style
from gradaudit.records.figure import Drawing
from gradaudit.records.labels import indicator_name

FIGURE = Drawing(
    of="trust",
    tables=("trust.skills", "trust.predictions"),
    label="skill of the indicators",
    category="Atlas",
    caption=(
        "The skill of each indicator: the area under its ROC for errors above the bound of a "
        "good gradient, on mechanisms that set no threshold, with 95 % intervals over "
        "mechanisms, and what it costs."
    ),
)

ROW = 0.33  # inches
SCORE, PLAIN = "#0b5d8a", "#8f969e"
GOAL = 0.95
CURVES = (
    ("#0b5d8a", 6.0, "-"),
    ("#d0772b", 3.2, "-"),
    ("#b7e4c0", 1.3, (0, (3, 1.5))),
)
"""Colour, width and dashes of the scores: where two coincide, both are seen."""

FEWEST = 1e-3
"""The smallest share that is shown."""


def skill(table: pd.DataFrame, predictions: pd.DataFrame, *, settings: Mapping[str, Any]) -> Figure:
    """Areas with their intervals beside costs, and what the scores miss and raise falsely.

    Parameters
    ----------
    table, predictions
        Of stage trust: one row per indicator; and predictions for mechanisms left out.
    settings
        ``dpi``, and the threshold ``good``.
    """
    shown = table[np.isfinite(style.as_numbers(table["auc"]))].sort_values("auc")
    height = max(3.6, 1.9 + ROW * len(shown))
    with style.styled(settings):
        scored = np.isfinite(style.as_numbers(predictions["estimate"])).any()
        panels = {"ncols": 2, "width_ratios": [1.35, 1.0]} if scored else {"ncols": 1}
        figure, axes = plt.subplots(1, squeeze=False, figsize=(11.0, height), **panels)
        figure.subplots_adjust(
            left=0.21, right=0.985, top=1 - 0.98 / height, bottom=0.72 / height, wspace=0.24
        )
        _areas(axes[0, 0], shown)
        text = (
            "area under the ROC (0.5 by chance; blue: trust scores), 95 % intervals over "
            "mechanisms; cost, where a gradient is 1; share of gradients that have it, if not all."
        )
        if scored:
            _curves(axes[0, 1], predictions, float(settings.get("good", 1e-2)))
            text = f"Left: {text} Right: trust scores; the better, the closer to the lower left."
        layout.head(
            figure,
            "Which indicators detect a gradient that is not good, without a reference",
            text[:1].upper() + text[1:],
        )
    return figure


def _areas(ax: Axes, shown: pd.DataFrame) -> None:
    for place, row in enumerate(shown.to_dict("records")):
        colour = SCORE if row["kind"] == "score" else PLAIN
        ax.plot([row["auc_low"], row["auc_high"]], [place, place], color=colour, lw=2.4, alpha=0.55)
        ax.plot(row["auc"], place, "o", ms=7, color=colour)
        text = f"{row['auc']:.3f}"
        if np.isfinite(row["cost"]):
            text += f"   cost {row['cost']:.2g}"
        if row["covered"] < 0.995:
            text += f"   for {100 * row['covered']:.0f} %"
        ax.text(1.03, place, text, va="center", fontsize=8.5, color=style.MUTED)
    ax.axvline(0.5, color=style.FAINT, lw=1, zorder=0)
    ax.axvline(GOAL, color=style.FAINT, lw=1, ls=(0, (4, 2)), zorder=0)
    ax.set_yticks(range(len(shown)), [indicator_name(str(name)) for name in shown["indicator"]])
    ax.set_ylim(-0.7, len(shown) - 0.3)
    lowest = shown["auc_low"].fillna(shown["auc"])
    ax.set_xlim(min(0.3, *lowest) - 0.02 if len(shown) else 0.3, 1.42)
    ax.set_xticks([0.5, 0.75, 1.0], ["0.5", "0.75", "1"])
    ax.set_xlabel(f"area under the ROC (dashed: {GOAL:g})", loc="left")


def _curves(ax: Axes, predictions: pd.DataFrame, bound: float) -> None:
    """Missed against false alarms, both logarithmic: good scores differ in the corner alone."""
    scores = predictions.groupby("score", sort=False)
    for (name, rows), (colour, width, dashes) in zip(scores, CURVES, strict=False):
        known = rows[np.isfinite(style.as_numbers(rows["estimate"]))]
        bad = (known["error"] > bound).to_numpy()
        if bad.all() or not bad.any():
            continue
        false, hits = roc(known["estimate"].to_numpy(), bad)
        ax.plot(
            np.maximum(false, FEWEST), np.maximum(1.0 - hits, FEWEST), color=colour, lw=width,
            ls=dashes, label=indicator_name(str(name)), solid_capstyle="butt",
        )  # fmt: skip
        alarm = (known["estimate"] >= known["threshold"]).to_numpy()
        ax.plot(
            max(np.mean(alarm[~bad]), FEWEST),
            max(np.mean(~alarm[bad]), FEWEST),
            "o",
            ms=5.5 + width,
            mec="white",
            color=colour,
        )
    shares = np.geomspace(FEWEST, 1.0, 200)
    ax.plot(shares, 1.0 - shares, color=style.FAINT, lw=1, zorder=0)  # by chance
    ticks = [1.0, 0.1, 0.01, FEWEST]
    names = ["100 %", "10 %", "1 %", f"≤ {100 * FEWEST:g} %"]
    ax.set(xscale="log", yscale="log")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(ticks, names)
        axis.set_minor_locator(NullLocator())
    ax.set(xlim=(0.8 * FEWEST, 1.25), ylim=(0.8 * FEWEST, 1.25))
    ax.set_xlabel("false alarms, share of good gradients")
    ax.set_ylabel("missed, share of gradients not good")
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="upper right", bbox_to_anchor=(0.98, 0.96), title="dot: its threshold")

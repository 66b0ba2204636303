"""Kinds of functionals, from the most accurate gradients to the least."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from gradaudit.figures import layout, style
from gradaudit.records.figure import Drawing
from gradaudit.records.labels import VERDICTS, ranked_name

FIGURE = Drawing(
    of="atlas",
    tables=("atlas.ranking",),
    label="functionals",
    category="Atlas",
    caption=(
        "Kinds of functionals of the solution: the shares of good, bad and horrible tolerance "
        "series by "
        "forward AD and by the best method, and the rank of the error among all functionals of "
        "the same solve."
    ),
)

ROW, HEAD, FOOT, LABELS = 0.36, 1.2, 0.95, 2.95


def ranking(table: pd.DataFrame, *, settings: Mapping[str, Any]) -> Figure:
    """Shares of verdicts by forward AD and by the best method, and the rank in the solve.

    Parameters
    ----------
    table
        Of stage atlas: one row per kind of functional; those of the scope ``all`` are drawn.
    settings
        ``palette`` and ``dpi``.
    """
    rows = table[table["scope"] == "all"].sort_values(["position", "horrible"], kind="stable")
    count = max(len(rows), 1)
    width, height = 11.6, HEAD + count * ROW + FOOT
    with style.styled(settings):
        figure = plt.figure(figsize=(width, height))
        room = (width - LABELS - 0.25 - 2 * 0.35) / 3.0

        def panel(index: int) -> Axes:
            left = LABELS + index * (room + 0.35)
            box = (left / width, FOOT / height, room / width, count * ROW / height)
            ax = figure.add_axes(box)
            ax.set_ylim(count - 0.5, -0.5)
            ax.set_xlim(0.0, 1.0)
            ax.set_yticks([])
            ax.spines["left"].set_visible(False)
            return ax

        first, second, third = (panel(i) for i in range(3))
        _shares(first, rows, "", "Forward AD")
        _shares(second, rows, "best_", "The best method")
        _places(third, rows)
        for y, row in enumerate(rows.to_dict("records")):
            first.text(-0.04, y - 0.02, ranked_name(str(row["kind"])), ha="right", va="center")
        figure.legend(
            handles=[Patch(color=style.VERDICTS[word], label=word) for word in VERDICTS],
            loc="lower left",
            bbox_to_anchor=(0.006, 0.0),
            ncols=3,
        )
        layout.head(
            figure,
            "Which functions of the solution have accurate gradients",
            "Sorted by the rank of the error among all functionals of the same solve. All models; "
            "intervals are 95 %, by a bootstrap over models.",
        )
    return figure


def _shares(ax: Axes, rows: pd.DataFrame, prefix: str, title: str) -> None:
    for y, row in enumerate(rows.to_dict("records")):
        start = 0.0
        for word in VERDICTS:
            share = float(row[f"{prefix}{word}"])
            ax.barh(y, share, left=start, height=0.72, color=style.VERDICTS[word], lw=0)
            if share > 0.11:
                ink = style.INK if word == "bad" else "white"
                ax.text(
                    start + share / 2,
                    y + 0.02,
                    f"{100 * share:.0f}",
                    ha="center",
                    va="center",
                    color=ink,
                    fontsize=8.5,
                    fontweight="bold",
                )
            start += share
    ax.set_title(title, fontweight="bold")
    ax.set_xlabel("share of the tolerance series in %")
    ax.set_xticks([0.0, 0.5, 1.0], ["0", "50", "100"])


def _places(ax: Axes, rows: pd.DataFrame) -> None:
    ax.set_title("Rank of the error in its solve", fontweight="bold")
    ax.set_xlabel("0: smallest error, 1: largest")
    ax.set_xlim(-0.03, 1.03)
    ax.axvline(0.5, color=style.FAINT, lw=1.0, zorder=0)
    for y, row in enumerate(rows.to_dict("records")):
        ax.axhline(y, color=style.FAINT, lw=0.6, zorder=0)
        if not np.isfinite(row["position"]):
            ax.text(0.5, y, "its derivative is 0 or not defined", ha="center", va="center",
                    fontsize=8, color=style.MUTED, backgroundcolor="white")  # fmt: skip
            continue
        if np.isfinite(row["position_low"]):
            ax.plot(
                [row["position_low"], row["position_high"]],
                [y, y],
                color=style.MUTED,
                lw=2.2,
                solid_capstyle="round",
            )
        ax.plot([row["position"]], [y], marker="o", ms=8, color=style.INK, mec="white")

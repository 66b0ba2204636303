"""The one picture: mechanism by method, every cell filled by the verdicts of its gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from gradaudit.analysis.regimes import main_methods, ordered
from gradaudit.figures import layout, style
from gradaudit.model.mechanism import label_of
from gradaudit.records.figure import Drawing
from gradaudit.records.labels import VERDICTS, method_name

FIGURE = Drawing(
    of="atlas",
    tables=("atlas.regimes",),
    label="mechanism by method",
    category="Atlas",
    caption=(
        "Verdicts on forward-mode gradients by mechanism and method. A "
        "cell is filled by the share of its tolerance series that are good, bad and "
        "horrible, and tells how many are good; the expected verdict is beside the mechanism."
    ),
)

WIDE, TALL, GAP = 1.06, 0.38, 0.2
HEAD, FOOT, LABELS = 1.42, 0.5, 3.45
EMPTY = "#f0f1f3"


def mechanisms(regimes: pd.DataFrame, *, settings: Mapping[str, Any]) -> Figure:
    """Rows are mechanisms in plain words, columns methods with explicit and implicit solvers.

    A cell is divided by the shares of its tolerance series that are good, bad and horrible, and
    tells how many of how many are good; the first column is the expected verdict.

    Parameters
    ----------
    regimes
        Of stage atlas: one row per (mechanism, method, explicit or implicit).
    settings
        ``palette`` and ``dpi``.
    """
    first = {str(r["mechanism"]): r for r in regimes.to_dict("records")}
    rows = [(n, str(first[n]["regime"]), int(first[n]["models"])) for n in ordered(regimes)]
    steppings = [s for s in ("explicit", "implicit") if s in set(regimes["stepping"])]
    methods = [m for m in main_methods() if m in set(regimes["method"])]
    block = len(steppings) * WIDE
    width = LABELS + 0.9 + max(len(methods), 1) * (block + GAP) + 0.1
    height = HEAD + max(len(rows), 1) * TALL + FOOT
    with style.styled(settings):
        figure = plt.figure(figsize=(max(width, 8.6), height))
        width = float(figure.get_size_inches()[0])
        ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        ax.set_xlim(0, width)
        ax.set_ylim(height, 0)
        ax.axis("off")
        cells = {
            (str(r["mechanism"]), str(r["method"]), str(r["stepping"])): r
            for r in regimes.to_dict("records")
        }
        for index, (mechanism, regime, models) in enumerate(rows):
            y = HEAD + index * TALL
            _row_names(ax, y, mechanism, regime, models, last=width - 0.12)
            for m, method in enumerate(methods):
                for s, stepping in enumerate(steppings):
                    x = LABELS + 0.9 + m * (block + GAP) + s * WIDE
                    _cell(ax, x, y, cells.get((mechanism, method, stepping)))
        _heads(ax, methods, steppings, block)
        _legend(figure)
        layout.head(
            figure,
            "Where forward-mode gradients can be trusted: mechanism by method",
            "A cell is filled by the share of its tolerance series that are good, bad and "
            "horrible. n: models.",
        )
    return figure


def _row_names(
    ax: Axes, y: float, mechanism: str, regime: str, models: int, *, last: float
) -> None:
    middle = y + TALL / 2
    ax.plot([0.12, last], [y, y], color=style.FAINT, lw=0.6, zorder=0)
    ax.text(LABELS - 0.38, middle, label_of(mechanism), ha="right", va="center", fontsize=9.5)
    ax.text(LABELS - 0.2, middle, str(models), ha="center", va="center", color=style.MUTED)
    if regime in style.VERDICTS:
        colour = style.VERDICTS[regime]
        ax.plot([LABELS + 0.35], [middle], marker="o", ms=15, color=colour, mec="white")
        ax.text(
            LABELS + 0.35,
            middle + 0.01,
            regime[0].upper(),
            ha="center",
            va="center",
            fontsize=8.5,
            fontweight="bold",
            color=_ink(regime),
        )


def _cell(ax: Axes, x: float, y: float, row: Mapping[Any, Any] | None) -> None:
    pad = 0.035
    left, top, wide, tall = x + pad, y + pad, WIDE - 2 * pad, TALL - 2 * pad
    if row is None:
        ax.add_patch(Rectangle((left, top), wide, tall, color=EMPTY, lw=0))
        return
    start = left
    for word in VERDICTS:
        share = wide * row[word] / row["ladders"]
        if share:
            ax.add_patch(Rectangle((start, top), share, tall, color=style.VERDICTS[word], lw=0))
        start += share
    ax.text(
        left + wide / 2,
        y + TALL / 2 + 0.005,
        f"{row['good']} of {row['ladders']} good",
        ha="center",
        va="center",
        fontsize=9,
        bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "alpha": 0.9, "lw": 0},
    )


def _heads(ax: Axes, methods: list[str], steppings: list[str], block: float) -> None:
    small: dict[str, Any] = {"fontsize": 8.5, "color": style.MUTED, "va": "bottom"}
    ax.text(LABELS - 0.38, HEAD - 0.1, "mechanism", ha="right", **small)
    ax.text(LABELS - 0.2, HEAD - 0.1, "n", ha="center", **small)
    ax.text(LABELS + 0.35, HEAD - 0.1, "expected", ha="center", **small)
    for m, method in enumerate(methods):
        left = LABELS + 0.9 + m * (block + GAP)
        ax.plot([left + 0.04, left + block - 0.04], [HEAD - 0.33] * 2, color=style.MUTED, lw=0.8)
        ax.text(
            left + block / 2,
            HEAD - 0.38,
            method_name(method),
            ha="center",
            va="bottom",
            fontsize=10.5,
            fontweight="bold",
        )
        for s, stepping in enumerate(steppings):
            ax.text(left + (s + 0.5) * WIDE, HEAD - 0.1, stepping, ha="center", **small)


def _legend(figure: Figure) -> None:
    handles = [
        Patch(color=colour, label=f"{word[0].upper()}  {word}")
        for word, colour in style.VERDICTS.items()
    ]
    figure.legend(
        handles=[*handles, Patch(facecolor=EMPTY, label="not audited, or no events")],
        loc="lower left",
        bbox_to_anchor=(0.006, 0.0),
        ncols=4,
        borderaxespad=0.4,
    )


def _ink(word: str) -> str:
    return style.INK if word == "bad" else "white"

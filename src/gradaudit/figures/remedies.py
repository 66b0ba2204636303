"""Which remedies correct a gradient that is not good: mechanism by remedy, as measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gradaudit.analysis.audit_rows import HARM
from gradaudit.analysis.remedies import REMEDIES, remedy_name, summary
from gradaudit.figures import layout, style
from gradaudit.figures.mechanisms import EMPTY
from gradaudit.model.mechanism import label_of
from gradaudit.records.figure import Drawing

FIGURE = Drawing(
    of="atlas",
    tables=("atlas.remedies",),
    label="remedies",
    category="Atlas",
    caption=(
        "What improves a gradient that is not good: the share that is good after one change, "
        "the factor by which the error falls, and the factor in work."
    ),
)

WIDE, TALL, LABELS, HEAD, FOOT = 1.42, 0.56, 3.6, 1.5, 0.75


def remedies(table: pd.DataFrame, *, settings: Mapping[str, Any]) -> Figure:
    """A cell is the share of the gradients, not good before, that are good with the remedy.

    Parameters
    ----------
    table
        Of stage atlas: one row per (gradient that is not good, remedy).
    settings
        ``palette`` and ``dpi``.
    """
    summed = summary(table)
    names = list(dict.fromkeys(summed["mechanism"])) if len(summed) else []
    names = [*(name for name in names if name != "all"), *(name for name in names if name == "all")]
    cells = {(str(r["mechanism"]), str(r["remedy"])): r for r in summed.to_dict("records")}
    tried = set(table.loc[table["tried"].astype(bool), "remedy"]) if len(table) else set()
    named = {name: remedy_name(name) for name in REMEDIES}
    shown = {name: text for name, text in named.items() if name in tried} or named
    if not names:
        with style.styled(settings):
            return _nothing()
    width = LABELS + max(len(shown), 4) * WIDE + 0.2
    height = HEAD + len(names) * TALL + FOOT
    with style.styled(settings):
        figure = plt.figure(figsize=(width, height))
        ax = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        ax.set_xlim(0, width)
        ax.set_ylim(height, 0)
        ax.axis("off")
        colours = sns.blend_palette(
            [style.VERDICTS["horrible"], style.VERDICTS["bad"], style.VERDICTS["good"]],
            as_cmap=True,
        )
        for x, text in enumerate(shown.values()):
            ax.text(
                LABELS + (x + 0.5) * WIDE,
                HEAD - 0.12,
                _two_lines(text),
                ha="center",
                va="bottom",
                fontsize=9.2,
                fontweight="bold",
            )
        for y, name in enumerate(names):
            top = HEAD + y * TALL + 0.12 * (name == "all")
            plain = "All together" if name == "all" else label_of(name)
            baselines = max(int(cells[name, remedy]["baselines"]) for remedy in REMEDIES)
            weight = "bold" if name == "all" else "normal"
            ax.text(LABELS - 0.5, top + TALL / 2, plain, ha="right", va="center", fontweight=weight)
            ax.text(
                LABELS - 0.22, top + TALL / 2, str(baselines), ha="center", va="center",
                color=style.MUTED,
            )  # fmt: skip
            for x, remedy in enumerate(shown):
                _cell(ax, LABELS + x * WIDE, top, cells[name, remedy], colours)
        ax.text(
            LABELS - 0.22, HEAD - 0.12, "n", ha="center", va="bottom", color=style.MUTED,
            fontsize=8.5,
        )  # fmt: skip
        figure.text(
            0.12 / width,
            0.2 / height,
            f"n: gradients of forward AD by an explicit solver, or {HARM}, at rtol 1e-6 (or "
            "nearest)\nthat are not good.   Grey: not tried, or not applicable.",
            fontsize=8.5,
            color=style.MUTED,
            va="center",
        )
        layout.head(
            figure,
            "Which change corrects a gradient that is not good",
            "Number of good gradients after one change, of those tried. Below: the factor by which "
            "the error falls (÷) or rises (×),\nand that of the work: medians over those "
            "corrected, or over those tried where none was.",
        )
    return figure


def _nothing() -> Figure:
    figure = plt.figure(figsize=(layout.MIN_WIDTH, 0.8))
    layout.head(
        figure,
        "Which change corrects a gradient that is not good: nothing to draw",
        "No gradient here needs a remedy: all of them are good at rtol 1e-6, or the nearest one.",
    )
    return figure


def _cell(ax: Axes, x: float, y: float, row: Mapping[Any, Any], colours: Any) -> None:
    pad = 0.035
    tried = int(row["tried"])
    colour = to_rgb(EMPTY) if not tried else colours(float(row["share"]))[:3]
    ax.add_patch(Rectangle((x + pad, y + pad), WIDE - 2 * pad, TALL - 2 * pad, color=colour, lw=0))
    if not tried:
        return
    dark = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] < 0.55
    ink = "white" if dark else style.INK
    middle: dict[str, Any] = {"ha": "center", "va": "center", "color": ink}
    ax.text(
        x + WIDE / 2,
        y + 0.21,
        f"{row['good']} of {tried}",
        fontsize=10,
        fontweight="bold",
        **middle,
    )
    ax.text(x + WIDE / 2, y + 0.39, _effect(row), fontsize=7.8, **middle)


def _effect(row: Mapping[Any, Any]) -> str:
    cost = f"work ×{_short(row['cost'])}" if np.isfinite(row["cost"]) else ""
    factor = float(row["factor"])
    error = f"error ÷{_short(factor)}" if np.isfinite(factor) else ""
    if 0.0 < factor < 1.0:
        error = f"error ×{_short(1.0 / factor)}"
    if 0.95 < factor < 1.05:
        error = "same error"
    return ", ".join(part for part in (error, cost) if part)


def _short(value: float) -> str:
    if value >= 1e3:
        return f"1e{round(np.log10(value))}"
    return f"{value:.0f}" if value >= 9.5 else f"{value:.1f}"


def _two_lines(text: str) -> str:
    words = text.split()
    half = max(1, len(words) // 2)
    return f"{' '.join(words[:half])}\n{' '.join(words[half:])}" if len(words) > 1 else text

"""The tolerance that every model needs under every solver and method."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from gradaudit.figures import layout, style
from gradaudit.figures.tooltips import short, tell
from gradaudit.records.catalogue import catalogue
from gradaudit.records.figure import Drawing
from gradaudit.records.labels import VERDICTS, in_order, kind_name, method_name, worst

FIGURE = Drawing(
    of="atlas",
    tables=("atlas.verdicts",),
    label="map of regimes",
    category="Atlas",
    caption=(
        "The loosest sufficient tolerance of every model under every solver and method: a cell's "
        "number is -log10 of the relative tolerance from which on the gradient is good."
    ),
)


CELL, GAP, TOP, BOTTOM = 0.31, 0.42, 3.35, 0.75
"""Inches: a cell, the space between panels, and the room above and below."""

NEVER = "–"
"""In a cell: no tolerance of the series is sufficient."""


_LEGEND = {
    "good": "G  good from rtol 1e-3 on",
    "bad": "B  bad: good from that tolerance on only, or a solve failed",
    "horrible": f"H  horrible: good from none on ({NEVER}), or not converging, or with spikes (!)",
}


def regime_map(verdicts: pd.DataFrame, *, settings: Mapping[str, Any]) -> Figure:
    """Rows are models grouped by mechanism; a panel a kind of functional, a column a setting.

    A cell is the worst over the functionals of its kind: the tightest of the sufficient tolerances
    as -log10 rtol, coloured by the verdict. The first column is the verdict that the model's
    mechanism lets one expect of forward AD. Solvers that few models have are left out.

    Parameters
    ----------
    verdicts
        Of stage atlas: one row per tolerance series.
    settings
        ``palette`` and ``dpi``.
    """
    models = _models(verdicts)
    present = set(verdicts["kind"])
    # One page holds the main ones; others are shown where there are none of them.
    main = {name for name, family in catalogue("functionals").items() if family.is_main}
    kinds = in_order((present & main) or present, "functionals")
    known = verdicts[verdicts["kind"].isin(kinds) & _shown(verdicts)]
    parts = {kind: known[known["kind"] == kind] for kind in kinds}
    columns = {kind: _columns(rows) for kind, rows in parts.items()}
    labels = 0.083 * max(len(f"{row.model}  {row.mechanism}") for row in models) + 0.45
    spans = {kind: max(len(pairs), 4) * CELL + GAP for kind, pairs in columns.items()}
    width = labels + CELL * 1.8 + sum(spans.values()) + 0.25
    height = TOP + len(models) * CELL + BOTTOM
    with style.styled(settings):
        figure = plt.figure(figsize=(max(width, 9.6), height))
        width = float(figure.get_size_inches()[0])

        def panel(left: float, count: int) -> Axes:
            area = (
                left / width,
                BOTTOM / height,
                count * CELL / width,
                len(models) * CELL / height,
            )
            ax = figure.add_axes(area)
            ax.set_xlim(0, count)
            ax.set_ylim(len(models), 0)
            ax.axis("off")
            return ax

        expected = panel(labels, 1)
        _names(expected, models)
        _expected(expected, models)
        left = labels + CELL * 1.8
        for kind in kinds:
            ax = panel(left, len(columns[kind]))
            _cells(ax, parts[kind], models, columns[kind])
            _heads(ax, columns[kind], kind_name(kind))
            left += spans[kind]
        _groups(figure, expected, models, width, labels)
        figure.legend(
            handles=[
                Patch(color=style.VERDICTS[word], label=text) for word, text in _LEGEND.items()
            ]
            + [Patch(facecolor="#eef0f2", label="not audited")],
            loc="lower left",
            bbox_to_anchor=(0.012, 0.0),
            ncols=2,
            borderaxespad=0.4,
        )
        layout.head(
            figure,
            "Which tolerance a gradient needs",
            "Numbers are -log10 of the loosest relative tolerance from which on the gradient is "
            "good, the worst over the functionals of a kind: 6 is 1e-6.\n"
            "“Expected” is the verdict that the mechanism suggests. Solvers of few models are left "
            "out.",
        )
    return figure


def _models(verdicts: pd.DataFrame) -> list[Any]:
    """Models with mechanism and expected regime, grouped by mechanism, the good ones first."""
    rows = verdicts[["model", "mechanism", "regime"]].drop_duplicates("model").fillna("")
    ranks = {word: rank for rank, word in enumerate(VERDICTS)}
    rows = rows.assign(_rank=rows["regime"].map(ranks).fillna(len(VERDICTS)))
    rows["_group"] = rows.groupby("mechanism")["_rank"].transform("min")
    return list(rows.sort_values(["_group", "mechanism", "_rank", "model"]).itertuples(index=False))


def _shown(verdicts: pd.DataFrame) -> pd.Series:
    """Rows of solvers that at least a quarter of the models have: others would be empty columns."""
    models = verdicts.groupby("solver")["model"].nunique()
    common = models[models >= 0.25 * verdicts["model"].nunique()].index
    return verdicts["solver"].isin(common)


def _columns(verdicts: pd.DataFrame) -> list[tuple[str, str]]:
    """(method, solver), methods in their usual order."""
    pairs = set(zip(verdicts["method"], verdicts["solver"], strict=True))
    order = in_order({method for method, _ in pairs}, "methods")
    return sorted(pairs, key=lambda pair: (order.index(pair[0]), pair[1]))


def _cells(
    ax: Axes, verdicts: pd.DataFrame, models: Sequence[Any], columns: Sequence[tuple[str, str]]
) -> None:
    cells = dict(iter(verdicts.groupby(["model", "method", "solver"])))
    for y, row in enumerate(models):
        for x, (method, solver) in enumerate(columns):
            rows = cells.get((row.model, method, solver))
            if rows is None:
                _cell(ax, x, y, "", "")
            else:
                word = worst(rows["verdict"].tolist())
                _cell(ax, x, y, word, needed(word, rows["sufficient_rtol"].tolist()))
                tell(ax, x, y, _told(row, method, solver, word, rows), width=1, height=1)


def _told(model: Any, method: str, solver: str, word: str, rows: pd.DataFrame) -> str:
    """What a cell says to who points at it."""
    sufficient = rows["sufficient_rtol"].tolist()
    enough = all(value > 0.0 for value in sufficient)
    needs = (
        f"sufficient from rtol {short(min(sufficient))} on" if enough else "no tolerance suffices"
    )
    named = f"{model.model} ({model.mechanism})" if model.mechanism else str(model.model)
    largest = style.as_numbers(rows["worst_error"])
    largest = largest[np.isfinite(largest)]
    errors = f"; largest error {short(float(largest.max()))}" if len(largest) else ""
    failed = int(rows["failed"].max())
    lost = f"; failed solves: {failed}" if failed else ""
    return f"{named}, {method_name(method)}, {solver}: {word}, {needs}{errors}{lost}"


def needed(verdict: str, sufficient: Sequence[float]) -> str:
    """What a cell says of series with those sufficient tolerances, NaN where there is none.

    -log10 of the tightest of them; with a mark if the verdict is horrible all the same, for a
    spike, a wrong direction or a term that is missing.
    """
    if not verdict:
        return ""
    if not all(value > 0.0 for value in sufficient):
        return NEVER
    digits = f"{-math.log10(min(sufficient)):.1f}".removesuffix(".0")
    return f"{digits}!" if verdict == "horrible" else digits


def _cell(ax: Axes, x: int, y: int, word: str, text: str, *, inset: float = 0.04) -> None:
    colour: Any = style.VERDICTS.get(word, "#eef0f2")
    if word == "bad" and text[:1].isdigit():
        colour = _shade(float(text))
    ax.add_patch(
        Rectangle((x + inset, y + inset), 1 - 2 * inset, 1 - 2 * inset, color=colour, lw=0)
    )
    if text:
        ink = style.INK if word == "bad" else "white"
        ax.text(
            x + 0.5,
            y + 0.52,
            text,
            ha="center",
            va="center",
            color=ink,
            fontsize=9 if len(text) < 3 else 8,
            fontweight="bold",
        )


def _shade(digits: float) -> Any:
    """The colour of a bad cell: the darker, the tighter the tolerance that it needs."""
    share = min(max((digits - 3.0) / 5.0, 0.0), 1.0)
    return sns.blend_palette(["#f8dc9c", style.VERDICTS["bad"], "#d9820f"], as_cmap=True)(share)


def _expected(ax: Axes, models: Sequence[Any]) -> None:
    for y, row in enumerate(models):
        _cell(ax, 0, y, row.regime, row.regime[:1].upper(), inset=0.13)
    ax.text(
        0.5,
        -0.25,
        "expected",
        rotation=90,
        ha="center",
        va="bottom",
        fontsize=8.5,
        color=style.MUTED,
    )


def _names(ax: Axes, models: Sequence[Any]) -> None:
    for y, row in enumerate(models):
        ax.text(-0.25, y + 0.5, row.model, ha="right", va="center", fontsize=9.5)


def _heads(ax: Axes, columns: Sequence[tuple[str, str]], title: str) -> None:
    """Solvers above the columns, methods above those, the kind of functional on top."""
    for x, (_, solver) in enumerate(columns):
        ax.text(x + 0.5, -0.2, solver, rotation=90, ha="center", va="bottom", fontsize=8.5)
    for method in dict.fromkeys(method for method, _ in columns):
        places = [x for x, (name, _) in enumerate(columns) if name == method]
        middle = (places[0] + places[-1] + 1) / 2.0
        ax.plot(
            [places[0] + 0.1, places[-1] + 0.9],
            [-2.25, -2.25],
            color=style.MUTED,
            lw=0.8,
            clip_on=False,
        )
        ax.text(
            middle,
            -2.4,
            method_name(method),
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=8.5,
            color=style.MUTED,
        )
        if places[0]:
            ax.axvline(places[0], color="white", lw=2.5)
    wrapped = textwrap.fill(title, max(int(len(columns) * CELL / 0.085), 14))
    ax.text(0.0, -6.0, wrapped, ha="left", va="bottom", fontsize=10, fontweight="bold")


def _groups(figure: Figure, ax: Axes, models: Sequence[Any], width: float, labels: float) -> None:
    """The mechanism beside the first model of each group, and a line above it."""
    left = -(labels - 0.12) / CELL
    for y, row in enumerate(models):
        if y and models[y - 1].mechanism == row.mechanism:
            continue
        ax.text(
            left, y + 0.5, row.mechanism, ha="left", va="center", fontsize=8.5, color=style.MUTED
        )
        if y:
            ax.plot(
                [left, left + width / CELL - 0.8],
                [y, y],
                color=style.FAINT,
                lw=0.7,
                clip_on=False,
                zorder=0,
            )
    del figure

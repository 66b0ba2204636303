"""Error of the gradient against the tolerance of the solver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gradaudit.figures import style
from gradaudit.figures.axes import (
    tolerance_axis,
)
from gradaudit.figures.error_panels import error_panels
from gradaudit.records.catalogue import inverse_crimes
from gradaudit.records.figure import Drawing
from gradaudit.records.numbers import rounded_down

FIGURE = Drawing(
    of="model",
    tables=("evaluate",),
    facts=("title", "digits"),
    label="convergence",
    category="Models",
    subcategory="{model}",
    caption=(
        "Error of the gradient of ``{{ snakemake.wildcards.model }}`` against the tolerance of "
        "the solver, one line per method. A horizontal line above rounding does not converge."
    ),
)


def convergence(
    table: pd.DataFrame, *, title: str, digits: float, settings: Mapping[str, Any]
) -> Figure:
    """One panel per functional; colour is the method, marker and dashes the solver.

    Parameters
    ----------
    table
        Rows of stage evaluate for one model.
    title
        Name of the model.
    digits
        Certified digits of the reference, below which an error is not resolved; NaN if unknown.
    settings
        ``palette``, ``dpi``, and the thresholds ``good`` and ``horrible``.
    """
    tolerances = table["rtol"].unique().tolist()
    return error_panels(
        table,
        settings=settings,
        x="rtol",
        x_name="relative tolerance rtol (tighter to the right)",
        head=(
            f"{title}: error of the gradient against the tolerance",
            f"{series_counts(table)}. A horizontal line above rounding does not converge.",
        ),
        behind=lambda panel: tolerance_axis(panel.ax, tolerances),
        on_top=lambda panel: _floor(panel.ax, digits, named=panel.is_first),
    )


def series_counts(table: pd.DataFrame) -> str:
    """How many tolerance series are good, bad and horrible, in words.

    Those with data of the same solve are not counted: they are good, and it shows nothing.
    """
    ladders = table.drop_duplicates(["solver", "method", "functional"])
    false = ladders["kind"].isin(inverse_crimes())
    verdicts = ladders.loc[~false, "ladder_verdict"]
    counts = [f"{int((verdicts == word).sum())} {word}" for word in style.VERDICTS]
    text = f"Tolerance series: {', '.join(counts)}"
    return f"{text} (without data of the same solve)" if false.any() else text


def _floor(ax: Axes, digits: float, *, named: bool) -> None:
    """The line below which the reference does not resolve an error."""
    if not np.isfinite(digits) or 10.0**-digits < ax.get_ylim()[0]:
        return
    ax.axhline(10.0**-digits, color=style.MUTED, lw=1.0, ls=(0, (2, 2)), zorder=1)
    if named:
        ax.text(
            0.015,
            10.0**-digits,
            f"reference: {rounded_down(digits)} digits",
            ha="left",
            va="bottom",
            transform=ax.get_yaxis_transform(),
            fontsize=8,
            color=style.MUTED,
            bbox={"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 0.8},
        )

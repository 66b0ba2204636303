"""Error of the gradient against the tolerance of the solver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gradaudit.figures import layout, style
from gradaudit.figures.axes import (
    ErrorRange,
    VerdictBounds,
    error_axis,
    tolerance_axis,
    verdict_bands,
)
from gradaudit.figures.curves import curves_of, draw_rows, marks, setting_handles
from gradaudit.records.figure import Drawing

FIGURE = Drawing(
    of="model",
    tables=("evaluate",),
    facts=("title", "digits"),
    label="convergence",
    category="Models",
    subcategory="{model}",
    caption=(
        "Error of the gradient of ``{{ snakemake.wildcards.model }}`` against the tolerance of "
        "the solver, one line per method. A horizontal line does not converge."
    ),
)


def convergence(
    table: pd.DataFrame, *, title: str, digits: float, settings: Mapping[str, Any]
) -> Figure:
    """One panel a functional; colour is the method, marker and dashes the solver.

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
    thresholds = VerdictBounds.from_settings(settings)
    errors = style.as_numbers(table["error"])
    failed = style.failed_rows(table)
    names = style.functionals_of(table)
    limits = ErrorRange.of(errors, thresholds, failed=bool(failed.any()))
    curves = curves_of(table, settings["palette"])
    edges = marks(failed=bool(failed.any()), beyond=bool((errors[~failed] > limits.top).any()))
    legends = {**setting_handles(curves), **({"marks": edges} if edges else {})}
    with style.styled(settings):
        figure, panels = layout.panels(
            len(names), columns=2, size=(4.6, 2.75), right=0.75, legends=len(legends)
        )
        for index, (ax, (functional, name)) in enumerate(zip(panels, names.items(), strict=True)):
            rows = table[table["functional"] == functional]
            error_axis(ax, limits)
            verdict_bands(ax, thresholds, limits, names=index % 2 == 1 or index == len(names) - 1)
            tolerance_axis(ax, table["rtol"].unique().tolist())
            for (solver, method), curve in curves.items():
                own = rows[(rows["solver"] == solver) & (rows["method"] == method)]
                draw_rows(ax, own, curve, limits, x="rtol")
            _floor(ax, digits, named=index == 0)
            ax.set_title(name)
        layout.axis_names(
            figure,
            x="relative tolerance rtol (tighter to the right)",
            y="error of the gradient (relative)",
            legends=len(legends),
        )
        layout.legends_below(figure, legends)
        layout.head(
            figure,
            f"{title}: how the error of the gradient falls with the tolerance",
            f"{ladder_counts(table)}. A horizontal line does not converge.",
        )
    return figure


def ladder_counts(table: pd.DataFrame) -> str:
    """How many tolerance series are good, bad and horrible, in words."""
    ladders = table.drop_duplicates(["solver", "method", "functional"])["ladder_verdict"]
    counts = [f"{int((ladders == word).sum())} {word}" for word in style.VERDICTS]
    return f"Ladders of tolerances: {', '.join(counts)}"


def _floor(ax: Axes, digits: float, *, named: bool) -> None:
    """The line below which the reference does not resolve an error."""
    if not np.isfinite(digits) or 10.0**-digits < ax.get_ylim()[0]:
        return
    ax.axhline(10.0**-digits, color=style.MUTED, lw=1.0, ls=(0, (2, 2)), zorder=1)
    if named:
        ax.text(
            0.015,
            10.0**-digits,
            f"reference: {digits:.1f} digits",
            ha="left",
            va="bottom",
            transform=ax.get_yaxis_transform(),
            fontsize=8,
            color=style.MUTED,
        )

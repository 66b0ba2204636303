"""One panel per functional with the error of the gradient upwards: what two figures share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gradaudit.figures import layout, style
from gradaudit.figures.axes import ErrorRange, VerdictBounds, error_axis, verdict_bands
from gradaudit.figures.curves import curves_of, draw_rows, marks, setting_handles
from gradaudit.records.labels import VERDICTS

MOST = 6
"""Panels of a figure."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel of the figure, as it is handed to what draws behind and on top of the curves."""

    ax: Axes
    rows: pd.DataFrame
    limits: ErrorRange
    is_first: bool


def error_panels(
    table: pd.DataFrame,
    *,
    settings: Mapping[str, Any],
    x: str,
    x_name: str,
    head: tuple[str, str],
    behind: Callable[[Panel], None],
    on_top: Callable[[Panel], None] | None = None,
    handles: Sequence[Line2D] = (),
    said: Callable[[Mapping[str, Any]], str] | None = None,
) -> Figure:
    """The error of every setting against a column; colour is the method, marker the solver.

    Parameters
    ----------
    table
        Rows of stage evaluate for one model.
    settings
        ``palette``, ``dpi``, and the thresholds ``good`` and ``horrible``.
    x, x_name
        Column of the abscissa, and its name in words.
    head
        Title and subtitle.
    behind, on_top
        Draw the axis of the abscissa and what lies behind the curves; what lies on top of them.
    handles
        Legend entries of what these draw.
    said
        What a mark says of its row.
    """
    bounds = VerdictBounds.from_settings(settings)
    names, left_out = style.chosen_functionals(table, MOST)
    drawn = table[table["functional"].isin(list(names))]
    errors, failed = style.as_numbers(drawn["error"]), style.failed_rows(drawn)
    limits = ErrorRange.of(errors, bounds, failed=bool(failed.any()))
    curves = curves_of(table, settings["palette"])
    edges = marks(
        failed=bool(failed.any()),
        beyond=bool((errors[~failed] > limits.top).any()),
        below=bool((errors[~failed] < limits.bottom).any()),
    )
    shown = [*handles, *edges]
    legends = {**setting_handles(curves), **({"marks": shown} if shown else {})}
    with style.styled(settings):
        figure, axes = layout.panels(
            len(names), columns=2, size=(4.6, 2.75), right=0.9, legends=len(legends)
        )
        for index, (ax, (functional, name)) in enumerate(zip(axes, names.items(), strict=True)):
            rows = table[table["functional"] == functional]
            panel = Panel(ax=ax, rows=rows, limits=limits, is_first=index == 0)
            error_axis(ax, limits)
            if _has_derivative(rows):
                verdict_bands(ax, bounds, limits, names=index % 2 == 1 or index == len(names) - 1)
            else:
                _no_derivative(ax, rows)
            behind(panel)
            for (solver, method), curve in curves.items():
                own = rows[(rows["solver"] == solver) & (rows["method"] == method)]
                draw_rows(ax, own, curve, limits, x=x, said=said)
            if on_top is not None:
                on_top(panel)
            ax.set_title(name)
        layout.axis_names(
            figure, x=x_name, y="error of the gradient (relative)", legends=len(legends)
        )
        layout.legends_below(figure, legends)
        layout.head(figure, head[0], " ".join(filter(None, (head[1], left_out))))
    return figure


def _has_derivative(rows: pd.DataFrame) -> bool:
    """Whether the functional of a panel has a derivative that an error could be of."""
    return "piecewise_constant" not in rows or not rows["piecewise_constant"].astype(bool).all()


def _no_derivative(ax: Axes, rows: pd.DataFrame) -> None:
    """Why an error of 0 is not good here, in the place of the bands."""
    words = [w for w in VERDICTS if w in set(rows["verdict"])] if "verdict" in rows else []
    verdict = f":\nthe verdict is {' or '.join(words)}, whatever the error" if words else ""
    ax.text(
        0.5,
        0.6,
        f"A count has no derivative to compare{verdict}.",
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=style.MUTED,
    )

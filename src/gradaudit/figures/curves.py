"""Curves of one setting each, that hide no row: the failed ones are marked at the edges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from gradaudit.figures.axes import STRIP, ErrorRange
from gradaudit.figures.style import (
    MUTED,
    as_numbers,
    failed_rows,
    method_colours,
    solver_styles,
)
from gradaudit.figures.tooltips import tell
from gradaudit.records.labels import method_name

WIDEST, LARGEST = 4.2, 8.5
"""Line and marker of the first method, in points."""

SolverAndMethod = tuple[str, str]
"""A solver and a method."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """How the rows of one setting are drawn; `slot` tells apart the failed ones of many curves."""

    colour: Any
    marker: str
    dashes: Any
    slot: int = 0
    alpha: float = 1.0
    width: float = 1.5
    size: float = 4.5


def curves_of(table: pd.DataFrame, palette: str) -> dict[SolverAndMethod, Curve]:
    """How every (solver, method) of a table is drawn: colour by method, marker by solver.

    The methods are drawn one on the other, each thinner and with smaller markers than the last, so
    that curves that coincide are all seen.
    """
    colours = method_colours(table["method"], palette)
    nested = {method: 0.65**place for place, method in enumerate(colours)}
    solvers = solver_styles(table["solver"])
    settings = [(solver, method) for method in colours for solver in solvers]
    return {
        (solver, method): Curve(
            colour=colours[method],
            marker=solvers[solver][0],
            dashes=solvers[solver][1],
            slot=slot,
            width=WIDEST * nested[method],
            size=LARGEST * nested[method],
        )
        for slot, (solver, method) in enumerate(settings)
    }


def draw_rows(
    ax: Axes,
    rows: pd.DataFrame,
    curve: Curve,
    limits: ErrorRange,
    *,
    x: str,
    y: str = "error",
    said: Callable[[Mapping[str, Any]], str] | None = None,
) -> None:
    """The rows of one setting, from loose to tight, as a curve of two columns of the table.

    Values beyond the range become triangles at its ends, failed solves crosses in the strip on
    top; a failed solve without a time is at the right edge. `said` is what a mark says of its row.
    """
    ladder = rows.sort_values("rtol", ascending=False)
    xs, ys = as_numbers(ladder[x]), as_numbers(ladder[y])
    failed = failed_rows(ladder) | ~np.isfinite(ys)
    shown = np.where(failed, np.nan, limits.inside(ys))
    style = {"color": curve.colour, "alpha": curve.alpha}
    edged = {**style, "mec": "white", "mew": 0.35}
    ax.plot(xs, shown, ls=curve.dashes, lw=curve.width, marker=curve.marker, ms=curve.size, **edged)
    for beyond, marker in ((ys > limits.top, "^"), (ys < limits.bottom, "v")):
        at = beyond & ~failed
        if not at.any():
            continue
        ax.plot(xs[at], shown[at], ls="none", marker=marker, ms=curve.size + 2.5, **edged)
    said_of = (
        []
        if said is None
        else [said({str(k): v for k, v in row.items()}) for row in ladder.to_dict("records")]
    )
    for at, text in enumerate(said_of):
        tell(ax, xs[at], shown[at], text)  # none where it failed
    if not failed.any():
        return
    xs = np.where(np.isfinite(xs), xs, ax.get_xlim()[1])
    height = 1.0 - STRIP * (0.12 + 0.76 * (curve.slot % 9) / 8.0)
    for at, text in enumerate(said_of):
        if failed[at]:
            tell(ax, xs[at], height, text, transform=ax.get_xaxis_transform())
    ax.plot(
        xs[failed],
        np.full(failed.sum(), height),
        transform=ax.get_xaxis_transform(),
        ls="none",
        marker="x",
        ms=5,
        mew=1.4,
        clip_on=False,
        **style,
    )


def setting_handles(curves: Mapping[SolverAndMethod, Curve]) -> dict[str, list[Line2D]]:
    """Legend entries: the methods by colour, the solvers by marker."""
    methods, solvers = {}, {}
    for (solver, method), curve in curves.items():
        name = method_name(method)
        methods[name] = Line2D([], [], color=curve.colour, lw=curve.width, label=name)
        solvers[solver] = Line2D(
            [], [], color=MUTED, marker=curve.marker, ls=curve.dashes, ms=5, label=solver
        )
    return {"method": list(methods.values()), "solver": list(solvers.values())}


def marks(*, failed: bool, beyond: bool, below: bool = False) -> list[Line2D]:
    """Legend entries for the marks of `draw_rows` that are in use."""
    handles = []
    if failed:
        handles.append(
            Line2D(
                [], [], ls="none", marker="x", color=MUTED, mew=1.4, label="failed or not finite"
            )
        )
    if beyond:
        handles.append(
            Line2D(
                [], [], ls="none", marker="^", color=MUTED, ms=7, label="off the scale, at its edge"
            )
        )
    if below:
        handles.append(
            Line2D([], [], ls="none", marker="v", color=MUTED, ms=7, label="0, or below the scale")
        )
    return handles

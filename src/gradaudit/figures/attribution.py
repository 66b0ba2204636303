"""Error attribution: which part of the error dominates, that of the states or the tangents."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from gradaudit.figures import layout, style
from gradaudit.figures.axes import (
    ErrorRange,
    VerdictBounds,
    error_axis,
    tolerance_axis,
)
from gradaudit.figures.curves import Curve, draw_rows, marks
from gradaudit.records.figure import Drawing
from gradaudit.records.labels import method_name

FIGURE = Drawing(
    of="model",
    tables=("evaluate",),
    facts=("title",),
    label="attribution",
    category="Models",
    subcategory="{model}",
    caption=(
        "Which error dominates in the error of the gradient of ``{{ snakemake.wildcards.model "
        "}}``: the part of the states, and the part of the tangents. The two add up to the "
        "error, as vectors, to rounding."
    ),
)

MOST = 4
"""Rows of the figure."""

LONGEST = 24
"""Letters that the height of a panel has room for."""

PARTS = {
    "state_part": "wrong states",
    "tangent_part": "wrong tangents, or wrong derivatives of event times",
}


def attribution(table: pd.DataFrame, *, title: str, settings: Mapping[str, Any]) -> Figure:
    """State part and tangent part against the tolerance: rows functionals, columns methods.

    The tangent part of a functional of events is 0 by definition; its place is taken by the
    observation part, into which the tangents go there. The solver with the fewest failures is drawn
    boldly, with the gap between the two parts filled in the colour of the larger one; the others
    are thin lines.
    """
    observed, tangents = (style.as_numbers(table[f"{p}_part"]) for p in ("observation", "tangent"))
    table = table.assign(tangent_part=np.fmax(observed, tangents))  # NaN: not known by itself
    names, left_out = style.chosen_functionals(table, MOST)
    methods = style.method_colours(table["method"], settings["palette"])
    solvers = style.solver_styles(table["solver"])
    chosen = main_solver(table)
    colours = style.PARTS
    failed = style.failed_rows(table)
    # A part may be exactly 0, or far below the error that it is a part of.
    larger = np.fmax(*(style.as_numbers(table[part]) for part in PARTS))
    limits = ErrorRange.of(larger, VerdictBounds.from_settings(settings), failed=bool(failed.any()))
    parts = np.concatenate([style.as_numbers(table.loc[~failed, part]) for part in PARTS])
    edges = marks(
        failed=bool(failed.any()),
        beyond=bool((parts > limits.top).any()),
        below=bool((parts < limits.bottom).any()),
    )
    with style.styled(settings):
        figure, panels = layout.panels(
            len(names) * len(methods),
            columns=len(methods),
            size=(3.1, 1.75),
            gaps=(0.2, 0.25),
            legends=2,
            left=1.35,
        )
        cells = [(functional, method) for functional in names for method in methods]
        for index, (ax, (functional, method)) in enumerate(zip(panels, cells, strict=True)):
            rows = table[(table["functional"] == functional) & (table["method"] == method)]
            error_axis(ax, limits, grid=style.FAINT)
            tolerance_axis(ax, table["rtol"].unique().tolist())
            for solver, (marker, dashes) in solvers.items():
                own = rows[rows["solver"] == solver].sort_values("rtol")
                bold = solver == chosen
                if bold:
                    _fill(ax, own, colours, limits)
                for slot, (part, colour) in enumerate(colours.items()):
                    curve = Curve(
                        colour=colour,
                        marker=marker,
                        dashes=dashes,
                        slot=2 * list(solvers).index(solver) + slot,
                        alpha=1.0 if bold else 0.55,
                        width=1.9 if bold else 0.8,
                        size=4.5 if bold else 2.5,
                    )
                    draw_rows(ax, own, curve, limits, x="rtol", y=part)
            if index < len(methods):
                ax.set_title(method_name(method), fontweight="bold")
            if index % len(methods) == 0:
                ax.set_ylabel(_wrapped(names[functional]))
        layout.axis_names(
            figure,
            x="relative tolerance rtol (tighter to the right)",
            y="part of the relative error of the gradient",
            legends=2,
        )
        layout.legends_below(
            figure,
            _legend(colours, solvers, chosen, edges),
        )
        layout.head(
            figure,
            f"{title}: error attribution of the gradient",
            " ".join(
                (
                    "Shaded where one part is larger than the other; the two add up to the error.",
                    left_out,
                )
            ).rstrip(),
        )
    return figure


def _wrapped(name: str) -> str:
    """The name of a functional in lines that are no longer than a panel is high."""
    lines = name.replace(", ", ",\n").replace(" over ", "\nover ").split("\n")
    return "\n".join(textwrap.fill(line, LONGEST) for line in lines)


def main_solver(table: pd.DataFrame) -> str:
    """The solver with the fewest failed rows, the first in the alphabet among equals."""
    counts = (table["status"] != "ok").groupby(table["solver"]).sum().sort_index()
    return str(counts.index[int(np.argmin(counts.to_numpy()))])


def _fill(ax: Axes, rows: pd.DataFrame, colours: Mapping[str, Any], limits: ErrorRange) -> None:
    """Fill the gap between the two parts in the colour of the larger one."""
    worked = rows[rows["status"] == "ok"]
    x = style.as_numbers(worked["rtol"])
    state, tangent = (limits.inside(style.as_numbers(worked[part])) for part in PARTS)
    for larger, smaller, part in (
        (state, tangent, "state_part"),
        (tangent, state, "tangent_part"),
    ):
        ax.fill_between(
            x,
            smaller,
            larger,
            where=list(larger > smaller),
            interpolate=True,
            color=colours[part],
            alpha=0.22,
            lw=0,
        )


def _legend(
    colours: Mapping[str, Any], solvers: Mapping[str, Any], chosen: str, edges: list[Line2D]
) -> dict[str, list[Any]]:
    parts = [Patch(color=colour, label=PARTS[part]) for part, colour in colours.items()]
    lines = [
        Line2D(
            [],
            [],
            color=style.MUTED,
            marker=marker,
            ls=dashes,
            lw=1.9 if solver == chosen else 0.8,
            ms=4.5 if solver == chosen else 2.5,
            label=f"{solver} (shaded)" if solver == chosen and len(solvers) > 1 else solver,
        )
        for solver, (marker, dashes) in solvers.items()
    ]
    return {"error by": parts, "solver": [*lines, *edges]}

"""Error of the gradient against stiffness, window and distance to a bifurcation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from gradaudit.analysis.audit_rows import axes_of, prepared, typical, working
from gradaudit.analysis.scaling_laws import law_methods
from gradaudit.figures import layout, style
from gradaudit.figures.axes import VerdictBounds, band_handles, bands
from gradaudit.figures.laws import Y
from gradaudit.records.figure import Drawing
from gradaudit.records.labels import method_name

FIGURE = Drawing(
    of="atlas",
    tables=("atlas.audits", "atlas.laws"),
    label="stiffness, window, distance",
    category="Atlas",
    caption=(
        "The error of the gradient against stiffness, the length of the window and the distance "
        "to a bifurcation, for the models that are audited at several settings."
    ),
)

LAWS = ("stiffness", "window", "distance")
STEPPING = {"explicit": ("o", "-"), "implicit": ("s", (0, (4, 1.5)))}


def laws_axes(audits: pd.DataFrame, fitted: pd.DataFrame, *, settings: Mapping[str, Any]) -> Figure:
    """One panel per model file that is audited at two settings of an axis or more.

    At the tolerance nearest to 1e-6: the median over functionals and solvers, and their range.
    Where the configuration has no such model the figure says so.
    """
    thresholds = VerdictBounds.from_settings(settings)
    shown = fitted[fitted["law"].isin(LAWS) & (fitted["abscissae"] >= 2)]
    panels_of = [
        (law, str(model), str(axis))
        for law in LAWS
        for model, axis in shown.loc[shown["law"] == law, ["model", "axis"]]
        .drop_duplicates()
        .itertuples(index=False)
    ]
    colours = style.method_colours(law_methods(), settings["palette"])
    with style.styled(settings):
        if not panels_of:
            return _nothing()
        figure, panels = layout.panels(
            len(panels_of), columns=3, size=(3.4, 2.7), gaps=(0.3, 0.75), legends=3, one_x=False
        )
        table = typical(prepared(audits))
        table = table[table["informative"] & table["method"].isin(law_methods())]
        for ax, (law, model, axis) in zip(panels, panels_of, strict=True):
            _panel(ax, table, model, axis, colours, thresholds)
            own = shown[(shown["model"] == model) & (shown["axis"] == axis)]
            _say(ax, own)
            ax.set_title(f"{model}: {law}", fontweight="bold")
            ax.set_xlabel(axis, labelpad=1)
        _names(figure, panels, colours, thresholds)
        layout.head(
            figure,
            "Error of the gradient against stiffness, window and distance to a bifurcation",
            "Medians and ranges at the tolerance nearest to 1e-6. Fits over all tolerances: "
            "error ~ axis^q, or ~ exp(rate × axis).",
        )
    return figure


def _panel(
    ax: Axes,
    table: pd.DataFrame,
    model: str,
    axis: str,
    colours: Mapping[str, Any],
    thresholds: VerdictBounds,
) -> None:
    settings = {}
    for key in table["model"].unique():
        base, coordinates = axes_of(str(key))
        if base == model and axis in coordinates:
            settings[key] = coordinates[axis]
    rows = working(table[table["model"].isin(list(settings))])
    rows = rows.assign(_axis=rows["model"].map(settings), _error=rows["error"].clip(*Y))
    ax.set_yscale("log")
    ax.set_ylim(*Y)
    ax.tick_params(labelbottom=True)
    values = np.array(sorted(set(settings.values())))
    if axis != "t_end" and (values > 0.0).all():
        ax.set_xscale("log")
    # What is moved aside does not count for the limits.
    ax.plot(values, np.full(len(values), Y[0]), ls="none")
    bands(ax, thresholds, Y[1])
    groups = list(rows.groupby(["method", "stepping"]))
    for index, ((method, stepping), own) in enumerate(groups):
        marker, dashes = STEPPING[str(stepping)]
        spread = own.groupby("_axis")["_error"].agg(["median", "min", "max"])
        colour = colours[str(method)]
        # Side by side, in points: ranges at one place would hide each other.
        aside = ax.transData + ScaledTranslation(
            (4.0 * index - 2.0 * (len(groups) - 1)) / 72.0, 0.0, ax.figure.dpi_scale_trans
        )
        ax.vlines(spread.index, spread["min"], spread["max"], color=colour, lw=1.2, transform=aside)
        ax.plot(
            spread.index,
            spread["median"],
            color=colour,
            marker=marker,
            ls=dashes,
            mec="white",
            ms=6,
            transform=aside,
        )


def _say(ax: Axes, own: pd.DataFrame) -> None:
    rows = own[(own["method"] == "forward_ad") & (own["status"] == "ok")]
    lines = [_law(row) for row in rows.to_dict("records")]
    if not lines:
        lines = ["no law: " + str(own["status"].iloc[0]).replace("_", " ")]
    ax.text(
        0.03,
        0.04,
        "\n".join(lines),
        transform=ax.transAxes,
        fontsize=8,
        va="bottom",
        fontweight="bold",
        color=style.INK,
        bbox={"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 1.5},
    )


def _law(row: Mapping[Any, Any]) -> str:
    name = "rate" if row["form"] == "exponential" else "q"
    return (
        f"forward AD, {row['stepping']}: {name} = {row['exponent']:.2f}  "
        f"[{row['low']:.2f}, {row['high']:.2f}]"
    )


def _names(
    figure: Figure, panels: list[Axes], colours: Mapping[str, Any], thresholds: VerdictBounds
) -> None:
    width = figure.get_size_inches()[0]
    boxes = [ax.get_position() for ax in panels]
    middle = (min(box.y0 for box in boxes) + max(box.y1 for box in boxes)) / 2.0
    figure.text(
        0.17 / width, float(middle), "error of the gradient", rotation=90, ha="center", va="center"
    )
    methods = [
        Line2D([], [], color=colour, lw=2.5, label=method_name(name))
        for name, colour in colours.items()
    ]
    steps = [
        Line2D([], [], color=style.MUTED, marker=marker, ls=dashes, label=name)
        for name, (marker, dashes) in STEPPING.items()
    ]
    spread = Line2D(
        [],
        [],
        color=style.MUTED,
        ls="none",
        marker="|",
        ms=11,
        label="range over functionals and solvers",
    )
    layout.legends_below(
        figure, {"method": methods, "solver": [*steps, spread], "error": band_handles(thresholds)}
    )


def _nothing() -> Figure:
    figure = plt.figure(figsize=(layout.MIN_WIDTH, 0.8))
    layout.head(
        figure,
        "Stiffness, window and distance to a bifurcation: nothing to draw",
        "No model of this configuration is audited at two settings of an axis; write "
        "name@axis to audit all of them.",
    )
    return figure

"""The published experiment: where a gradient of a million comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from gradaudit.figures import layout, style
from gradaudit.figures.experiment_cause import draw_cause, unit_of
from gradaudit.figures.experiment_norms import draw_norms, draw_parts
from gradaudit.figures.variants import variant_colours, variants_of
from gradaudit.records.figure import Drawing

FIGURE = Drawing(
    of="experiment",
    tables=("experiment", "experiment.traces"),
    label="published experiment",
    category="Published experiment",
    caption=(
        "The published experiment on ``{{ snakemake.wildcards.model }}``: the gradient of a sum "
        "of squares to the solver's own trace, whose true value is zero where the target is "
        "exact, by several ways of computing it."
    ),
)


def experiment(table: pd.DataFrame, traces: xr.Dataset, *, settings: Mapping[str, Any]) -> Figure:
    """Left the cause over time, right the gradients of all variants.

    Parameters
    ----------
    table, traces
        Of stage experiment.
    settings
        ``palette``, ``dpi``, and ``published_norm`` where there is a published value to mark.
    """
    model = json.loads(traces.attrs["model_json"])
    solver = json.loads(traces.attrs.get("settings", "{}")).get("solver", "")
    variants = variants_of(table)
    colours = variant_colours(variants, settings["palette"])
    rtol = table["rtol"].max()
    loosest = table[table["rtol"] == rtol].set_index("variant")
    with style.styled(settings):
        figure = plt.figure(figsize=(13.6, 9.4))
        left = GridSpec(
            4, 1, figure=figure, left=0.064, right=0.485, top=0.875, bottom=0.062, hspace=0.36
        )
        first = figure.add_subplot(left[0])
        axes = [first, *(figure.add_subplot(left[row], sharex=first) for row in (1, 2, 3))]
        norm = float(loosest["gradient_norm"].get("dual_norm", np.nan))
        truth = float(loosest["reference_norm"].get("dual_norm", np.nan))
        nominal = f"{solver} at rtol {style.power(rtol)}".strip()
        draw_cause(axes, traces, model, colours, nominal=nominal, norm=norm)
        right = GridSpec(
            2,
            1,
            figure=figure,
            left=0.565,
            right=0.83,
            top=0.875,
            bottom=0.062,
            hspace=0.3,
            height_ratios=(1.3, 1.0),
        )
        published = settings.get("published_norm")
        draw_norms(figure.add_subplot(right[0]), table, variants, colours, published)
        draw_parts(figure.add_subplot(right[1]), loosest, variants, colours)
        figure.align_ylabels(axes)
        layout.head(figure, _title(model, norm, truth), _cause(traces, model, loosest))
    return figure


def _title(model: Mapping[str, Any], norm: float, truth: float) -> str:
    name = f"The published experiment on {model['name']}"
    if not np.isfinite(norm):
        return name
    exact = "gradient is 0" if truth == 0.0 else f"norm is {style.power(truth)}"
    return f"{name}: a gradient of norm {style.power(norm)} where the true {exact}"


def _cause(traces: xr.Dataset, model: Mapping[str, Any], loosest: pd.DataFrame) -> str:
    """The cause in one line, from the numbers of the traces."""
    if "dual_norm" not in loosest.index or "dual_norm" not in traces["variant"].values:
        return ""
    unit = unit_of(model)
    nominal = np.abs(traces["nominal"].values - traces["certified"].values).max()
    residual = float(np.nanmax(np.abs(traces["residual"].sel(variant="dual_norm").values)))
    amplification = float(np.nanmax(traces["amplification"].values))
    return (
        f"A residual of up to {residual:.2g} {unit} (the trace itself is wrong by up to "
        f"{nominal:.2g} {unit}) times sensitivities of up to {style.power(amplification)} {unit} "
        f"per unit of a parameter, summed over {int(loosest['points']['dual_norm'])} time points."
    )

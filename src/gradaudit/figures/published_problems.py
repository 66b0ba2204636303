"""The error of each problem's gradient by the settings that people use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gradaudit.figures import layout, style
from gradaudit.records.figure import Drawing
from gradaudit.records.labels import method_name

FIGURE = Drawing(
    of="problems",
    tables=("problem",),
    label="estimation problems",
    category="Estimation problems",
    caption=(
        "The relative error of the gradient of each log-likelihood at the nominal parameters, by "
        "usual settings and by the defaults of common tools, against the certified gradient."
    ),
)

SETTINGS = (("forward_ad", 1e-3), ("forward_ad", 1e-6), ("forward_sensitivity", 1e-6))
"""Methods and relative tolerances beside the tools."""
LOWEST, HIGHEST = -6, 3
"""Powers of ten: the ends of the colours."""
CELL = 0.34, 1.02  # inches


def published_problems(problem: pd.DataFrame, *, settings: Mapping[str, Any]) -> Figure:
    """Rows are problems, columns settings; a cell is an error, or the word for why there is none.

    Parameters
    ----------
    problem
        Of stage problem, those of all problems together.
    settings
        ``dpi``.
    """
    rows = problem[problem["point"] == "nominal"]
    columns = _columns(rows)
    names = list(dict.fromkeys(rows["problem"]))
    errors, texts = _cells(rows, names, columns)
    order = np.argsort(-np.nanmax(np.where(np.isnan(errors), -np.inf, errors), axis=1))
    left = 0.085 * max(map(len, names)) + 0.4
    width, height = left + CELL[1] * len(columns) + 0.3, 1.95 + CELL[0] * len(names)
    with style.styled(settings):
        figure, ax = plt.subplots(figsize=(max(width, layout.MIN_WIDTH), height))
        width = float(figure.get_size_inches()[0])
        figure.subplots_adjust(
            left=left / width,
            right=(left + CELL[1] * len(columns)) / width,
            top=1.0 - 1.6 / height,
            bottom=0.35 / height,
        )
        sns.heatmap(
            errors[order],
            ax=ax,
            mask=np.isnan(errors[order]),
            vmin=LOWEST,
            vmax=HIGHEST,
            cmap=sns.diverging_palette(230, 25, s=70, l=55, center="light", as_cmap=True),
            center=-2.0,
            cbar=False,
            linewidths=1.5,
        )
        _write(ax, errors[order], [texts[k] for k in order])
        ax.set_xticks(np.arange(len(columns)) + 0.5, [label for label, _ in columns], rotation=0)
        ax.set_yticks(np.arange(len(names)) + 0.5, [names[k] for k in order], rotation=0)
        ax.xaxis.tick_top()
        ax.tick_params(length=0, labelsize=8.5)
        layout.head(
            figure,
            "How wrong the gradient of a log-likelihood is",
            "Relative error at the nominal parameters against the certified gradient: white 1 %, "
            "blue below, red above.",
        )
    return figure


def _columns(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Labels and the rows of each column, one for each problem."""
    found = []
    for method, rtol in SETTINGS:
        own = rows[
            (rows["tool"] == "")
            & (rows["method"] == method)
            & np.isclose(rows["rtol"], rtol, rtol=1e-6)
        ]
        own = own.assign(lost=own["status"] != "ok").sort_values(["lost", "work"], kind="stable")
        own = own.drop_duplicates("problem")
        if len(own):
            label = method_name(method).replace(" ", "\n", 1)
            found.append((f"{label}\n{rtol:.0e}".replace("e-0", "e-"), own))
    for tool, own in rows[rows["tool"] != ""].groupby("tool", sort=False):
        found.append((str(tool).replace(" (", "\n("), own))
    return found


def _cells(
    rows: pd.DataFrame, names: list[str], columns: list[tuple[str, pd.DataFrame]]
) -> tuple[np.ndarray, list[list[str]]]:
    """log10 of the errors (problems, columns), NaN where there is none, and the texts."""
    errors = np.full((len(names), len(columns)), np.nan)
    texts = [["" for _ in columns] for _ in names]
    for k, (_, own) in enumerate(columns):
        for row in own.to_dict("records"):
            place = names.index(row["problem"])
            if row["status"] != "ok":
                texts[place][k] = str(row["status"]).replace("_", " ")
            elif row["verdict"] in ("unknown", "not_integrated"):
                texts[place][k] = "unknown" if row["verdict"] == "unknown" else "steady state"
            else:
                error = max(float(row["error"]), float(row["resolution"]), 1e-16)
                errors[place, k] = np.log10(error)
                texts[place][k] = f"{error:.1e}" if error < 1e-3 or error >= 1e4 else f"{error:.2g}"
    return errors, texts


def _write(ax: Axes, errors: np.ndarray, texts: list[list[str]]) -> None:
    for place, row in enumerate(texts):
        for k, text in enumerate(row):
            shown = errors[place, k]
            ax.text(
                k + 0.5,
                place + 0.5,
                text or "–",
                ha="center",
                va="center",
                fontsize=8,
                color=style.MUTED if np.isnan(shown) else "black",
            )

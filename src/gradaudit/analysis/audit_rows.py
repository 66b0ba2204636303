"""What a row of the audits stands for: the axis of its model, its solver, its functional."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gradaudit.records.catalogue import catalogue

AXES = {
    "stiffness": "stiffness",
    "mu": "stiffness",
    "L": "stiffness",
    "t_end": "window",
    "eps": "distance",
    "distance": "distance",
    "depth": "distance",
}
"""Axis of a model to what it varies: stiffness, window of time, distance to a bifurcation."""

WORKING_RTOL = 1e-6
"""The tolerance that a careful user starts with."""

HARMFUL = r"dtype=|observe=interpolant|root_tolerance="
"""Variants of a solver that show a mechanism of numerics, as a pattern; the others are remedies."""

HARM = "in single precision, with dense output or with loose roots"
"""These variants in words."""

ZERO = 1e-9  # of the natural scale: a gradient below it is zero to what its terms resolve


def axes_of(model: str) -> tuple[str, dict[str, float]]:
    """The model without its setting, and the setting: ``lorenz@t_end=15`` is lorenz, t_end = 15."""
    base, _, setting = model.partition("@")
    pairs = (part.partition("=") for part in setting.split(",") if part)
    return base, {axis: float(value) for axis, _, value in pairs}


def prepared(audits: pd.DataFrame) -> pd.DataFrame:
    """The audits with the columns that the answers need, whether the stages wrote them or not.

    Adds ``base_solver`` and ``variant`` (by default the solver and nothing), ``stepping``
    (explicit or implicit), and ``informative``: the exact gradient is not zero, and the
    functional has one.
    """
    table = audits.copy()
    solver = table["solver"].astype(str)
    given = table["base_solver"] if "base_solver" in table else pd.Series("", index=table.index)
    base = given.fillna("").astype(str)
    clip = solver.str.endswith("_clip")
    table["base_solver"] = base.where(base != "", solver.str.removesuffix("_clip"))
    stated_variant = table["variant"] if "variant" in table else pd.Series("", index=table.index)
    variant = stated_variant.fillna("").astype(str)
    if "observe" in table:
        clip |= table["observe"].astype(str) == "clip"
    table["variant"] = variant.where((variant != "") | ~clip, "observe=clip")
    solvers = catalogue("solvers")
    implicit = table["base_solver"].isin([name for name in solvers if solvers[name].implicit])
    table["stepping"] = np.where(implicit, "implicit", "explicit")
    table["informative"] = _informative(table)
    return table


def vanishing(table: pd.DataFrame) -> pd.Series:
    """Whether the true gradient of each row is 0, to what its terms resolve.

    A gradient of 0 is right there whatever the tangents are, and no relative error is defined.
    False for a solve that failed.
    """
    if not {"reference_norm", "natural_scale"} <= set(table.columns):
        return pd.Series(False, index=table.index)
    return table["reference_norm"] <= ZERO * table["natural_scale"]


def _informative(table: pd.DataFrame) -> pd.Series:
    informative = pd.Series(True, index=table.index)
    if "reference_norm" in table:
        informative &= table["reference_norm"].notna() & ~vanishing(table)
    if "piecewise_constant" in table:
        informative &= ~table["piecewise_constant"].fillna(False).astype(bool)
    return informative


def typical(table: pd.DataFrame) -> pd.DataFrame:
    """Of prepared audits the rows that show a model's mechanism.

    They are those of plain solvers; of a model that is audited with a harmful variant of a solver,
    such as single precision, only those of that variant, for there the variant is the mechanism.
    """
    harmful = table["variant"].str.contains(HARMFUL)
    shown = table["model"].isin(table.loc[harmful, "model"])
    return table[harmful | (~shown & (table["variant"] == ""))]


def working(table: pd.DataFrame, rtol: float = WORKING_RTOL) -> pd.DataFrame:
    """Of each tolerance series the row whose tolerance is nearest to `rtol`, by its logarithm."""
    if table.empty:
        return table
    away = np.abs(np.log10(table["rtol"].to_numpy() / rtol)).round(6)
    ladder = ["model", "solver", "method", "functional"]
    order = table.assign(_away=away).sort_values(["_away", "rtol"], kind="stable")
    return order.drop_duplicates(ladder).drop(columns="_away").sort_index()

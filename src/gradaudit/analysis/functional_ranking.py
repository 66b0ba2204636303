"""Which functions of the solution have accurate gradients (Q2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gradaudit.analysis.audit_rows import prepared, typical
from gradaudit.analysis.grouped_slope import median_interval
from gradaudit.model.mechanism import Trait, having
from gradaudit.records.catalogue import catalogue
from gradaudit.records.labels import VERDICTS, in_order
from gradaudit.records.table import Table

TABLE = Table(
    name="ranking",
    about="kinds of functionals",
    function="ranking",
)

CELL = ["model", "solver", "method", "rtol"]
LADDER = ["model", "solver", "functional"]

TIE = 1e-6
"""Relative difference of two errors up to which neither functional is the more accurate one."""

OSCILLATING = "phase drift"
EVERYWHERE = "all"

COLUMNS = [
    "scope", "kind", "family", "models", "ladders", "good", "bad", "horrible", "best_good",
    "best_bad", "best_horrible", "position", "position_low", "position_high", "cells",
    "median_error", "gain_over_terminal",
]  # fmt: skip


def ranking(audits: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of functional, over all models and over oscillations whose phase drifts.

    Parameters
    ----------
    audits
        Of stage atlas.

    Returns
    -------
    DataFrame
        ``good``, ``bad``, ``horrible``: share of the tolerance series of forward AD; ``best_...``:
        the same for the best method of each tolerance series; functionals whose exact gradient is
        zero are left out. ``position``: median place of the kind's error among all functionals of
        the same solve by forward AD, 0 the most accurate and 1 the least, with a 95 % interval by a
        bootstrap over models; equal errors share the mean of their places.
        ``gain_over_terminal``: median of the error of terminal values in the same solve over that
        of this kind.
    """
    if audits.empty:
        return pd.DataFrame(columns=COLUMNS)
    table = _with_position(typical(prepared(audits)))
    scopes = {EVERYWHERE: table}
    oscillating = table[table["mechanism"].isin(having(Trait.PHASE_DRIFT))]
    if len(oscillating):
        scopes[OSCILLATING] = oscillating
    rows = [
        {"scope": scope, "kind": kind} | _row(rows[rows["kind"] == kind], kind)
        for scope, rows in scopes.items()
        for kind in in_order(set(rows["kind"]), "functionals")
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _with_position(table: pd.DataFrame) -> pd.DataFrame:
    """Rank of every error in its solve, from 0 to 1; a zero gradient and a jump have none."""
    error = table["error"].where(np.isfinite(table["error"]), np.inf).where(table["informative"])
    error = error.where(table["status"] == "ok")
    groups = table.assign(_error=_levels(table, error)).groupby(CELL)["_error"]
    rank, count = groups.rank(method="average"), groups.transform("count")
    position = ((rank - 1.0) / (count - 1.0)).where(count >= 3)
    terminal = (
        table.assign(_error=error.where(table["kind"] == "terminal"))
        .groupby(CELL)["_error"]
        .transform("median")
    )
    gain = (terminal / error).where(np.isfinite(error) & (error > 0.0) & np.isfinite(terminal))
    return table.assign(_position=position, _gain=gain, _resolved=error)


def _levels(table: pd.DataFrame, error: pd.Series) -> pd.Series:
    """Errors of which those that are equal but for rounding are made so, solve by solve.

    A log-likelihood of one state is a multiple of its sum of squares: their errors differ in the
    last digits, and a rank by those would be noise.
    """
    cell = table.groupby(CELL, sort=False).ngroup()
    ordered = pd.DataFrame({"cell": cell, "error": error}).sort_values(["cell", "error"])
    before = ordered.groupby("cell")["error"].shift()
    apart = before.isna() | (ordered["error"] > before * (1.0 + TIE))
    level = ordered["error"].where(apart).ffill().where(ordered["error"].notna())
    return level.reindex(error.index)


def _row(rows: pd.DataFrame, kind: str) -> dict[str, Any]:
    families = catalogue("functionals")
    rows = rows[rows["informative"]] if rows["informative"].any() else rows
    forward = rows[rows["method"] == "forward_ad"]
    own = forward.drop_duplicates(LADDER)
    rank = rows["ladder_verdict"].map({word: i for i, word in enumerate(VERDICTS)})
    best = rows.assign(_rank=rank).groupby(LADDER)["_rank"].min()
    placed = forward[np.isfinite(forward["_position"])]
    middle, low, high = median_interval(
        placed["_position"].to_numpy(), placed["model"].astype(str).to_numpy()
    )
    gain = forward["_gain"].to_numpy(dtype=float)
    resolved = forward["_resolved"].to_numpy(dtype=float)
    return {
        "family": families[kind].group if kind in families else "others",
        "models": rows["model"].nunique(),
        "ladders": len(own),
        **{word: float((own["ladder_verdict"] == word).mean()) for word in VERDICTS},
        **{f"best_{word}": float((best == i).mean()) for i, word in enumerate(VERDICTS)},
        "position": middle,
        "position_low": low,
        "position_high": high,
        "cells": len(placed),
        "median_error": _median(resolved),
        "gain_over_terminal": _median(gain),
    }


def _median(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else float("nan")

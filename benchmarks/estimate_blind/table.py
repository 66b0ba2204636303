"""The rows of `collect.py` as a table: which can be judged, their regimes, and five folds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SERIES = ["family", "model", "point", "solver", "control", "functional"]
FOLDS = 5
CERTAIN = 100.0  # times the reference's own error, below which a true error is not judged
ZERO = 1e-9  # of a gradient's terms: what is smaller has no relative error
STANDING = 0.5  # of the growth that steps have where they follow the tolerance
CANCELLING = 1e-2  # of the sum of the absolute values of the terms
SMALL = 1e-3  # atol / rtol: relative errors of smaller states are not controlled
ORDER = {"tsit5": 5, "dopri8": 8, "kvaerno5": 5, "rodas5p": 5}
THRESHOLDS = {
    "good": 1e-2, "horrible": 0.5, "cancellation": ZERO, "minimum_order": 0.25, "floor": 1e-11,
    "stalled": 1e-4,
}  # fmt: skip
"""Those of the default configuration."""


def read(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All rows of gradients and failed solves, and one row per setting."""
    table = pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    closing = table["functional"] == "setting"
    settings = table[closing].dropna(axis=1, how="all").reset_index(drop=True)
    rows = table[~closing & table["solver"].notna()].reset_index(drop=True)
    return rows, settings


def usable(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows whose true error is known to two digits, with regimes, folds and convergence."""
    solved = rows[(rows["status"] == "ok") & rows["functional"].notna()].copy()
    solved = solved.merge(_standing(solved), on=[*SERIES[:-1]], how="left")
    solved = solved.merge(_converging(solved), on=SERIES, how="left")
    known = np.isfinite(solved["error"]) & (solved["error"] > CERTAIN * solved["resolution"])
    known &= solved["reference_norm"] > ZERO * solved["natural_scale"]
    known &= solved["one_sided"] == 0
    solved = solved[known].reset_index(drop=True)
    solved["fold"] = solved["model"].map(_folds(solved)).astype(int)
    return solved


def _folds(rows: pd.DataFrame) -> dict[str, int]:
    """Fold of each model, with all families spread evenly over the folds."""
    folds: dict[str, int] = {}
    draw = np.random.default_rng(5)
    for _, own in rows.groupby("family"):
        names = np.sort(own["model"].unique())
        order = draw.permutation(len(names))
        folds |= {names[k]: place % FOLDS for place, k in enumerate(order)}
    return folds


def _standing(rows: pd.DataFrame) -> pd.DataFrame:
    """Whether the steps of a series hardly grow as its tolerance is tightened."""
    lines = []
    for key, own in rows.groupby(SERIES[:-1]):
        first = own.drop_duplicates("rtol").sort_values("rtol")
        rtol, steps = first["rtol"].to_numpy(), first["accepted"].to_numpy()
        decades = np.log10(rtol[-1] / rtol[0])
        growth = np.log10(steps[0] / steps[-1])
        order = ORDER[own["solver"].iloc[0]]
        lines.append((*key, bool(decades > 1.0 and growth < STANDING * decades / order)))
    return pd.DataFrame(lines, columns=[*SERIES[:-1], "standing"])


def _converging(rows: pd.DataFrame) -> pd.DataFrame:
    """Whether the errors of a series of tolerances converge."""
    from gradaudit.evaluation.verdict import Thresholds, judge_ladder

    thresholds, lines = Thresholds(**THRESHOLDS), []
    for key, own in rows.groupby(SERIES):
        own = own.sort_values("rtol", ascending=False)
        ladder, _ = judge_ladder(
            own["rtol"].tolist(), own["error"].tolist(), own["cosine"].tolist(), thresholds,
            (CERTAIN * own["resolution"]).tolist(),
        )  # fmt: skip
        lines.append((*key, ladder.converging))
    return pd.DataFrame(lines, columns=[*SERIES, "converging"])


def _events(rows: pd.DataFrame) -> Any:
    return rows["hybrid"].astype(bool) | (rows["neglected"] > 0)


def _explicit(rows: pd.DataFrame) -> Any:
    return ~rows["implicit"].astype(bool) & ~_events(rows)


REGIMES: dict[str, Any] = {
    "all": lambda rows: np.ones(len(rows), bool),
    "follows the tolerance": lambda rows: _explicit(rows) & ~rows["standing"].astype(bool),
    "stability-limited": lambda rows: _explicit(rows) & rows["standing"].astype(bool),
    "implicit": lambda rows: rows["implicit"].astype(bool) & ~_events(rows),
    "events": _events,
    "cancellation": lambda rows: rows["cancellation"] < CANCELLING,
    "small states": lambda rows: rows["smallest"] < SMALL,
}
"""Regimes by name; the last two are parts of the others."""

"""How good the scores are by kind of solve, on mechanisms that they had not seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.analysis.calibration.score import FLOOR
from gradaudit.analysis.calibration.skill import area, ranks
from gradaudit.records.catalogue import catalogue

SERIES = ["model", "solver", "method"]
GRADIENT = [*SERIES, "rtol", "functional"]
STANDING = 0.5
"""Share of the growth that steps have where they follow the tolerance: below it they do not."""
CANCELLING = 1e-3
"""Size of a gradient over that of its terms, below which these cancel."""


def by_kind(audits: pd.DataFrame, predictions: pd.DataFrame, bound: float) -> pd.DataFrame:
    """One row per score and kind of solve.

    Parameters
    ----------
    audits
        Table of all audits.
    predictions
        Of `gradaudit.analysis.calibration.skill.held_out`.
    bound
        Errors above it are to be warned of.

    Columns
    -------
    score, kind
        Kinds overlap; "all" is the first of them.
    rows, bad
        Gradients, and those whose error is above the bound.
    auc
        Area under the ROC.
    misses, missed_nonconverging, false_alarms
        Bad gradients without alarm, and those of them in series that do not converge: numbers; the
        share of the others with an alarm.
    inside, above
        Shares of the errors within the interval and above it.
    ratio, width
        Medians of the calibrated estimate over the error, and of the interval in powers of ten.
    """
    if predictions.empty:
        return pd.DataFrame(columns=["score", "kind"])
    known = audits.merge(_standing(audits), on=SERIES, how="left")
    columns = ["base_solver", "neglected", "reference_norm", "natural_scale", "standing"]
    rows = predictions.merge(known[GRADIENT + columns], on=GRADIENT, how="left")
    return pd.DataFrame(
        {"score": score, "kind": kind, **_measures(own[chosen(own)], bound)}
        for score, own in rows.groupby("score", sort=False)
        for kind, chosen in KINDS.items()
    )


def _standing(audits: pd.DataFrame) -> pd.DataFrame:
    """Whether the steps of a series of tolerances hardly grow as they are tightened."""
    solved = audits[(audits["status"] == "ok") & (audits["steps"] > 0)]
    lines = []
    for key, own in solved.groupby(SERIES):
        order = catalogue("solvers")[own["base_solver"].iloc[0]].order
        rtol, steps = own.sort_values("rtol")[["rtol", "steps"]].to_numpy(dtype=float).T
        decades, growth = np.log10(rtol[-1] / rtol[0]), np.log10(steps[0] / steps[-1])
        lines.append((*key, bool(decades > 1.0 and growth < STANDING * decades / order)))
    return pd.DataFrame(lines, columns=[*SERIES, "standing"])


def _implicit(rows: pd.DataFrame) -> pd.Series:
    return rows["base_solver"].map(lambda name: catalogue("solvers")[name].implicit).astype(bool)


def _crossing(rows: pd.DataFrame) -> pd.Series:
    return (rows["neglected"] > 0) | rows["kind"].str.startswith("event_")


def _limited(rows: pd.DataFrame) -> pd.Series:
    return ~_implicit(rows) & rows["standing"].eq(True)


KINDS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "all": lambda rows: np.ones(len(rows), bool),
    "explicit, steps follow the tolerance": lambda rows: (
        ~_implicit(rows) & ~_limited(rows) & ~_crossing(rows)
    ),
    "explicit, steps do not": lambda rows: _limited(rows) & ~_crossing(rows),
    "implicit": _implicit,
    "events and switches": _crossing,
    "terms cancel": lambda rows: rows["reference_norm"] < CANCELLING * rows["natural_scale"],
}


def _measures(rows: pd.DataFrame, bound: float) -> dict[str, Any]:
    known = rows[np.isfinite(rows["estimate"])]
    bad = (known["error"] > bound).to_numpy()
    alarm = (known["estimate"] >= known["threshold"]).to_numpy()
    inside = (known["true"] >= known["low"]) & (known["true"] <= known["high"])
    inside |= (known["true"] <= FLOOR + 2) & (known["low"] <= FLOOR + 2)
    stuck = ~known["converging"].to_numpy(dtype=bool)
    places = ranks(pd.factorize(known["estimate"], sort=True)[0])
    return {
        "rows": len(known),
        "bad": int(bad.sum()),
        "auc": area(places, bad),
        "misses": int(np.sum(bad & ~alarm)),
        "missed_nonconverging": int(np.sum(bad & ~alarm & stuck)),
        "false_alarms": float(np.mean(alarm[~bad])) if np.any(~bad) else np.nan,
        "inside": float(inside.mean()),
        "above": float((~inside & (known["true"] > known["high"])).mean()),
        "ratio": 10.0 ** float((known["estimate"] - known["true"]).median()),
        "width": float((known["high"] - known["low"]).median()),
    }

"""The cheapest setting that reaches an accuracy."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gradaudit.records.table import Table

TABLE = Table(
    name="frontier",
    about="the cheapest settings, by wanted accuracy",
    function="cheapest_settings",
    settings=("accuracies",),
)

SETTING = ["solver", "method", "rtol", "error", "seconds", "steps", "verdict"]

NOISE = 1.25
"""Seconds are as good as equal within this factor."""


def cheapest_settings(audits: pd.DataFrame, accuracies: list[float]) -> pd.DataFrame:
    """For every (model, functional, accuracy) the fastest setting that reaches it.

    A setting counts only if its tolerance series converges: an error that is small once, by luck,
    is no accuracy. `tied` names others that are as fast, of as many steps. Where none reaches it, `solver` is empty and `reason` says why.
    """
    rows = []
    compared = audits[["model", "functional", *SETTING, "converging", "status"]]
    for (model, functional), group in compared.groupby(["model", "functional"], sort=False):
        for accuracy in accuracies:
            key = {"model": model, "functional": functional, "accuracy": accuracy}
            rows.append(key | _cheapest(group, accuracy))
    return pd.DataFrame(rows)


def _cheapest(group: pd.DataFrame, accuracy: float) -> dict[str, Any]:
    reaching = group[(group["error"] <= accuracy) & group["converging"]]
    if len(reaching):
        # Clocks are noisy: of the settings about as fast as the fastest, the one of fewest steps;
        # of those of equal steps the clock may choose, and all are named.
        fast = reaching[reaching["seconds"] <= NOISE * reaching["seconds"].min()]
        alike = fast[fast["steps"] == fast["steps"].min()].sort_values("seconds", kind="stable")
        best, *others = alike.to_dict("records")
        tied = ", ".join(f"{row['solver']} {row['method']}" for row in others)
        return {**{name: best[name] for name in SETTING}, "tied": tied, "reason": ""}
    return {
        "solver": "",
        "method": "",
        "rtol": float("nan"),
        "error": float("nan"),
        "seconds": float("nan"),
        "steps": float("nan"),
        "verdict": "",
        "tied": "",
        "reason": _why_none(group, accuracy),
    }


def _why_none(group: pd.DataFrame, accuracy: float) -> str:
    solved = group[group["status"] == "ok"]
    if solved.empty:
        statuses = ", ".join(sorted(set(group["status"])))
        return f"every solve failed ({statuses})"
    converging = solved[solved["converging"]]
    if converging.empty:
        return "no setting converges as the tolerance is tightened"
    return f"the best converging error is {converging['error'].min():.1e}, above {accuracy:.1e}"

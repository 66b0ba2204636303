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

SETTING = ["solver", "method", "rtol", "error", "work", "steps", "seconds", "verdict"]


def cheapest_settings(audits: pd.DataFrame, accuracies: list[float]) -> pd.DataFrame:
    """For every (model, functional, accuracy) the setting of least work that reaches it.

    Work is counted, not timed, so that the choice is the same in every run; `seconds` are given as
    information. A setting counts only if its tolerance series converges: an error that is small
    once, by luck, is no accuracy. `tied` names others of the same work. Where none reaches it,
    `solver` is empty and `reason` says why.
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
        # A solver that counts no steps comes last; of equal work the first of the configuration.
        ranked = reaching.sort_values("work", kind="stable", na_position="last")
        best, *others = ranked.to_dict("records")
        tied = ", ".join(
            f"{row['solver']} {row['method']}" for row in others if row["work"] == best["work"]
        )
        return {**{name: best[name] for name in SETTING}, "tied": tied, "reason": ""}
    words = {"solver": "", "method": "", "verdict": "", "tied": ""}
    return {
        **{name: words.get(name, float("nan")) for name in SETTING},
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

"""One row per series of tolerances, and the cheapest setting that reaches an accuracy."""

from __future__ import annotations

from typing import Any

import pandas as pd

LADDER = ["model", "mechanism", "regime", "solver", "method", "functional", "kind"]


SETTING = ["solver", "method", "rtol", "error", "seconds", "steps", "verdict"]


def ladders(audits: pd.DataFrame) -> pd.DataFrame:
    """One row a (model, solver, method, functional): what its ladder of tolerances shows."""
    told = ["verdict", "ladder_verdict", "order", "converging", "error", "rtol", "status"]
    groups = audits[[*LADDER, *told]].groupby(LADDER, sort=False)
    return pd.DataFrame([_ladder(rows) for _, rows in groups])


def _ladder(rows: pd.DataFrame) -> dict[str, Any]:
    first = rows.iloc[0]
    good = rows.loc[rows["verdict"] == "good", "rtol"]
    return {
        **{name: first[name] for name in LADDER},
        "verdict": first["ladder_verdict"],
        "order": first["order"],
        "converging": first["converging"],
        "best_error": rows["error"].min(),
        "worst_error": rows["error"].max(),
        "loosest_good_rtol": good.max() if len(good) else float("nan"),
        "failed": int((rows["status"] != "ok").sum()),
        "tolerances": len(rows),
    }


def cheapest_settings(audits: pd.DataFrame, accuracies: list[float]) -> pd.DataFrame:
    """For every (model, functional, accuracy) the fastest setting that reaches it.

    A setting counts only if its ladder converges: an error that is small once, by luck, is no
    accuracy. Where none reaches it, `solver` is empty and `reason` says why.
    """
    rows = []
    compared = audits[["model", "functional", *SETTING, "converging", "status"]]
    for (model, functional), group in compared.groupby(["model", "functional"], sort=False):
        for accuracy in accuracies:
            asked = {"model": model, "functional": functional, "accuracy": accuracy}
            rows.append(asked | _cheapest(group, accuracy))
    return pd.DataFrame(rows)


def _cheapest(group: pd.DataFrame, accuracy: float) -> dict[str, Any]:
    reaching = group[(group["error"] <= accuracy) & group["converging"]]
    if len(reaching):
        # Clocks are noisy: of the settings about as fast as the fastest, the one of fewest steps.
        fast = reaching[reaching["seconds"] <= 1.25 * reaching["seconds"].min()]
        best = fast.loc[fast["steps"].idxmin()]
        return {**best[SETTING].to_dict(), "reason": ""}
    return {
        "solver": "",
        "method": "",
        "rtol": float("nan"),
        "error": float("nan"),
        "seconds": float("nan"),
        "steps": float("nan"),
        "verdict": "",
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

"""One row per series of tolerances: its verdict, and what it shows."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gradaudit.records.table import Table

TABLE = Table(
    name="verdicts",
    about="one row per series of tolerances",
    function="ladders",
)

LADDER = ["model", "mechanism", "regime", "solver", "method", "functional", "kind"]


def ladders(audits: pd.DataFrame) -> pd.DataFrame:
    """One row per (model, solver, method, functional): what its tolerance series shows."""
    columns = ["ladder_verdict", "order", "converging", "sufficient_rtol", "spikes", "error",
               "rtol", "status"]  # fmt: skip
    groups = audits[[*LADDER, *columns]].groupby(LADDER, sort=False)
    return pd.DataFrame([_ladder(rows) for _, rows in groups])


def _ladder(rows: pd.DataFrame) -> dict[str, Any]:
    first = rows.iloc[0]
    return {
        **{name: first[name] for name in LADDER},
        "verdict": first["ladder_verdict"],
        "order": first["order"],
        "converging": first["converging"],
        "best_error": rows["error"].min(),
        "worst_error": rows["error"].max(),
        "sufficient_rtol": first["sufficient_rtol"],
        "loosest_rtol": rows["rtol"].max(),
        "spikes": first["spikes"],
        "failed": int((rows["status"] != "ok").sum()),
        "tolerances": len(rows),
    }

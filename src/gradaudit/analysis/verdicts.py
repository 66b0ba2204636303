"""One row per series of tolerances: its verdict, and what it shows."""

from __future__ import annotations

from typing import Any

import pandas as pd

from gradaudit.analysis.audit_rows import vanishing
from gradaudit.records.catalogue import inverse_crimes
from gradaudit.records.table import Table

TABLE = Table(
    name="verdicts",
    about="one row per series of tolerances",
    function="ladders",
)

LADDER = ["model", "mechanism", "regime", "solver", "method", "functional", "kind"]


def ladders(audits: pd.DataFrame) -> pd.DataFrame:
    """One row per (model, solver, method, functional): what its tolerance series shows.

    ``zero`` says that the true gradient is 0, ``false_good`` that a verdict of good shows nothing:
    the data are those of the same solve, and a gradient of 0 is right whatever the tangents are.
    """
    columns = ["ladder_verdict", "order", "converging", "sufficient_rtol", "spikes", "error",
               "rtol", "status", "zero"]  # fmt: skip
    columns += [name for name in ("base_solver", "variant") if name in audits]
    groups = audits.assign(zero=vanishing(audits))[[*LADDER, *columns]].groupby(LADDER, sort=False)
    return pd.DataFrame([_ladder(rows) for _, rows in groups])


def _ladder(rows: pd.DataFrame) -> dict[str, Any]:
    first, zero = rows.iloc[0], bool(rows["zero"].any())
    crime = str(first["kind"]) in inverse_crimes()
    return {
        **{name: first[name] for name in LADDER},
        "base_solver": first.get("base_solver", first["solver"]),
        "variant": first.get("variant", ""),
        "verdict": first["ladder_verdict"],
        "zero": zero,
        "false_good": zero and first["ladder_verdict"] == "good" and crime,
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

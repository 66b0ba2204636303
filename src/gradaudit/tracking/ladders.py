"""Runs of one (model, solver, method): errors of every functional, stepped over tolerances."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.tracking.names import Steps, metric_names
from gradaudit.tracking.plan import PARAM_LENGTH, TAG_LENGTH, RunPlan, readings, texts
from gradaudit.tracking.tables import csv_artifact, verdict_counts, worst

PER_FUNCTIONAL = (
    "error",
    "digits",
    "relative_error",
    "normalised_error",
    "state_part",
    "tangent_part",
)
"""Logged as ``quantity/functional``: the user interface then has one section a quantity."""

PER_SOLVE = (
    "state_error",
    "indicator",
    "steps",
    "accepted",
    "rejected",
    "seconds",
    "compile_seconds",
)
COMPARED = ("digits_at_1e-6", 1e-6)
"""A metric of the table of runs, and its relative tolerance."""


def ladder_key(model: str, solver: str, method: str) -> str:
    """The key of a child run."""
    return f"solve/{model}/{solver}/{method}"


def ladder_plan(
    table: pd.DataFrame,
    *,
    model: str,
    parent: str,
    steps: Steps,
    facts: Mapping[str, Any],
    provenance: Mapping[str, str],
) -> RunPlan:
    """The run of one solver and method from its rows of the audit's table.

    Parameters
    ----------
    table
        Rows of one (model, solver, method).
    model, parent
        Key of the model, and of its run.
    facts
        Params that all runs of the model share.
    provenance
        Tags that say where the table comes from.
    """
    table = table.sort_values(["rtol", "functional"], ascending=[False, True])
    solver, method = str(table["solver"].iloc[0]), str(table["method"].iloc[0])
    names = metric_names(table["functional"])
    groups = {names[str(name)]: rows for name, rows in table.groupby("functional", sort=True)}
    solves = table.groupby("rtol", sort=True).first()
    verdicts = pd.Series({name: rows["ladder_verdict"].iloc[0] for name, rows in groups.items()})
    logged = [*_stepped(groups, solves, steps), *_summary(groups, solves, verdicts)]
    return RunPlan(
        key=ladder_key(model, solver, method),
        name=f"{model} {solver} {method}",
        parent=parent,
        params=texts(_params(table, facts, solver, method), length=PARAM_LENGTH),
        tags=texts(
            {
                "kind": "ladder",
                "model": model,
                "solver": solver,
                "method": method,
                "mechanism": table["mechanism"].iloc[0],
                "regime": table["regime"].iloc[0],
                "verdict": worst(verdicts),
                "status": _status(solves["status"]),
                "not_finite": _not_finite(logged, steps, solves["status"]),
                **{f"verdict.{name}": word for name, word in verdicts.items()},
                **provenance,
            },
            length=TAG_LENGTH,
        ),
        readings=readings(logged),
        artifacts=(csv_artifact(table, "table/audit.csv"),),
    )


def _params(
    table: pd.DataFrame, facts: Mapping[str, Any], solver: str, method: str
) -> dict[str, Any]:
    rtol, atol = table["rtol"], table["atol"]
    return {
        **facts,
        "solver": solver,
        "method": method,
        "rtol_loosest": float(rtol.max()),
        "rtol_tightest": float(rtol.min()),
        "tolerances": int(rtol.nunique()),
        "atol_factor": float((atol / rtol).median()),
        "functionals": int(table["functional"].nunique()),
    }


def _stepped(
    groups: Mapping[str, pd.DataFrame], solves: pd.DataFrame, steps: Steps
) -> Iterator[tuple[str, int, Any]]:
    for name, rows in groups.items():
        for quantity in PER_FUNCTIONAL:
            for rtol, value in zip(rows["rtol"], rows[quantity], strict=True):
                yield f"{quantity}/{name}", steps(rtol), value
    for rtol, row in solves.iterrows():
        step = steps(float(str(rtol)))
        yield "rtol", step, float(str(rtol))
        yield "failed", step, float(row["status"] != "ok")
        for quantity in PER_SOLVE:
            yield quantity, step, row[quantity]


def _summary(
    groups: Mapping[str, pd.DataFrame], solves: pd.DataFrame, verdicts: pd.Series
) -> Iterator[tuple[str, int, Any]]:
    compared, at = COMPARED
    # Digits, because the user interface shows an error of 1e-9 in a bar chart as 0.00.
    best = {name: float(rows["digits"].max()) for name, rows in groups.items()}
    for name, rows in groups.items():
        yield f"order/{name}", 0, rows["order"].iloc[0]
        yield f"best_digits/{name}", 0, best[name]
        for digits in rows.loc[np.isclose(rows["rtol"], at, rtol=1e-6, atol=0.0), "digits"]:
            yield f"{compared}/{name}", 0, digits
    for word, count in verdict_counts(verdicts).items():
        yield f"functionals_{word}", 0, count
    yield "digits_of_all", 0, float(np.min(list(best.values())))
    yield "failed_solves", 0, int((solves["status"] != "ok").sum())
    yield "total_seconds", 0, float(solves["seconds"].sum())


def _status(statuses: pd.Series) -> str:
    """What happened at which tolerances; "ok" if nothing did."""
    bad = statuses[statuses != "ok"]
    if bad.empty:
        return "ok"
    return "; ".join(
        f"{word} at rtol " + ", ".join(f"{rtol:.3g}" for rtol in sorted(rows.index, reverse=True))
        for word, rows in bad.groupby(bad)
    )


def _not_finite(logged: list[tuple[str, int, Any]], steps: Steps, statuses: pd.Series) -> str:
    """What is no number though the solve went well: infinity cannot be plotted."""
    ok = {steps(float(str(rtol))): float(str(rtol)) for rtol in statuses.index[statuses == "ok"]}
    missing: dict[str, list[str]] = {}
    for name, step, value in logged:
        if step in ok and not math.isfinite(value):
            missing.setdefault(name, []).append(f"{ok[step]:.3g}")
    return "; ".join(f"{name} at rtol {', '.join(at)}" for name, at in missing.items())

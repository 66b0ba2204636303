"""Runs of one (model, solver, method): errors of every functional, stepped over tolerances."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.records.catalogue import catalogue
from gradaudit.records.labels import method_name
from gradaudit.tracking.names import Steps, metric_names
from gradaudit.tracking.plan import (
    NOTE,
    PARAM_LENGTH,
    TAG_LENGTH,
    DataSet,
    RunPlan,
    readings,
    texts,
)
from gradaudit.tracking.tables import csv_artifact, tolerance, verdict_counts, worst
from gradaudit.tracking.usable import Usable, usable

DERIVED = ("worst_error", "digits", "state_digits")
"""Of errors that have metrics of their own, which say what is not finite."""

PER_SOLVE = ("state_error", "indicator", "steps", "seconds")
COMPARED = ("at_1e-6", 1e-6)
"""A group of metrics of the table of runs, and its relative tolerance."""

COLOUR = "mlflow.runColor"
"""The tag of a run's colour in lists and charts."""

COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#7a5195", "#8c564b",
    "#4d4d4d", "#b5a900", "#17becf", "#e377c2",
)  # fmt: skip
"""Of the settings of a model, in turn; the user interface draws lots and takes some twice."""

MOST = 30
"""Metrics of a run: with more, nobody finds the one that is looked for. The rest is in the table of
the run."""


def ladder_key(model: str, solver: str, method: str) -> str:
    """The key of a child run."""
    return f"solve/{model}/{solver}/{method}"


def ladder_plan(
    table: pd.DataFrame,
    *,
    model: str,
    parent: str,
    functionals: list[str],
    best: bool,
    steps: Steps,
    facts: Mapping[str, Any],
    provenance: Mapping[str, str],
    data: DataSet | None = None,
    colour: str = COLOURS[0],
) -> RunPlan:
    """The run of one solver and method from its rows of the audit's table.

    Parameters
    ----------
    table
        Rows of one (model, solver, method).
    model, parent
        Key of the model, and of its run.
    functionals
        Those that count for the worst error and the verdict, see
        `gradaudit.tracking.usable.counted`.
    best
        Whether it is the model's cheapest setting whose gradients are right.
    facts
        Params that all runs of the model share.
    provenance
        Tags that say where the table comes from.
    data
        The reference that the gradients are compared with.
    colour
        In charts, one of `COLOURS`.
    """
    table = table.sort_values(["rtol", "functional"], ascending=[False, True])
    solver, method = str(table["solver"].iloc[0]), str(table["method"].iloc[0])
    names = metric_names(table["functional"])
    groups = {names[str(name)]: rows for name, rows in table.groupby("functional", sort=True)}
    solves = table.groupby("rtol", sort=True).first()
    verdicts = pd.Series({name: rows["ladder_verdict"].iloc[0] for name, rows in groups.items()})
    counted = [names[name] for name in functionals if name in names]
    found = usable(table, functionals)
    worst_error = _worst_error(table, functionals)
    summary = list(_summary(solves, worst_error, verdicts, found))
    logged = [*_of_solves(solves, worst_error, steps), *summary]
    logged += _errors(table, names, steps, MOST - len({name for name, _, _ in logged}))
    return RunPlan(
        key=ladder_key(model, solver, method),
        # A list shows the beginning of a name: what distinguishes the runs of a model comes first.
        name=f"{solver} {method} {model}",
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
                "verdict": worst(verdicts[[name for name in counted if name in verdicts]]),
                "needed_rtol": found.needed,
                "worst_functional": found.functional,
                "best": "yes" if best else "",
                "status": _status(solves["status"]),
                "not_finite": _not_finite(logged, steps, solves["status"]),
                **{f"verdict.{name}": word for name, word in verdicts.items()},
                COLOUR: colour,
                NOTE: _note(model, solver, method, found, best),
                **provenance,
            },
            length=TAG_LENGTH,
        ),
        readings=readings(logged),
        artifacts=(csv_artifact(table, "table/audit.csv"),),
        data=data,
    )


def _note(model: str, solver: str, method: str, found: Usable, best: bool) -> str:
    setting = f"**{model}, {solver}, {method_name(method)}**"
    if not math.isfinite(found.rtol):
        return f"{setting}: no tolerance makes every gradient right; {found.functional} never is."
    text = f"{setting}: right from rtol {found.needed} on; {found.functional} needs it."
    return f"{text} **The cheapest setting of this model.**" if best else text


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


def _of_solves(
    solves: pd.DataFrame, worst_error: Mapping[float, float], steps: Steps
) -> Iterator[tuple[str, int, Any]]:
    for rtol, row in solves.iterrows():
        step = steps(float(str(rtol)))
        yield "rtol", step, float(str(rtol))
        yield "failed", step, float(row["status"] != "ok")
        yield "worst_error", step, worst_error[float(str(rtol))]
        # The axis of a chart shows an error of 1e-9 as 0, so that charts have digits.
        yield "digits", step, digits_of(worst_error[float(str(rtol))])
        yield "state_digits", step, digits_of(float(row["state_error"]))
        for quantity in PER_SOLVE:
            yield quantity, step, row[quantity]


def digits_of(error: float) -> float:
    """Correct digits; below 0 where the error is above 1, NaN where there is none or no error."""
    return -math.log10(error) if 0.0 < error < math.inf else math.nan


def _errors(
    table: pd.DataFrame, names: Mapping[str, str], steps: Steps, room: int
) -> Iterator[tuple[str, int, Any]]:
    """Errors of as many functionals as there is room for, the main ones first."""
    main = {name for name, family in catalogue("functionals").items() if family.is_main}
    kinds = table.groupby("functional", sort=True)["kind"].first()
    for name in sorted(kinds.index, key=lambda name: kinds[name] not in main)[: max(room, 0)]:
        rows = table[table["functional"] == name]
        for rtol, value in zip(rows["rtol"], rows["error"], strict=True):
            yield f"error/{names[str(name)]}", steps(rtol), value


def _worst_error(table: pd.DataFrame, functionals: list[str]) -> dict[float, float]:
    """By tolerance, the largest error of those functionals; NaN if one is."""
    shown = table[table["functional"].isin(functionals)]
    return {
        float(str(rtol)): float(rows["error"].max(skipna=False))
        for rtol, rows in shown.groupby("rtol", sort=True)
    }


def _summary(
    solves: pd.DataFrame, worst_error: Mapping[float, float], verdicts: pd.Series, found: Usable
) -> Iterator[tuple[str, int, Any]]:
    yield "needed_digits_of_rtol", 0, -math.log10(found.rtol)
    yield "needed_work", 0, found.work
    group, at = COMPARED
    for rtol in solves.index[np.isclose(solves.index, at, rtol=1e-6, atol=0.0)]:
        error = worst_error[float(str(rtol))]
        yield f"{group}/digits", 0, digits_of(error)
        yield f"{group}/seconds", 0, solves.loc[rtol, "seconds"]
        yield f"{group}/steps", 0, solves.loc[rtol, "steps"]
    for word, count in verdict_counts(verdicts).items():
        yield f"functionals_{word}", 0, count
    yield "failed_solves", 0, int((solves["status"] != "ok").sum())


def _status(statuses: pd.Series) -> str:
    """What happened at which tolerances; "ok" if nothing did."""
    bad = statuses[statuses != "ok"]
    if bad.empty:
        return "ok"
    return "; ".join(
        f"{word} at rtol " + ", ".join(map(tolerance, sorted(rows.index, reverse=True)))
        for word, rows in bad.groupby(bad)
    )


def _not_finite(logged: list[tuple[str, int, Any]], steps: Steps, statuses: pd.Series) -> str:
    """What is no number though the solve went well: infinity cannot be plotted."""
    ok = {steps(float(str(rtol))): float(str(rtol)) for rtol in statuses.index[statuses == "ok"]}
    missing: dict[str, list[str]] = {}
    for name, step, value in logged:
        if step in ok and name not in DERIVED and not math.isfinite(value):
            missing.setdefault(name, []).append(tolerance(ok[step]))
    return "; ".join(f"{name} at rtol {', '.join(at)}" for name, at in missing.items())

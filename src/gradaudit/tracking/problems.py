"""Runs of an estimation problem: what is certified, and the error of each setting."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.records.labels import method_name
from gradaudit.records.numbers import rounded_down
from gradaudit.records.usual import METHOD, TODAY, preferred
from gradaudit.tracking.names import Steps, metric_names
from gradaudit.tracking.plan import (
    NOTE,
    PARAM_LENGTH,
    TAG_LENGTH,
    Artifact,
    RunPlan,
    readings,
    texts,
)
from gradaudit.tracking.tables import csv_artifact, markdown_table, tolerance, worst

NOMINAL = "nominal"


def problem_key(model: str) -> str:
    """The key of a problem's run."""
    return f"problem/{model}"


def problem_plans(
    table: pd.DataFrame,
    *,
    model: str,
    steps: Steps,
    provenance: Mapping[str, str],
    artifacts: tuple[Artifact, ...],
) -> Iterator[RunPlan]:
    """The run of a problem, and below it one for each solver and method, and for each tool.

    Parameters
    ----------
    table
        Of stage problem.
    model
        Its key.
    """
    own = table[table["point"] == NOMINAL]
    tried = own[own["rtol"].notna()]  # there is none where the problem cannot be read
    series = [
        (f"{solver} {method}", rows)
        for (solver, method), rows in tried[tried["tool"] == ""].groupby(["solver", "method"])
    ]
    series += [(str(tool), rows) for tool, rows in tried[tried["tool"] != ""].groupby("tool")]
    yield _whole(table, own, series, model, steps, provenance, artifacts)
    for name, rows in series:
        yield _setting(rows, name, model, steps, provenance)


def _whole(
    table: pd.DataFrame,
    own: pd.DataFrame,
    series: list[tuple[str, pd.DataFrame]],
    model: str,
    steps: Steps,
    provenance: Mapping[str, str],
    artifacts: tuple[Artifact, ...],
) -> RunPlan:
    first = own.iloc[0]
    names = metric_names(name for name, _ in series)
    shown = pd.DataFrame(
        [
            {
                "setting": name,
                "rtol": row["rtol"],
                "status": row["status"],
                "error": row["error"],
                "verdict": row["verdict"],
            }
            for name, rows in series
            for row in rows.to_dict("records")
        ]
    )
    error, verdict = _today(own)
    best = _cheapest(own)
    said = (
        f"forward AD at 1e-6 has a relative error of {error:.2g}, {verdict}"
        if math.isfinite(error)
        else "forward AD at 1e-6 has no result"
    )
    return RunPlan(
        key=problem_key(model),
        name=model,
        params=texts(
            {
                "problem": first["problem"],
                "parameters": len(first["parameters"]),
                "measurements": int(first["measurements"]),
                "conditions": int(first["simulated_conditions"]),
                "points": int(table["point"].nunique()),
            },
            length=PARAM_LENGTH,
        ),
        tags=texts(
            {
                "kind": "problem",
                "model": model,
                "verdict": verdict,
                "best": best,
                "status": first["reference_status"],
                NOTE: f"**{first['problem']}**: {said}. Cheapest right setting: {best}. Certified: "
                f"{rounded_down(float(first['digits']))} digits ({first['reference_status']}).\n\n"
                f"{markdown_table(shown)}",
                **provenance,
            },
            length=TAG_LENGTH,
        ),
        readings=readings(
            [
                ("reference_digits", 0, float(first["digits"])),
                ("log_likelihood", 0, float(first["reference_value"])),
                ("gradient_norm", 0, float(np.linalg.norm(first["reference_gradient"]))),
                ("at_1e-6/error", 0, error),
                *(
                    (f"error/{names[name]}", steps(row["rtol"]), row["error"])
                    for name, rows in series
                    for row in rows.to_dict("records")
                ),
            ]
        ),
        artifacts=(*artifacts, csv_artifact(table, "table/problem.csv")),
    )


def _today(own: pd.DataFrame) -> tuple[float, str]:
    """Error and verdict of forward AD at 1e-6, by the solver of least work that has a result."""
    rows = own[(own["method"] == METHOD) & np.isclose(own["rtol"], TODAY, rtol=1e-6)]
    rows = rows[rows["tool"] == ""]
    if not (rows["status"] == "ok").any():
        return math.nan, worst(rows["verdict"])
    row = preferred(rows).iloc[0]
    return float(row["error"]), str(row["verdict"])


def _cheapest(own: pd.DataFrame) -> str:
    """The setting of least work from which on its solver and method is right, in words."""
    rows = own[(own["tool"] == "") & (own["status"] == "ok")]
    rows = rows[np.isclose(rows["rtol"], rows["sufficient_rtol"], rtol=1e-6)]
    if rows.empty:
        return "none"
    row = rows.sort_values("work", kind="stable").iloc[0]
    return f"{row['solver']} {row['method']} at rtol {tolerance(row['rtol'])}"


def _setting(
    rows: pd.DataFrame, name: str, model: str, steps: Steps, provenance: Mapping[str, str]
) -> RunPlan:
    rows = rows.sort_values("rtol", ascending=False)
    first = rows.iloc[0]
    logged: list[tuple[str, int, Any]] = []
    for row in rows.to_dict("records"):
        step = steps(row["rtol"])
        logged += [
            (quantity, step, float(row[quantity]))
            for quantity in ("rtol", "error", "cosine", "steps", "seconds", "work")
        ]
        logged.append(("failed", step, float(row["status"] != "ok")))
    return RunPlan(
        key=f"{problem_key(model)}/{name}",
        name=f"{name} {model}",
        parent=problem_key(model),
        params=texts(
            {"problem": first["problem"], "solver": first["solver"], "method": first["method"],
             "tool": first["tool"]},
            length=PARAM_LENGTH,
        ),
        tags=texts(
            {
                "kind": "problem setting",
                "model": model,
                "solver": first["solver"],
                "method": first["method"],
                "verdict": worst(rows["verdict"]),
                "needed_rtol": tolerance(first["sufficient_rtol"]),
                NOTE: f"**{model}**, {first['tool'] or method_name(first['method'])}: the error of "
                "the gradient of the log-likelihood at the nominal parameters.",
                **provenance,
            },
            length=TAG_LENGTH,
        ),
        readings=readings(logged),
        artifacts=(csv_artifact(rows, "table/setting.csv"),),
    )  # fmt: skip

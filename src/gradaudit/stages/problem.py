"""Stage: the gradient of a log-likelihood by every method and by the defaults of common tools."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.evaluation.verdict import Thresholds
from gradaudit.model.spec import digest_of, key_of
from gradaudit.pipeline.progress import Report, to_stderr
from gradaudit.problem.audit import FOR_EVENTS, audited, by_tools, settings_of, usual_methods
from gradaudit.problem.certificate import from_dataset, unread
from gradaudit.problem.certified import ReferenceGradient
from gradaudit.problem.loading import load_problem
from gradaudit.problem.points import NOMINAL
from gradaudit.records.files import read_dataset, write_table
from gradaudit.records.stage import Output, Stage
from gradaudit.records.tools import chosen

STAGE = Stage(
    about="the gradient of an estimation problem by every method",
    each=("model",),
    problems=True,
    process="solving",
    inputs={"certificate": "certificate"},
    outputs={"output": Output("problem/{model}.parquet", "Parquet table")},
)

USUAL = (1e-3, 1e-6)
"""The relative tolerances at points that were drawn."""


def run(
    *,
    model: str,
    certificate: Path,
    settings: dict[str, Any],
    output: Path,
    report: Report = to_stderr,
) -> None:
    """Write a row for each point, solver, method and tolerance.

    At the nominal parameters every tolerance is tried, at certified points that were drawn those
    of `USUAL`. Rows by the defaults of a tool have its name in the column `tool`, which is empty in
    the others. Beside the columns of `gradaudit.problem.audit_table` the table has the problem, the
    name of its `point`, the numbers of its measurements and conditions, and what is certified:
    `digits`, `reference_status`, `reference_value` and `reference_gradient` (K,), NaN where there
    is none. `parameters` are the names (K,), and `shares` the parts of the error by condition and
    observable, as JSON.

    Parameters
    ----------
    certificate
        netCDF file of stage certificate.
    settings
        ``solvers``, ``methods``, ``tools``, ``tolerances``, ``atol_factor``, ``max_steps``,
        ``verdict``, ``table_s``.
    output
        Parquet table.
    """
    of = {"model": key_of(model), "model_file": digest_of(model)}

    def tell(text: str) -> None:
        report(0.0, f"{of['model']} {text}")

    dataset = read_dataset(certificate)
    if unread(dataset):
        write_table(_unread(of["model"], unread(dataset)), output, stage="problem",
                    settings=settings, **of)  # fmt: skip
        return
    problem, certified = load_problem(model), from_dataset(dataset)
    points = {
        name: own
        for name, own in certified.items()
        if name == NOMINAL or (not isinstance(own, str) and own.status == "ok")
    }
    methods = list(settings["methods"])
    if FOR_EVENTS in usual_methods(problem) and FOR_EVENTS not in methods:
        methods.append(FOR_EVENTS)
    thresholds = Thresholds.from_settings(settings["verdict"])
    most, tools = settings["max_steps"], chosen(settings["tools"])
    seconds = settings["table_s"] / (1.0 + len(points))  # the nominal point has two shares
    tables = []
    for name, own in points.items():
        exact = None if isinstance(own, str) else own
        p = None if name == NOMINAL or exact is None else exact.point
        series = {
            solver: settings_of(
                solver,
                methods,
                settings["tolerances"] if name == NOMINAL else USUAL,
                atol_factor=settings["atol_factor"],
                max_steps=most,
            )
            for solver in settings["solvers"]
        }
        share = seconds * (2.0 if name == NOMINAL else 1.0) / (2.0 if tools else 1.0)
        found = audited(problem, exact, series, thresholds, seconds=share, p=p, tell=tell)
        others = by_tools(
            problem, exact, tools, thresholds, seconds=share, max_steps=most, p=p, tell=tell
        )
        rows = [*found.table.assign(tool="").to_dict("records"), *others.to_dict("records")]
        facts = _facts(problem.parameters.names, name, own)
        tables += [{**row, "shares": shares_of(row), **facts} for row in rows]
    table = pd.DataFrame(tables).drop(columns=["conditions", "observables"])
    table = table.assign(
        model=of["model"],
        problem=of["model"],
        measurements=len(problem.measurements),
        simulated_conditions=len({m.condition for m in problem.measurements}),
    )
    write_table(table, output, stage="problem", settings=settings, **of)


def _unread(model: str, reason: str) -> pd.DataFrame:
    """One row that says why a problem could not be read."""
    row = {name: math.nan for name in ("rtol", "error", "resolution", "work", "value")}
    texts = {"solver": "", "method": "", "tool": "", "status": "refused", "verdict": "unknown"}
    return pd.DataFrame([{
        **row, **texts, "shares": "{}", **_facts((), NOMINAL, reason), "model": model,
        "problem": model, "measurements": 0, "simulated_conditions": 0,
        "sufficient_rtol": math.nan, "cosine": math.nan, "steps": math.nan, "seconds": math.nan,
    }])  # fmt: skip


def _facts(names: tuple[str, ...], point: str, own: ReferenceGradient | str) -> dict[str, Any]:
    """What is certified at a point."""
    known = None if isinstance(own, str) else own
    return {
        "point": point,
        "digits": float(known.digits) if known else 0.0,
        "reference_status": known.status if known else f"refused: {own}",
        "reference_value": known.value if known else np.nan,
        "parameters": list(names),
        "reference_gradient": known.gradient.tolist() if known else [np.nan] * len(names),
    }


def shares_of(row: Mapping[Any, Any]) -> str:
    """The parts of the error of a row by condition and by observable, as JSON."""
    return json.dumps({name: row[name] for name in ("conditions", "observables")})

"""Stage: the gradient of an estimation problem's log-likelihood, certified and by every method."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.evaluation.verdict import Thresholds
from gradaudit.model.spec import digest_of, key_of
from gradaudit.pipeline.progress import Report, to_stderr
from gradaudit.problem.audit import (
    FOR_EVENTS,
    audited,
    certified,
    settings_of,
    usual_methods,
)
from gradaudit.problem.loading import load_problem
from gradaudit.records.files import write_table
from gradaudit.records.stage import Output, Stage

STAGE = Stage(
    about="the gradient of an estimation problem, certified and by every method",
    each=("model",),
    problems=True,
    process="solving",
    outputs={"output": Output("problem/{model}.parquet", "Parquet table")},
)


def run(*, model: str, settings: dict[str, Any], output: Path, report: Report = to_stderr) -> None:
    """Write a row for each solver, method and tolerance, at the nominal parameters.

    Beside the columns of `gradaudit.problem.audit_table` the table has the problem, the numbers of
    its parameters, measurements and conditions, and what is certified: `digits`,
    `reference_status`, `reference_value` and `reference_gradient` (K,), NaN where there is none.
    `parameters` are the names (K,), and `shares` the parts of the error by condition and
    observable, as JSON.

    Parameters
    ----------
    settings
        ``solvers``, ``methods``, ``tolerances``, ``atol_factor``, ``max_steps``, ``verdict``,
        ``certified_digits``, ``certified_s``, ``table_s``.
    output
        Parquet table.
    """
    of = {"model": key_of(model), "model_file": digest_of(model)}

    def tell(text: str) -> None:
        report(0.0, f"{of['model']} {text}")

    problem = load_problem(model)
    exact, reason = certified(
        problem,
        digits=settings["certified_digits"],
        time_limit=settings["certified_s"],
        tell=tell,
    )
    methods = list(settings["methods"])
    if FOR_EVENTS in usual_methods(problem) and FOR_EVENTS not in methods:
        methods.append(FOR_EVENTS)
    chosen = {
        solver: settings_of(
            solver,
            methods,
            settings["tolerances"],
            atol_factor=settings["atol_factor"],
            max_steps=settings["max_steps"],
        )
        for solver in settings["solvers"]
    }
    thresholds = Thresholds.from_settings(settings["verdict"])
    found = audited(problem, exact, chosen, thresholds, seconds=settings["table_s"], tell=tell)
    count = len(problem.parameters)
    facts: dict[str, Any] = {
        "model": of["model"],
        "problem": problem.name,
        "measurements": len(problem.measurements),
        "simulated_conditions": len({m.condition for m in problem.measurements}),
        "digits": float(exact.digits) if exact else 0.0,
        "reference_status": exact.status if exact else f"refused: {reason}",
        "reference_value": exact.value if exact else np.nan,
        "parameters": list(problem.parameters.names),
        "reference_gradient": exact.gradient.tolist() if exact else [np.nan] * count,
    }
    table = pd.DataFrame(
        [{**row, "shares": shares_of(row), **facts} for row in found.table.to_dict("records")]
    ).drop(columns=["conditions", "observables"])
    write_table(table, output, stage="problem", settings=settings, **of)


def shares_of(row: Mapping[Any, Any]) -> str:
    """The parts of the error of a row by condition and by observable, as JSON."""
    return json.dumps({name: row[name] for name in ("conditions", "observables")})

"""Stage: what wrong sensitivities do to the Fisher information of an estimation problem."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.evaluation.information import FisherInformation, information
from gradaudit.evaluation.information_error import information_errors
from gradaudit.model.spec import digest_of, key_of
from gradaudit.pipeline.progress import Report, to_stderr
from gradaudit.problem.certificate import information_from, unread
from gradaudit.problem.definition import Problem
from gradaudit.problem.information_audit import informations
from gradaudit.problem.loading import load_problem
from gradaudit.problem.points import NOMINAL
from gradaudit.problem.usual import usual_settings
from gradaudit.records.files import read_dataset, write_table
from gradaudit.records.stage import Output, Stage
from gradaudit.records.usual import METHOD

STAGE = Stage(
    about="the Fisher information of an estimation problem, certified and by usual settings",
    each=("model",),
    problems=True,
    process="solving",
    inputs={"certificate": "certificate"},
    outputs={"output": Output("fisher/{model}.parquet", "Parquet table")},
)


def run(
    *,
    model: str,
    certificate: Path,
    settings: dict[str, Any],
    output: Path,
    report: Report = to_stderr,
) -> None:
    """Write a row for each solver and usual setting, at the nominal parameters.

    Columns are those of `gradaudit.evaluation.information_error.information_errors`, beside
    `solver`, `method`, `rtol`, `atol`, `status` and `seconds` of the setting. `reference_status`,
    `reference_standard_errors`, `reference_eigenvalues` (K,), `reference_condition` and
    `reference_resolved` are certified, NaN and 0 where they are not. `model`, `problem` and
    the names of the `parameters` (K,) are those of the problem. The table is empty where the
    problem cannot be read.

    Parameters
    ----------
    certificate
        netCDF file of stage certificate.
    settings
        ``solvers``, ``atol_factor``, ``max_steps``, ``table_s``.
    output
        Parquet table.
    """
    of = {"model": key_of(model), "model_file": digest_of(model)}
    certified = read_dataset(certificate)
    if unread(certified):
        write_table(pd.DataFrame(), output, stage="fisher", settings=settings, **of)
        return
    problem = load_problem(model)
    exact = information_from(certified)
    status = str(certified["status"].sel(point_name=NOMINAL).values)
    reason = status if exact is None else exact.status
    known = exact or _unknown(problem, "")
    chosen = [
        setting
        for solver in settings["solvers"]
        for setting in usual_settings(
            problem,
            solver,
            atol_factor=settings["atol_factor"],
            max_steps=settings["max_steps"],
        )
    ]
    # those of one method together, and forward AD first
    chosen.sort(key=lambda own: (settings["solvers"].index(own["solver"]), own["method"] != METHOD))
    found = informations(
        problem,
        chosen,
        seconds=settings["table_s"],
        tell=lambda text: report(0.5, f"{of['model']} {text}"),
    )
    facts: dict[str, Any] = {
        "model": of["model"],
        "problem": of["model"],
        "parameters": list(problem.parameters.names),
        "reference_status": reason,
        "reference_standard_errors": known.standard_errors.tolist(),
        "reference_eigenvalues": known.eigenvalues.tolist(),
        "reference_condition": float(known.condition),
        "reference_resolved": int(known.resolved.sum()),
    }
    table = pd.DataFrame(
        [
            {
                **{name: setting[name] for name in ("solver", "method", "rtol", "atol")},
                "status": status,
                "seconds": taken,
                **information_errors(own or _unknown(problem, status), exact),
                **facts,
            }
            for setting, (own, status, taken) in zip(chosen, found, strict=True)
        ]
    )
    write_table(table, output, stage="fisher", settings=settings, **of)


def _unknown(problem: Problem, reason: str) -> FisherInformation:
    """An information of which nothing is known."""
    names = problem.parameters.names
    nothing = np.full((1, len(names)), np.nan)
    return information(nothing, nothing, names, source="given", reason=reason)

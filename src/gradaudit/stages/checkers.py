"""Stage: what common checkers of gradients say of right and wrong gradients of a log-likelihood."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gradaudit.checked.other_checkers import CHECKERS
from gradaudit.evaluation.gradient_error import norm, ratio
from gradaudit.model.spec import digest_of, key_of
from gradaudit.pipeline.progress import Report, to_stderr
from gradaudit.problem.audit import settings_of
from gradaudit.problem.certificate import from_dataset, unread
from gradaudit.problem.certified import ReferenceGradient
from gradaudit.problem.definition import Problem
from gradaudit.problem.loading import load_problem
from gradaudit.problem.points import NOMINAL
from gradaudit.records.files import read_dataset, write_table
from gradaudit.records.stage import Output, Stage

Array = NDArray[np.float64]

STAGE = Stage(
    about="what common checkers of gradients say of those of a log-likelihood",
    each=("model",),
    models="problems.checked",
    problems=True,
    process="solving",
    inputs={"certificate": "certificate"},
    outputs={"output": Output("checkers/{model}.parquet", "Parquet table")},
)

FUNCTION = 1e-6
"""The relative tolerance of the log-likelihood that the checkers take differences of."""
GRADIENTS = (
    ("forward_ad", 1e-3),
    ("forward_ad", 1e-6),
    ("forward_sensitivity", 1e-3),
    ("forward_sensitivity", 1e-6),
)
SPOILT = 1.1
"""The factor of the largest entry of a gradient that is made wrong."""
LATE = "not_run"


class _LateError(Exception):
    """The time of a checker is over."""


def run(
    *,
    model: str,
    certificate: Path,
    settings: dict[str, Any],
    output: Path,
    report: Report = to_stderr,
) -> None:
    """Write a row for each gradient and checker, at the nominal parameters.

    The gradients are those of `GRADIENTS`, the certified one, and that one with its largest entry
    wrong by a tenth. `error` is relative, against the certified gradient; `outcome` is "passed",
    "failed", "inconclusive", or "not_run" where the time is over. The table is empty where nothing
    is certified, or no solver has a log-likelihood.

    Parameters
    ----------
    certificate
        netCDF file of stage certificate.
    settings
        ``solvers``: the first one with a result is taken; ``atol_factor``, ``max_steps``;
        ``checker_s``, seconds of each checker on each gradient.
    output
        Parquet table.
    """
    of = {"model": key_of(model), "model_file": digest_of(model)}
    dataset, rows = read_dataset(certificate), list[dict[str, Any]]()
    exact = "" if unread(dataset) else from_dataset(dataset)[NOMINAL]
    problem = None if unread(dataset) else load_problem(model)
    if problem is not None and not isinstance(exact, str) and exact.status == "ok":
        for name, gradient, function in _gradients(problem, exact, settings):
            error = ratio(norm(gradient - exact.gradient), norm(exact.gradient))
            for checker, check in CHECKERS.items():
                ends = time.perf_counter() + settings["checker_s"]

                def timed(p: Array, ends: float = ends, function: Any = function) -> float:
                    if time.perf_counter() > ends:
                        raise _LateError
                    return float(function(p))

                outcome = _outcome(check, timed, exact.point, gradient)
                rows.append({
                    "problem": of["model"], "gradient": name, "error": error,
                    "checker": checker, "outcome": outcome,
                })  # fmt: skip
            report(0.5, f"{of['model']} {name}: error {error:.1e}")
    columns = ["problem", "gradient", "error", "checker", "outcome"]
    table = pd.DataFrame(rows, columns=columns).assign(model=of["model"])
    write_table(table, output, stage="checkers", settings=settings, **of)


def _gradients(
    problem: Problem, exact: ReferenceGradient, settings: dict[str, Any]
) -> Iterator[tuple[str, Array, Any]]:
    """Names, gradients (K,), and the log-likelihood as the first solver with a result has it."""

    def of(p: Array | None, method: str, rtol: float, solver: str) -> Any:
        (setting,) = settings_of(
            solver,
            [method],
            [rtol],
            atol_factor=settings["atol_factor"],
            max_steps=settings["max_steps"],
        )
        return problem.gradient(p, **setting)

    for solver in settings["solvers"]:
        if of(None, "forward_ad", FUNCTION, solver).status == "ok":
            break
    else:
        return

    def function(p: Array) -> float:
        return float(of(p, "forward_ad", FUNCTION, solver).value)

    for method, rtol in GRADIENTS:
        found = of(None, method, rtol, solver)
        if found.status == "ok":
            yield f"{solver} {method} {rtol:.0e}", found.gradient, function
    yield "certified", exact.gradient, function
    spoilt = exact.gradient.copy()
    spoilt[np.argmax(np.abs(spoilt))] *= SPOILT
    yield "spoilt", spoilt, function


def _outcome(check: Any, function: Any, p: Array, gradient: Array) -> str:
    try:
        return str(check(function, p, gradient))
    except _LateError:
        return LATE
    except Exception as error:  # of jax or fiddy, which may wrap what the function raises
        return LATE if "_LateError" in repr(error) or "_LateError" in str(error) else "failed"

"""Gradients of a problem by many settings, judged against the certified one."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gradaudit.errors import ModelWarning, ProblemError, SettingError
from gradaudit.evaluation.verdict import Thresholds
from gradaudit.model.source_file import declares_events
from gradaudit.problem.audit_table import audit_table
from gradaudit.problem.certified import ReferenceGradient, reference_with_solves
from gradaudit.problem.definition import Problem
from gradaudit.problem.information import of_simulation
from gradaudit.problem.ladder import ladders
from gradaudit.problem.needed import Metric, widths
from gradaudit.records.tools import Tool
from gradaudit.records.usual import CONTROL, METHOD, TODAY
from gradaudit.sensitivity.external.requirements import missing_packages
from gradaudit.solvers.registry import get_solver

METHODS = (METHOD, CONTROL)
SOLVER = "tsit5"  # of a tool that has one of its own
FOR_EVENTS = "saltation"
STEPS_OF_IMPLICIT = 10  # a step of an implicit solver takes so many times as long, or longer

Tell = Callable[[str], None]


def usual_methods(problem: Problem) -> tuple[str, ...]:
    """Those of `METHODS`, and that for events where the model or a condition may have any."""
    changes = any(own.changes for own in problem.conditions.values())
    return (*METHODS, FOR_EVENTS) if changes or declares_events(problem.sbml) else METHODS


def settings_of(
    solver: str,
    methods: Sequence[str],
    tolerances: Sequence[float],
    *,
    atol_factor: float,
    max_steps: int,
) -> list[dict[str, Any]]:
    """Keywords of `gradaudit.sensitivities`, tolerances of a method in their order.

    An implicit solver may take a tenth of the steps.
    """
    implicit = get_solver(solver).implicit
    most = max(max_steps // STEPS_OF_IMPLICIT, 1) if implicit else max_steps
    return [
        {
            "solver": solver,
            "method": method,
            "rtol": rtol,
            "atol": atol_factor * rtol,
            "max_steps": most,
        }
        for method in methods
        for rtol in tolerances
    ]


def certified_with_metric(
    problem: Problem,
    *,
    digits: float,
    time_limit: float,
    processes: int = 1,
    tell: Tell = lambda text: None,
) -> tuple[ReferenceGradient | None, Metric | None, str]:
    """The certified gradient at the nominal parameters, or None and why there is none.

    Beside it are lengths in standard errors by the information of the same solves, None where that
    is not finite.
    """
    begin = time.perf_counter()
    try:
        exact, found = reference_with_solves(
            problem, digits=digits, time_limit=time_limit, processes=processes
        )
    except ProblemError as error:
        tell(f"reference: refused, {time.perf_counter() - begin:.1f} s")
        return None, None, str(error)
    tell(f"reference: {exact.status}, {time.perf_counter() - begin:.1f} s")
    rows = of_simulation(problem, found).rows
    metric = None
    if np.all(np.isfinite(rows)) and np.all(np.isfinite(exact.gradient)):
        metric = Metric.of(rows, widths(problem.parameters))
    return exact, metric, ""


@dataclass(frozen=True)
class Audited:
    """The table of `gradaudit.problem.audit_table`, how much was left out, and warnings."""

    table: pd.DataFrame
    left_out: int
    warnings: tuple[str, ...]


def audited(
    problem: Problem,
    exact: ReferenceGradient | None,
    settings: Mapping[str, Sequence[Mapping[str, Any]]],
    thresholds: Thresholds,
    *,
    seconds: float,
    p: ArrayLike | None = None,
    tell: Tell = lambda text: None,
) -> Audited:
    """The gradients by the settings of some solvers, by their names.

    Parameters
    ----------
    exact
        The certified gradient at the same point.
    seconds
        For all of them; see `gradaudit.problem.ladder.ladders`.
    p
        The point (K,) on the estimation scale; None: the nominal parameters.
    """
    found: list[Any] = []
    left_out, solved = 0, False
    ends = time.perf_counter() + seconds
    for number, (solver, own) in enumerate(settings.items()):
        begin = time.perf_counter()
        share = (ends - begin) / (len(settings) - number)
        first = min(own, key=lambda s: (s["method"] != METHOD, abs(math.log(s["rtol"] / TODAY))))
        result = ladders(
            problem, own, first=first, seconds=share, p=p, needed=not solved,
            report=lambda text, solver=solver: tell(f"{solver}: {text}"),  # type: ignore[misc]
        )  # fmt: skip
        found += result.gradients
        solved |= any(one.setting == first and one.status == "ok" for one in result.gradients)
        left_out += len(result.left_out)
        taken = time.perf_counter() - begin
        tell(f"{solver}: {len(result.gradients)} gradients, {taken:.1f} s")
    said = dict.fromkeys(text for own in found for text in own.warnings)
    return Audited(audit_table(found, exact, thresholds), left_out, tuple(said))


def by_tools(
    problem: Problem,
    exact: ReferenceGradient | None,
    tools: Sequence[Tool],
    thresholds: Thresholds,
    *,
    seconds: float,
    max_steps: int,
    p: ArrayLike | None = None,
    tell: Tell = lambda text: None,
) -> pd.DataFrame:
    """The gradients by the defaults of common tools: rows as of `audited`, with a column `tool`.

    What is left out, since a package is missing or the time is over, is told.

    Parameters
    ----------
    max_steps
        Where a tool has no limit of its own.
    """
    rows: list[pd.DataFrame] = []
    ends = time.perf_counter() + seconds
    for tool in tools:
        missing = missing_packages(tool.setting["method"])
        if missing:
            tell(f"{tool.name}: left out, {' and '.join(missing)} not installed")
            continue
        left = ends - time.perf_counter()
        if left <= 0.0:
            tell(f"{tool.name}: left out, the time is over")
            continue
        setting = {"solver": SOLVER, "max_steps": max_steps, **tool.setting}
        try:
            found = ladders(problem, [setting], first=setting, seconds=left, p=p, needed=False)
        except SettingError as error:  # of a tool that is not for these observation times
            tell(f"{tool.name}: left out, {error}")
            continue
        if not found.gradients:
            tell(f"{tool.name}: left out, it would take longer than {left:.0f} s")
            continue
        rows.append(audit_table(found.gradients, exact, thresholds).assign(tool=tool.label))
        tell(f"{tool.name}: {found.gradients[0].status.partition(':')[0]}")
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()


def with_warnings(work: Callable[[], Any]) -> tuple[Any, list[str]]:
    """A result, and the warnings of the model on the way, which are not raised."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ModelWarning)
        result = work()
    texts = [str(own.message) for own in caught if issubclass(own.category, ModelWarning)]
    return result, list(dict.fromkeys(texts))

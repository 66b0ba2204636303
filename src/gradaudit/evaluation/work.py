"""The work of a solve, counted: what makes settings comparable without a clock."""

from __future__ import annotations

import math

from gradaudit.records.catalogue import catalogue

IMPLICIT = 100.0
"""Evaluations that one implicit stage is counted with.

Iterations of Newton's method, each with a solve by a factorised matrix, and that matrix, which
takes an evaluation with tangents for each state. Time of a stage of Kvaerno5 over that of Tsit5,
medians over the atlas: 50 (Hodgkin and Huxley), 90 (HIRES), 130 to 400 (two or three states).
"""


def work(*, base_solver: str, method: str, steps: float, parameters: int) -> float:
    """Evaluations of the vector field, those with tangents counted once for each tangent.

    It is an estimate to compare settings by: equal on every machine and in every run, since it
    depends on the number of steps alone. NaN where the steps are not counted, or where a name is
    not known any more.

    Parameters
    ----------
    base_solver, method
        Names of the catalogue.
    steps
        Accepted and rejected ones.
    parameters
        How many derivatives there are.
    """
    how, solver = catalogue("methods").get(method), catalogue("solvers").get(base_solver)
    if how is None or solver is None:
        return math.nan
    stages = how.stages if how.own_solver else solver.stages or solver.order
    factor = 1.0
    if not how.own_solver:
        usual = IMPLICIT if solver.implicit else 1.0
        factor = usual if solver.stage_work is None else solver.stage_work
    constant, each = how.solves
    return float(steps * stages * factor * (constant + each * parameters))

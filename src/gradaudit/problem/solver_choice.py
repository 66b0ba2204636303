"""The solver "auto" of an estimation problem: one for all its conditions and points.

The choice is made at the nominal parameters, so that it depends on no order of calls, and is kept:
a fit pays for it once, and its objective does not change from solver to solver between points.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradaudit.backend.program_cache import identity_cache
from gradaudit.errors import GradauditError
from gradaudit.problem.definition import Problem
from gradaudit.problem.groups import grouped
from gradaudit.problem.preparing import Preparation
from gradaudit.sensitivity.methods import get_method
from gradaudit.sensitivity.request import no_solver_of_its_own
from gradaudit.sensitivity.solver_choice import (
    EVENTS,
    EXPLICIT,
    JUMPS,
    Look,
    judged,
    suitable_solver,
)
from gradaudit.solvers.registry import AUTO

MOST_GROUPS = 8
"""At so many of the conditions, from the first to the last, a look is taken."""

STEADY_SECONDS = 60.0


def with_solver(problem: Problem, setting: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The setting with a solver in place of "auto", and why that; "" where it names one.

    Raises
    ------
    SettingError
        If the method has a solver of its own.
    """
    if setting.get("solver") != AUTO:
        return dict(setting), ""
    no_solver_of_its_own(get_method(setting.get("method", "forward_ad")))
    found = suitable_for(problem)
    return {**setting, "solver": found.solver}, found.why


@identity_cache
def suitable_for(problem: Problem) -> Look:
    """The solver that suits a problem at its nominal parameters, by the sum over conditions.

    A condition that cannot be solved there does not count, and one that stays at a steady state
    has nothing to solve.
    """
    groups = grouped(problem)
    chosen = np.unique(np.linspace(0, len(groups) - 1, MOST_GROUPS).astype(int))
    preparation = Preparation(problem, problem.parameters.nominal_values, derivatives=False)
    looks: list[Look] = []
    left_out: dict[str, None] = {}
    lost = 0
    for group in (groups[index] for index in chosen):
        try:
            prepared = preparation.prepared(group, time_limit=STEADY_SECONDS)
        except GradauditError:
            lost += 1
            continue
        if prepared.resting is not None or not len(prepared.times):
            continue
        model = prepared.translation.model
        looks.append(suitable_solver(model))
        if model.events:
            left_out[JUMPS if model.jumps else EVENTS] = None
    if lost:
        left_out[f"{lost} of {len(chosen)} conditions have no solution and do not count"] = None
    if not looks:
        return Look(EXPLICIT, "; ".join(["nothing to solve", *left_out]), 0, 0.0)
    return judged(
        sum(own.steps for own in looks),
        sum(own.stable_steps for own in looks),
        left_out="; ".join(
            [f"{len(looks)} of {len(groups)} different conditions at the nominal parameters",
             *left_out]
        ),
    )  # fmt: skip

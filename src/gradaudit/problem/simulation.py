"""A problem at one point: certified solves of all conditions, and what their sum is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.problem.definition import Problem
from gradaudit.problem.groups import Group, grouped
from gradaudit.problem.inputs import Inputs
from gradaudit.problem.likelihood import Contribution, Sum, contribution, nothing
from gradaudit.problem.solving import Solver

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """What one group of measurements contributes, and the status of its solve."""

    group: Group
    contributions: tuple[Contribution, ...]
    status: str


@dataclass(frozen=True)
class Simulation:
    """All groups of a problem at one point.

    Attributes
    ----------
    values
        Of the estimated parameters, (K,), not on their scales.
    solver
        What the parts were solved by, with the steady states that it found.
    """

    values: Array
    parts: tuple[Part, ...]
    solver: Solver

    @property
    def by_condition(self) -> dict[str, Sum]:
        """Sums by the id of the condition."""
        found: dict[str, Sum] = {}
        for part in self.parts:
            for own in part.contributions:
                for name, added in own.by_condition.items():
                    found[name] = found.get(name, nothing(len(self.values))) + added
        return found

    @property
    def total(self) -> Sum:
        """The sum of all."""
        return sum(self.by_condition.values(), start=nothing(len(self.values)))

    @property
    def log_likelihood(self) -> float:
        """The log-likelihood."""
        return float(self.total.value)

    def by_row(self, what: str) -> Array:
        """What was simulated, or the residuals, in the order of the measurements, (M,)."""
        count = sum(len(own.rows) for part in self.parts for own in part.contributions)
        found = np.full(count, np.nan)
        for part in self.parts:
            for own in part.contributions:
                found[list(own.rows)] = getattr(own, what)
        return found


def simulate(
    problem: Problem,
    p: ArrayLike | None = None,
    *,
    derivatives: bool = False,
    digits: float = 12.0,
    time_limit: float = 600.0,
) -> Simulation:
    """Solve all conditions at p (K,) on the estimation scale; None: the nominal parameters.

    Parameters
    ----------
    derivatives
        Whether gradients are needed; without them the gradients in the sums mean nothing.
    digits
        To certify of the sensitivities of the model.
    time_limit
        Seconds for all.

    Raises
    ------
    ProblemError
        If `p` is invalid, or a condition cannot be solved at all.
    """
    values = problem.parameters.values(p)
    solver = Solver(problem, values, derivatives)
    started, groups, parts = time.perf_counter(), grouped(problem), []
    for index, group in enumerate(groups):
        left = max(time_limit - (time.perf_counter() - started), 1.0)
        share = min(left, 3.0 * left / (len(groups) - index))
        parts.append(part(solver, group, digits, share))
    return Simulation(values, tuple(parts), solver)


def part(solver: Solver, group: Group, digits: float, time_limit: float) -> Part:
    """One group of a problem, see `simulate`."""
    solved = solver.solve(group, digits=digits, time_limit=time_limit)
    inputs = Inputs(solver.problem, group, solved, solver.values)
    found: list[Any] = []
    for name in dict.fromkeys(m.observable for m in group.measurements):
        own = [m for m in group.measurements if m.observable == name]
        found.append(contribution(inputs, solver.problem.observables[name], own))
    return Part(group, tuple(found), solved.status)

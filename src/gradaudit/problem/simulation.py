"""A problem at one point: certified solves of all conditions, and what their sum is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.certification.memory import Memory
from gradaudit.problem.definition import Problem
from gradaudit.problem.groups import Group, grouped
from gradaudit.problem.inputs import Inputs
from gradaudit.problem.likelihood import Contribution, Sum, contribution, nothing
from gradaudit.problem.preparing import Preparation
from gradaudit.problem.solving import Solved, certified

Array = NDArray[np.float64]

REMEMBERED = 2**30
"""Bytes of solves, of all parts, that are kept to go on from."""


@dataclass(frozen=True)
class Part:
    """What one group of measurements contributes, and the status of its solve.

    Attributes
    ----------
    kept
        Returns the solve itself: of one in another process the model has to be read again for that.
    """

    group: Group
    contributions: tuple[Contribution, ...]
    status: str
    kept: Callable[[], Solved]

    @property
    def solved(self) -> Solved:
        """The solve of the group."""
        return self.kept()


@dataclass(frozen=True)
class Goal:
    """Bounds (K,) that are small enough, on the estimation scale, and d value / d scale, (K,)."""

    bounds: Array
    slopes: Any

    def lacking(self, again: Sum) -> NDArray[np.bool_]:
        """For which parameters (K,) a sum is not precise enough."""
        return np.asarray(~(again.bound * self.slopes <= self.bounds))


@dataclass
class Solves:
    """Certified solves of the groups of a problem at one point, one after another.

    Attributes
    ----------
    values
        Of the estimated parameters, (K,), not on their scales.
    derivatives
        Whether gradients are needed; without them the gradients in the sums mean nothing.
    refines
        Whether groups may be solved again, so that what comes close to its digits will do for now.
    preparation, memories
        The models of the groups with the steady states that were found, and what of their solves
        there is room for.
    """

    problem: Problem
    values: Array
    derivatives: bool
    refines: bool = False

    def __post_init__(self) -> None:
        self.preparation = Preparation(self.problem, self.values, self.derivatives)
        self.groups = grouped(self.problem)
        self.memories = [Memory() for _ in self.groups]

    def first(self, index: int, digits: float, time_limit: float) -> Part:
        """One group, so that it may be solved again if it `refines`; errors as for `simulate`."""
        memory = self.memories[index] if self.refines else None
        found = part(self.preparation, self.groups[index], digits, time_limit, memory=memory)
        if sum(own.size for own in self.memories) > REMEMBERED:
            self.memories[index].clear()
        return found

    def again(self, index: int, goal: Goal, time_limit: float) -> Part:
        """One group more precisely; what was remembered of it is forgotten."""
        memory, group, started = self.memories[index], self.groups[index], time.perf_counter()
        if self.preparation.refine(group, time_limit=time_limit):
            memory.clear()
        left = max(time_limit - (time.perf_counter() - started), 1.0)
        found = part(self.preparation, group, np.inf, left, goal.lacking, memory)
        memory.clear()
        return found

    def every(self, digits: float, time_limit: float) -> tuple[Part, ...]:
        """All groups."""
        started, count = time.perf_counter(), len(self.groups)
        parts = []
        for index in range(count):
            left = max(time_limit - (time.perf_counter() - started), 1.0)
            parts.append(self.first(index, digits, share(left, count - index)))
        return tuple(parts)

    def together(self, pending: Sequence[int]) -> list[int]:
        """Of the groups that are to be solved again, those that can be at the same time."""
        return list(pending[:1])

    def several(self, goals: Mapping[int, Goal], time_limit: float) -> dict[int, Part]:
        """Groups again, side by side."""
        return {index: self.again(index, goal, time_limit) for index, goal in goals.items()}


def share(left: float, waiting: int) -> float:
    """The time of one solve, of what is left for so many."""
    return min(left, 3.0 * left / waiting)


@dataclass(frozen=True)
class Simulation:
    """All groups of a problem at one point.

    Attributes
    ----------
    values
        Of the estimated parameters, (K,), not on their scales.
    preparation
        The models of the parts, and the steady states that were found.
    """

    values: Array
    parts: tuple[Part, ...]
    preparation: Preparation

    @property
    def by_condition(self) -> dict[str, Sum]:
        """Sums by the id of the condition."""
        found: dict[str, Sum] = {}
        for (name, _), added in self.by_observable.items():
            found[name] = found.get(name, nothing(len(self.values))) + added
        return found

    @property
    def by_observable(self) -> dict[tuple[str, str], Sum]:
        """Sums by the ids of condition and observable."""
        found: dict[tuple[str, str], Sum] = {}
        for part in self.parts:
            for own in part.contributions:
                found |= {(name, own.observable): added for name, added in own.by_condition.items()}
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
    solves = Solves(problem, problem.parameters.values(p), derivatives)
    return Simulation(solves.values, solves.every(digits, time_limit), solves.preparation)


def part(
    preparation: Preparation,
    group: Group,
    digits: float,
    time_limit: float,
    lacking: Callable[[Sum], NDArray[np.bool_]] | None = None,
    memory: Memory | None = None,
) -> Part:
    """One group of a problem, see `simulate` and, for sums that are precise enough, `certified`.

    With a memory, what comes close to `digits` will do: it may be refined.
    """
    count = len(preparation.values)

    def lacking_by(solved: Solved) -> NDArray[np.bool_]:
        if lacking is None:
            return np.ones(count, dtype=bool)
        return lacking(total(contributions(preparation, group, solved), count))

    solved = certified(
        preparation,
        group,
        digits=digits,
        time_limit=time_limit,
        lacking=None if memory is None and lacking is None else lacking_by,
        memory=memory,
    )
    return Part(group, contributions(preparation, group, solved), solved.status, lambda: solved)


def total(parts: Sequence[Contribution], count: int) -> Sum:
    """The sum of contributions, with `count` estimated parameters."""
    sums = (own for part in parts for own in part.by_condition.values())
    return sum(sums, start=nothing(count))


def contributions(
    preparation: Preparation, group: Group, solved: Solved
) -> tuple[Contribution, ...]:
    """What each observable of a group contributes by a solve of it."""
    problem = preparation.problem
    inputs = Inputs(problem, group, solved, preparation.values)
    found: list[Any] = []
    for name in dict.fromkeys(m.observable for m in group.measurements):
        own = [m for m in group.measurements if m.observable == name]
        found.append(contribution(inputs, problem.observables[name], own))
    return tuple(found)

"""A problem at one point: certified solves of all conditions, and what their sum is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
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
    """What one group of measurements contributes, the status of its solve, and that itself."""

    group: Group
    contributions: tuple[Contribution, ...]
    status: str
    solved: Solved


@dataclass(frozen=True)
class Simulation:
    """All groups of a problem at one point.

    Attributes
    ----------
    values
        Of the estimated parameters, (K,), not on their scales.
    preparation
        The models of the parts, and the steady states that were found.
    memories
        Of the solves, for as many parts as there is room for.
    """

    values: Array
    parts: tuple[Part, ...]
    preparation: Preparation
    memories: tuple[Memory, ...] = ()

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
    refines: bool = False,
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
    refines
        Whether what comes close to `digits` will do for now.

    Raises
    ------
    ProblemError
        If `p` is invalid, or a condition cannot be solved at all.
    """
    values = problem.parameters.values(p)
    preparation = Preparation(problem, values, derivatives)
    started, groups, parts = time.perf_counter(), grouped(problem), []
    memories = [Memory() for _ in groups]
    for index, group in enumerate(groups):
        left = max(time_limit - (time.perf_counter() - started), 1.0)
        share = min(left, 3.0 * left / (len(groups) - index))
        memory = memories[index] if refines else None
        parts.append(part(preparation, group, digits, share, memory=memory))
        if sum(own.size for own in memories) > REMEMBERED:
            memories[index].clear()
    return Simulation(values, tuple(parts), preparation, tuple(memories))


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
    return Part(group, contributions(preparation, group, solved), solved.status, solved)


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

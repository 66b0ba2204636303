"""Groups of measurements that need one solve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.errors import first_few
from gradaudit.problem.definition import Condition, Measurement, Problem

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """Measurements under conditions that give the model the same values, and so need one solve.

    Attributes
    ----------
    condition
        One of these conditions.
    measurements
        All of them, in the order of the table.
    watched
        The ids of the model that their formulas have.
    """

    condition: Condition
    measurements: tuple[Measurement, ...]
    watched: frozenset[str]

    @property
    def times(self) -> Array:
        """Distinct times, increasing, (T,); infinity, for the steady state, is the last one."""
        return np.unique([measurement.time for measurement in self.measurements])

    @property
    def finite(self) -> Array:
        """The times that are not infinite."""
        times = self.times
        return times[np.isfinite(times)]

    @property
    def rests(self) -> bool:
        """Whether the steady state is measured."""
        return any(math.isinf(measurement.time) for measurement in self.measurements)

    @property
    def label(self) -> str:
        """The names of its conditions, for messages."""
        names = list(dict.fromkeys(m.condition for m in self.measurements))
        return first_few(names)


def grouped(problem: Problem) -> list[Group]:
    """The groups of a problem, in the order of their first measurements."""
    found: dict[Any, list[Measurement]] = {}
    for measurement in problem.measurements:
        key = problem.conditions[measurement.condition].key
        found.setdefault(key, []).append(measurement)
    groups = []
    for measurements in found.values():
        condition = problem.conditions[measurements[0].condition]
        observables = {problem.observables[m.observable] for m in measurements}
        names = {n for o in observables for n in (*o.value.names, *o.noise.names)}
        watched = frozenset(names & problem.model_ids)
        groups.append(Group(condition, tuple(measurements), watched))
    return groups

"""Certified solves of a problem's model under its conditions."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification import reference
from gradaudit.errors import ModelError, ModelWarning, ProblemError, TranslationError
from gradaudit.model.sbml.importer import Translation, translate
from gradaudit.problem.definition import Measurement, Problem, Source
from gradaudit.records.results import Reference

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Group:
    """Measurements under conditions that give the model the same values, and so need one solve.

    Attributes
    ----------
    sources
        What the model takes, by id.
    measurements
        All of them, in the order of the table.
    watched
        The ids of the model that their formulas have.
    """

    sources: Mapping[str, Source]
    measurements: tuple[Measurement, ...]
    watched: frozenset[str]

    @property
    def times(self) -> Array:
        """Distinct times, increasing, (T,)."""
        return np.unique([measurement.time for measurement in self.measurements])

    @property
    def label(self) -> str:
        """The names of its conditions, for messages."""
        names = list(dict.fromkeys(m.condition for m in self.measurements))
        return ", ".join(map(repr, names[:3])) + (f" and {len(names) - 3} more" * (len(names) > 3))


@dataclass(frozen=True)
class Solved:
    """A certified solve of one group.

    Attributes
    ----------
    translation, reference
        The model at these values of the parameters, and its states and sensitivities.
    owners
        For each parameter of the model the position of its estimated parameter, -1 for none.
    """

    translation: Translation
    reference: Reference
    owners: NDArray[np.int64]


def grouped(problem: Problem) -> list[Group]:
    """The groups of a problem, in the order of their first measurements."""
    found: dict[Any, list[Measurement]] = {}
    for measurement in problem.measurements:
        sources = problem.conditions[measurement.condition].model
        found.setdefault(tuple(sorted(sources.items())), []).append(measurement)
    groups = []
    for measurements in found.values():
        condition = problem.conditions[measurements[0].condition]
        observables = {problem.observables[m.observable] for m in measurements}
        names = {n for o in observables for n in (*o.value.names, *o.noise.names)}
        watched = frozenset(names & problem.model_ids)
        groups.append(Group(condition.model, tuple(measurements), watched))
    return groups


def solve(
    problem: Problem,
    group: Group,
    values: Array,
    *,
    digits: float,
    time_limit: float,
    derivatives: bool,
) -> Solved:
    """Solve the model of a group with certificates.

    Parameters
    ----------
    values
        Of the estimated parameters, (K,), not on their scales.
    digits, time_limit
        As for `gradaudit.reference`.
    derivatives
        Whether sensitivities to all estimated parameters are needed, or states alone.

    Raises
    ------
    ProblemError
        If the model cannot be read with these values, or has something that cannot be certified.
    """
    positions = {name: k for k, name in enumerate(problem.parameters.names)}
    sources = group.sources
    numbers = {n: values[positions[s]] if isinstance(s, str) else s for n, s in sources.items()}
    only = {n for n, s in sources.items() if isinstance(s, str)} if derivatives else set()
    times = group.times
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ModelWarning)
            translation = translate(
                problem.sbml,
                t_end=float(times[-1]) or 1.0,
                values=numbers,
                only=only,
                watched=group.watched,
            )
            found = reference(translation.model, times, digits=digits, time_limit=time_limit)
    except (ModelError, TranslationError) as error:
        raise ProblemError(f"under the condition {group.label}: {error}") from error
    names = [name.removesuffix("(0)") for name in translation.model.parameters]
    owner = [sources.get(name) if name in only else None for name in names]
    return Solved(
        translation,
        found,
        np.array([positions[s] if isinstance(s, str) else -1 for s in owner]),
    )

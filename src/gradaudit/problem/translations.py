"""The models of a problem at one point after another, read from its file once.

An optimiser asks for a gradient at hundreds of points, between which nothing changes but the values
of parameters. The model at the next point then has the very functions of the last one, and with
them the programs that were compiled for it.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import jax.numpy as jnp
import numpy as np

from gradaudit.backend.program_cache import identity_cache
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state
from gradaudit.model.sbml.importer import Translation, translate
from gradaudit.model.sbml.selection import of_initial_value
from gradaudit.model.validation import check_moved
from gradaudit.problem.definition import Problem


class Translations:
    """The models of one problem, by what distinguishes them beside the values of parameters."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._read: dict[Hashable, Translation] = {}

    def at(
        self, *, t_end: float, values: Mapping[str, float], only: set[str], options: dict[str, Any]
    ) -> Translation:
        """As `gradaudit.model.sbml.importer.translate` with these values and options."""
        wanted = _moving(values, options, only)
        key = _key(t_end, values, only, options)
        found = None if key is None else self._read.get(key)
        if found is not None:
            moved = _moved(found, wanted)
            if moved is not None:
                return moved
        found = translate(self.problem.sbml, t_end=t_end, values=values, only=only, **options)
        if key is not None and _movable(found.model, wanted):
            self._read[key] = found
        return found


@identity_cache
def translations(problem: Problem) -> Translations:
    """The models of a problem that have been read."""
    return Translations(problem)


def _moving(
    values: Mapping[str, float], options: Mapping[str, Any], only: set[str]
) -> dict[str, float]:
    """The values of parameters, by their ids."""
    return {n: v for n, v in {**values, **options.get("more", {})}.items() if n in only}


def _key(
    t_end: float, values: Mapping[str, float], only: set[str], options: Mapping[str, Any]
) -> Hashable | None:
    """Equal for models that differ in the values of parameters alone; None for what has no key."""
    if options.get("start") is not None or options.get("experiment") is not None or not only:
        return None
    more = options.get("more", {})
    fixed = tuple(sorted((n, v) for n, v in {**values, **more}.items() if n not in only))
    names = tuple(frozenset(own) for own in (values, more, only, options.get("watched", ())))
    return t_end, fixed, names


def _movable(model: Model, wanted: Mapping[str, float]) -> bool:
    """Whether the values of the parameters are all that a model has from them.

    Events at the start, and what an event compares, are decided by the values.
    """
    names = [of_initial_value(name) for name in model.parameters]
    same = all(wanted.get(n) == v for n, v in zip(names, model.nominal, strict=True))
    return same and not model.events


def _moved(found: Translation, wanted: Mapping[str, float]) -> Translation | None:
    """The same model at other values; None where these make it another one."""
    model = found.model
    new = {name: wanted[of_initial_value(name)] for name in model.parameters}
    if any(v.is_integer() != new[name].is_integer() for name, (v, _) in model.parameters.items()):
        return None  # a whole number as an exponent of what is 0 at the start is no parameter
    moved = replace(
        model, parameters={name: (new[name], unit) for name, (_, unit) in model.parameters.items()}
    )
    start = np.asarray(initial_state(moved, jnp.asarray(moved.nominal)))
    before = np.array([value for value, _ in model.states.values()])
    if any(map(float.is_integer, new.values())) and np.any((start > 0.0) != (before > 0.0)):
        return None
    states = zip(model.states.items(), start.tolist(), strict=True)
    if np.all(np.isfinite(start)):
        moved = replace(moved, states={name: (v, unit) for (name, (_, unit)), v in states})
    check_moved(moved, model)
    return Translation(moved, found.layout)

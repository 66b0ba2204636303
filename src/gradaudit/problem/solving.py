"""Certified solves of a problem's model under its conditions."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification import reference
from gradaudit.certification.steady_state import SteadyState, steady_state
from gradaudit.errors import ModelError, ModelWarning, ProblemError, TranslationError
from gradaudit.model.definition import Model
from gradaudit.model.sbml.experiment import Experiment, uses_time
from gradaudit.model.sbml.importer import Translation, translate
from gradaudit.problem.definition import Condition, Problem, Source
from gradaudit.problem.formulas import TIME, Expression
from gradaudit.problem.groups import Group
from gradaudit.problem.infix import infix
from gradaudit.problem.rest import Rest, begins_with, carriers
from gradaudit.records.results import Extended

Array = NDArray[np.float64]

BEYOND = 1.0625
"""Times the last measurement: the end of a window with changes, so that none is at its end."""


@dataclass(frozen=True)
class Solved:
    """A certified solve of one group.

    Attributes
    ----------
    translation
        The model at these values of the parameters.
    times, found
        The times of the group, (T,), the last one perhaps infinite, and states and sensitivities.
    status
        "ok", or what is not certified.
    owners
        For each parameter of the model the position of its estimated parameter, -1 for none.
    """

    translation: Translation
    times: Array
    found: Extended
    status: str
    owners: NDArray[np.int64]


@dataclass
class Solver:
    """Solves the groups of a problem at one point; steady states are found once.

    Attributes
    ----------
    values
        Of the estimated parameters, (K,), not on their scales.
    derivatives
        Whether sensitivities to all estimated parameters are needed, or states alone.
    """

    problem: Problem
    values: Array
    derivatives: bool = True
    rests: dict[Any, Rest] = field(default_factory=dict)

    def solve(self, group: Group, *, digits: float, time_limit: float) -> Solved:
        """Solve the model of a group with certificates.

        Parameters
        ----------
        digits, time_limit
            As for `gradaudit.reference`.

        Raises
        ------
        ProblemError
            If the model cannot be read with these values, has no steady state where one is needed,
            or has something that cannot be certified.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ModelWarning)
                return self._solve(group, digits, time_limit)
        except (ModelError, TranslationError) as error:
            raise ProblemError(f"under the condition {group.label}: {error}") from error

    def _solve(self, group: Group, digits: float, time_limit: float) -> Solved:
        started, condition = time.perf_counter(), group.condition
        finite, sources = group.finite - condition.start, condition.model
        end = float(finite[-1]) if len(finite) and finite[-1] > 0.0 else 1.0
        changes = [(at - condition.start, own) for at, own in condition.changes]
        changes = [change for change in changes if group.rests or change[0] <= end]
        if changes:
            end *= BEYOND
        timed = any(TIME in formula.names for formula in condition.formulas)
        if condition.start != 0.0 and (timed or uses_time(self.problem.sbml)):
            raise ModelError(
                f"the simulation begins at {condition.start:g} and the time is in formulas of the "
                "model or of a condition, which is supported for a beginning at 0 only."
            )
        more, names = self._sources(condition, condition.initial, *(own for _, own in changes))
        names |= {name: s for name, s in sources.items() if isinstance(s, str)}
        options: dict[str, Any] = {"watched": set(group.watched), "more": more}
        options["experiment"] = _experiment(condition.initial, changes)
        if condition.before is not None:
            stays = condition.rests and not (timed or uses_time(self.problem.sbml))
            rest = self._rest(group, end, time_limit, group.watched if stays else frozenset())
            if stays and not condition.resets & set(rest.translation.layout.system.states):
                return self._resting(group, rest)
            if not rest.steady.precise:
                raise ModelError(
                    "an event happens in pre-equilibration, and the steady state behind it is not "
                    "known precisely enough to begin a certified simulation with it."
                )
            carried = carriers(rest, names, {*self.problem.model_ids, *more})
            added = {own: name for name, own in carried.items() if own not in names}
            names |= added
            options["more"] |= {own: self._number(name) for own, name in added.items()}
            options["watched"] |= set(carried.values())
            options["start"] = begins_with(rest, carried, condition.resets)
        translation = self._translated(sources, names, end, options)
        left = max(time_limit - (time.perf_counter() - started), 1.0)
        parts: list[Extended] = []
        status = "ok"
        if len(finite):
            result = reference(translation.model, finite, digits=digits, time_limit=left)
            assert result.extended is not None
            parts.append(result.extended)
            status = result.status
        if group.rests:
            left = max(time_limit - (time.perf_counter() - started), 1.0)
            parts.append(_extended(self._steady(translation.model, names, left)))
        return Solved(
            translation,
            group.times,
            Extended(
                **{
                    part: np.concatenate([getattr(own, part) for own in parts])
                    for part in Extended.__dataclass_fields__
                }
            ),
            status,
            self._owners(translation.model, names),
        )

    def _resting(self, group: Group, rest: Rest) -> Solved:
        """A simulation that stays at the steady state with which it begins."""
        row, count = _extended(rest.steady), len(group.times)
        repeated = {
            part: np.repeat(getattr(row, part), count, axis=0)
            for part in Extended.__dataclass_fields__
        }
        positions = {name: k for k, name in enumerate(self.problem.parameters.names)}
        owners = [-1 if name is None else positions[name] for name in rest.parameters]
        found = Extended(**repeated)
        return Solved(rest.translation, group.times, found, "ok", np.array(owners))

    def _rest(self, group: Group, end: float, time_limit: float, watched: frozenset[str]) -> Rest:
        """The steady state before a group; `watched` are ids whose values are asked for."""
        condition = group.condition
        sources, initial = condition.before or {}, condition.initial_before
        more, names = self._sources(condition, initial)
        key = (
            tuple(sorted(sources.items())),
            tuple(sorted(more.items())),
            tuple(initial.items()),
            watched,
        )
        if key not in self.rests:
            names |= {name: s for name, s in sources.items() if isinstance(s, str)}
            options = {
                "more": more, "experiment": _experiment(initial, []), "watched": watched
            }  # fmt: skip
            translation = self._translated(sources, names, end, options)
            try:
                steady = self._steady(translation.model, names, time_limit)
            except (ModelError, TranslationError) as error:
                raise ProblemError(
                    f"pre-equilibration of the condition {group.label}: {error}"
                ) from error
            acting = self._acting(translation.model, names)
            self.rests[key] = Rest(translation, steady, acting)
        return self.rests[key]

    def _steady(self, model: Model, names: Mapping[str, str], time_limit: float) -> SteadyState:
        """A steady state; with derivatives, if an estimated parameter acts in the model."""
        needed = self.derivatives and bool(names)
        return steady_state(model, time_limit=time_limit, derivatives=needed)

    def _sources(
        self, condition: Condition, *formulas: Mapping[str, Expression]
    ) -> tuple[dict[str, float], dict[str, str]]:
        """Numbers of what formulas have and the model has not, and estimated ones among them."""
        used = {n for own in formulas for formula in own.values() for n in formula.names}
        own = {n: condition.other[n] for n in sorted(used - self.problem.model_ids) if n != TIME}
        estimated = {name: source for name, source in own.items() if isinstance(source, str)}
        return {name: self._number(source) for name, source in own.items()}, estimated

    def _translated(
        self, sources: Mapping[str, Source], names: Mapping[str, str], end: float, options: Any
    ) -> Translation:
        return translate(
            self.problem.sbml,
            t_end=end,
            values={n: self._number(s) for n, s in sources.items()},
            only=set(names) if self.derivatives else set(),
            **options,
        )

    def _number(self, source: Source) -> float:
        if isinstance(source, str):
            return float(self.values[self.problem.parameters.names.index(source)])
        return source

    def _acting(self, model: Model, names: Mapping[str, str]) -> tuple[str | None, ...]:
        """The estimated parameter of each parameter of a model."""
        found = [names.get(name.removesuffix("(0)")) for name in model.parameters]
        return tuple(found) if self.derivatives else tuple(None for _ in found)

    def _owners(self, model: Model, names: Mapping[str, str]) -> NDArray[np.int64]:
        positions = {name: k for k, name in enumerate(self.problem.parameters.names)}
        acting = self._acting(model, names)
        return np.array([-1 if name is None else positions[name] for name in acting])


def _experiment(
    initial: Mapping[str, Expression], changes: Sequence[tuple[float, Mapping[str, Expression]]]
) -> Experiment | None:
    """What is written into the model, None for nothing."""
    if not initial and not changes:
        return None

    def texts(formulas: Mapping[str, Expression]) -> dict[str, str]:
        return {name: infix(formula) for name, formula in formulas.items()}

    return Experiment(texts(initial), tuple((time, texts(own)) for time, own in changes))


def _extended(steady: SteadyState) -> Extended:
    """A steady state as the row of a time."""
    return Extended(
        states=steady.states[None],
        sensitivities=steady.sensitivities[None],
        state_bounds=steady.state_bounds[None],
        sensitivity_bounds=steady.sensitivity_bounds[None],
    )

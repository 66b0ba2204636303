"""The model of a problem under a condition, ready to be solved by whatever solver."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.extended import repeated
from gradaudit.certification.steady_state import SteadyState, steady_state
from gradaudit.errors import ModelError, ModelWarning, ProblemError, TranslationError
from gradaudit.model.definition import Model
from gradaudit.model.sbml.experiment import Experiment, uses_time
from gradaudit.model.sbml.importer import Translation
from gradaudit.model.sbml.selection import of_initial_value
from gradaudit.problem.definition import Condition, Problem, Source
from gradaudit.problem.formulas import TIME, Expression
from gradaudit.problem.groups import Group
from gradaudit.problem.infix import infix
from gradaudit.problem.rest import Rest, begins_with, carriers
from gradaudit.problem.translations import translations
from gradaudit.records.results import Extended

Array = NDArray[np.float64]

BEYOND = 1.0625
"""Times the last measurement: the end of a window with changes, so that none is at its end."""


@dataclass(frozen=True)
class Prepared:
    """The model of one group of measurements.

    Attributes
    ----------
    translation
        The model at the values of the parameters.
    times
        The finite times of the group since the beginning of the simulation, (T,).
    owners
        For each parameter of the model the position of its estimated parameter, -1 for none.
    resting
        States and sensitivities at all times of the group, where the simulation stays at the steady
        state with which it begins; there is nothing to solve then.
    coarse
        Whether it begins at a steady state that is not known in quad precision.
    """

    translation: Translation
    times: Array
    owners: NDArray[np.int64]
    resting: Extended | None = None
    coarse: bool = False


@dataclass
class Preparation:
    """Models of the groups of a problem at one point; each is read once, as is a steady state.

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
    found: dict[int, tuple[Group, Prepared]] = field(default_factory=dict)
    limits: dict[int, SteadyState] = field(default_factory=dict)
    refined: set[int] = field(default_factory=set)

    def prepared(self, group: Group, *, time_limit: float) -> Prepared:
        """The model of a group.

        Parameters
        ----------
        time_limit
            Seconds for a steady state before the simulation.

        Raises
        ------
        ProblemError
            If the model cannot be read with these values, or has no steady state where one is
            needed.
        """
        if id(group) not in self.found:  # the group is kept, so that its identity stays its own
            with told_of(group):
                self.found[id(group)] = group, self._prepare(group, time_limit)
        return self.found[id(group)][1]

    def limit(self, group: Group, *, time_limit: float) -> Extended:
        """The certified steady state behind a simulation, as a row; errors as for `prepared`."""
        if id(group) not in self.limits:
            prepared = self.prepared(group, time_limit=time_limit)
            with told_of(group):
                acts = bool(np.any(prepared.owners >= 0))
                self.limits[id(group)] = self._steady(prepared.translation.model, acts, time_limit)
        return self.limits[id(group)].row

    def refine(self, group: Group, *, time_limit: float) -> bool:
        """Find the steady states of a prepared group in quad precision, where that is possible.

        Returns whether its simulation begins with other numbers.
        """
        own = id(group)
        if own in self.refined:
            return False
        self.refined.add(own)
        if own in self.limits:
            self.limits[own] = self.limits[own].finer() or self.limits[own]
        if not self.found[own][1].coarse:
            return False
        del self.found[own]
        return not self.prepared(group, time_limit=time_limit).coarse

    def _prepare(self, group: Group, time_limit: float) -> Prepared:
        condition = group.condition
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
        coarse = False
        if condition.before is not None:
            stays = condition.rests and not (timed or uses_time(self.problem.sbml))
            rest = self._rest(group, end, time_limit, group.watched if stays else frozenset())
            if stays and not condition.resets & set(rest.translation.layout.system.states):
                return self._resting(group, finite, rest)
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
            coarse = rest.steady.row.quad is None
        translation = self._translated(sources, names, end, options)
        owners = self._owners(translation.model, names)
        return Prepared(translation, finite, owners, coarse=coarse)

    def _resting(self, group: Group, finite: Array, rest: Rest) -> Prepared:
        """A simulation that stays at the steady state with which it begins."""
        staying = repeated(rest.steady.row, len(group.times))
        positions = {name: k for k, name in enumerate(self.problem.parameters.names)}
        owners = [-1 if name is None else positions[name] for name in rest.parameters]
        coarse = staying.quad is None
        return Prepared(rest.translation, finite, np.array(owners), staying, coarse)

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
                steady = self._steady(translation.model, bool(names), time_limit)
            except (ModelError, TranslationError) as error:
                raise ProblemError(
                    f"pre-equilibration of the condition {group.label}: {error}"
                ) from error
            acting = self._acting(translation.model, names)
            self.rests[key] = Rest(translation, steady, acting)
        rest = self.rests[key]
        if id(group) in self.refined and rest.steady.row.quad is None:
            rest = replace(rest, steady=rest.steady.finer() or rest.steady)
            self.rests[key] = rest
        return rest

    def _steady(self, model: Model, acts: bool, time_limit: float) -> SteadyState:
        """A steady state; with derivatives, if an estimated parameter acts in the model."""
        needed = self.derivatives and acts
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
        return translations(self.problem).at(
            t_end=end,
            values={n: self._number(s) for n, s in sources.items()},
            only=set(names) if self.derivatives else set(),
            options=options,
        )

    def _number(self, source: Source) -> float:
        if isinstance(source, str):
            return float(self.values[self.problem.parameters.names.index(source)])
        return source

    def _acting(self, model: Model, names: Mapping[str, str]) -> tuple[str | None, ...]:
        """The estimated parameter of each parameter of a model."""
        found = [names.get(of_initial_value(name)) for name in model.parameters]
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


@contextmanager
def told_of(group: Group, *, quiet: bool = True) -> Iterator[None]:
    """Errors of a model name the condition; warnings of it are left out if `quiet`."""
    try:
        with warnings.catch_warnings():
            if quiet:
                warnings.simplefilter("ignore", ModelWarning)
            yield
    except (ModelError, TranslationError) as error:
        raise ProblemError(f"under the condition {group.label}: {error}") from error

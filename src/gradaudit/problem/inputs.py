"""What the formulas of observables take: values, derivatives, and bounds of their errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradaudit.certification.heyoka.precision import LONG_DOUBLE, QUAD, Precision
from gradaudit.problem.definition import Measurement, Problem, Source
from gradaudit.problem.formulas import TIME
from gradaudit.problem.groups import Group
from gradaudit.problem.rule_kinks import doubtful
from gradaudit.problem.rule_values import (
    DOUBLE_ROUNDING,
    in_double,
    in_more,
    rounded,
    rule_functions,
)
from gradaudit.problem.solving import Solved


@dataclass(frozen=True)
class Column:
    """One input of R measurements.

    Attributes
    ----------
    value, derivative
        (R,) and, with respect to the K estimated parameters, (R, K).
    bound, derivative_bound
        Bounds of their absolute errors, of the same shapes.
    doubtful
        Whether it has a kink or a jump there, (R,); None where it has none.
    quad
        Value and derivative in quad precision, which the bounds are for then; None where the others
        are exact, or the best there is.
    """

    value: Any
    derivative: Any
    bound: Any
    derivative_bound: Any
    doubtful: Any = None
    quad: tuple[Any, Any] | None = None

    def at(self, rows: Any) -> Column:
        """Some of its rows."""
        return Column(
            self.value[rows],
            self.derivative[rows],
            self.bound[rows],
            self.derivative_bound[rows],
            None if self.doubtful is None else self.doubtful[rows],
            None if self.quad is None else (self.quad[0][rows], self.quad[1][rows]),
        )


@dataclass
class Inputs:
    """The inputs of the formulas that a group of measurements needs.

    Attributes
    ----------
    values
        Of the K estimated parameters, (K,), not on their scales.
    """

    problem: Problem
    group: Group
    solved: Solved
    values: Any

    def __post_init__(self) -> None:
        self.found = self.solved.found
        self.quad = self.found.quad if self.solved.bounded else None
        self.bounds = self.quad or self.found
        self.system = self.solved.translation.layout.system
        self.plain = {
            n: i for i, n in enumerate(self.system.states) if n not in self.system.amounts
        }
        self.positions = {name: k for k, name in enumerate(self.problem.parameters.names)}
        rules = sorted(n for n in self.group.watched if self._is_rule(n))
        self.rules = dict(zip(rules, self._rules(rules), strict=True)) if rules else {}

    @property
    def in_long_double(self) -> Inputs:
        """The same without what is in quad precision."""
        found = replace(self.found, quad=None)
        return replace(self, solved=replace(self.solved, found=found))

    def _is_rule(self, name: str) -> bool:
        if name in self.plain:
            return False
        return name in self.system.varying or name not in self.group.condition.model

    def column(self, name: str, measurements: Sequence[Measurement]) -> Column:
        """The input of that name for each of the measurements."""
        found = self.found
        rows = np.searchsorted(self.solved.times, [m.time for m in measurements])
        if name in self.group.watched and name in self.plain:
            i = self.plain[name]
            quad = None
            if self.quad is not None:
                slopes = self.quad.sensitivities[rows, i]
                quad = self.quad.states[rows, i], self._spread(slopes, QUAD)
            return Column(
                found.states[rows, i],
                self._spread(found.sensitivities[rows, i]),
                self.bounds.state_bounds[rows, i],
                np.abs(self._spread(self.bounds.sensitivity_bounds[rows, i])),
                quad=quad,
            )
        if name in self.rules:
            return self.rules[name].at(rows)
        return self._sourced([self._source(name, m) for m in measurements])

    def _source(self, name: str, measurement: Measurement) -> Source:
        other = self.problem.conditions[measurement.condition].other
        for sources in (measurement.overrides, self.group.condition.model, other):
            if name in sources:
                return sources[name]
        assert name == TIME
        return measurement.time

    def _sourced(self, sources: list[Source]) -> Column:
        """Numbers and estimated parameters, which are exact."""
        value = np.zeros(len(sources), np.longdouble)
        derivative = np.zeros((len(sources), len(self.values)), np.longdouble)
        for row, source in enumerate(sources):
            if isinstance(source, str):
                value[row] = self.values[self.positions[source]]
                derivative[row, self.positions[source]] = 1
            else:
                value[row] = source
        return Column(value, derivative, np.zeros(value.shape), np.zeros(derivative.shape))

    def _spread(self, by_model: Any, precision: Precision = LONG_DOUBLE) -> Any:
        """From parameters of the model (..., m) to estimated parameters (..., K)."""
        found = precision.array(np.zeros((*by_model.shape[:-1], len(self.values))))
        for j, k in enumerate(self.solved.owners):
            if k >= 0:
                found[..., k] += by_model[..., j]
        return found

    def _rules(self, names: list[str]) -> list[Column]:
        """What follows from states and parameters by the model, at the T times."""
        found, bounds, translation = self.found, self.bounds, self.solved.translation
        times, which = self.solved.times, tuple(names)
        n, p = translation.model.n, translation.model.nominal
        unit = np.broadcast_to(np.eye(len(p)), (len(times), len(p), len(p)))
        tiled = np.tile(p, (len(times), 1))
        z = np.concatenate([found.states, tiled], axis=1)
        plain = z.astype(np.float64)
        functions = rule_functions(translation, which)
        direction = np.concatenate([found.sensitivities, unit], axis=1)
        wrong = np.concatenate([bounds.state_bounds, np.zeros_like(tiled)], axis=1)
        acting = direction[:, :, self.solved.owners >= 0]
        unsure = wrong + DOUBLE_ROUNDING * np.abs(z)
        switches = doubtful(functions[:2], plain, times, (acting, unsure))
        quads: list[Any] = [None for _ in names]
        if not self.solved.bounded:
            own = in_double(translation, which, plain, times)
        elif self.quad is None:
            own = in_more(translation, which, z, times)
        else:
            exactly = np.concatenate([self.quad.states, QUAD.array(tiled)], axis=1)
            exact = in_more(translation, which, exactly, times)
            directions = np.concatenate([self.quad.sensitivities, QUAD.array(unit)], axis=1)
            slopes = self._spread((exact.slope[..., None] * directions[:, None]).sum(axis=2), QUAD)
            quads = [(exact.value[:, a], slopes[:, a]) for a in range(len(names))]
            own = rounded(exact)
        derivative = np.einsum("taz,tzj->taj", own.slope, direction)
        bound = np.zeros(own.value.shape)
        derivative_bound = np.zeros(derivative.shape)
        if self.solved.bounded:
            curvature = np.asarray(functions[2](plain, times))
            turned = np.einsum("tazw,twj->tazj", curvature, direction)
            bound = (
                product_of_sizes("taz,tz->ta", own.slope, wrong)
                + own.rounding * (product_of_sizes("taz,tz->ta", own.slope, z) + np.abs(own.value))
                + own.value_off
            )
            derivative_bound = (
                product_of_sizes("taz,tzj->taj", own.slope[..., :n], bounds.sensitivity_bounds)
                + product_of_sizes("tazj,tz->taj", turned, wrong)
                + own.rounding[..., None]
                * (
                    product_of_sizes("tazj,tz->taj", turned, z)
                    + product_of_sizes("taz,tzj->taj", own.slope, direction)
                )
                + product_of_sizes("taz,tzj->taj", own.slope_off, direction)
            )
        return [
            Column(
                own.value[:, a].astype(np.longdouble),
                self._spread(derivative[:, a]),
                bound[:, a],
                self._spread(derivative_bound[:, a]),
                switches[:, a],
                quads[a],
            )
            for a in range(len(names))
        ]


def product_of_sizes(axes: str, a: Any, b: Any) -> Any:
    """A sum of products of absolute values, in which nothing times infinity is nothing."""
    a, b = np.abs(a), np.abs(b)
    endless = np.einsum(axes, (a > 0.0).astype(float), np.isinf(b).astype(float)) > 0.0
    endless |= np.einsum(axes, np.isinf(a).astype(float), (b > 0.0).astype(float)) > 0.0
    a, b = (np.where(np.isinf(part), 0.0, part) for part in (a, b))
    return np.where(endless, np.inf, np.einsum(axes, a, b))

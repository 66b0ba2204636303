"""What an estimation problem is: parameters on their scales, measurements, what acts in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.errors import ProblemError, first_few
from gradaudit.problem.formulas import Expression
from gradaudit.problem.priors import Density, Prior
from gradaudit.problem.scales import scaled, slope, unscaled

if TYPE_CHECKING:
    from gradaudit.problem.gradient import Gradient

Array = NDArray[np.float64]
Source = float | str
"""A number, or the id of an estimated parameter."""


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The estimated parameters, K of them, in the order of the problem's table.

    Attributes
    ----------
    names, scales
        Ids, and "lin", "log" or "log10".
    nominal, lower, upper
        Nominal values and bounds on the estimation scale, (K,); bounds that are missing are
        infinite.
    nominal_values
        Nominal values as the table has them, (K,), without rounding of a scale.
    """

    names: tuple[str, ...]
    scales: tuple[str, ...]
    nominal: Array
    lower: Array
    upper: Array
    nominal_values: Array

    def __len__(self) -> int:
        return len(self.names)

    def values(self, p: ArrayLike | None) -> Array:
        """Values that are not on the scale, (K,), at p on the estimation scale; None: nominal.

        Raises
        ------
        ProblemError
            If p has another length or is not finite, or a value is not; if it is no array.
        """
        if p is None:
            return self.nominal_values
        try:
            given = np.atleast_1d(np.asarray(p, dtype=np.float64))
        except (TypeError, ValueError):
            raise ProblemError(
                f"p is a {type(p).__name__} that is no array of numbers; it must be {len(self)} "
                f"finite numbers on the estimation scale, of {first_few(self.names, quoted=False)}."
            ) from None
        if given.shape != (len(self),) or not np.all(np.isfinite(given)):
            raise ProblemError(
                f"p has the shape {given.shape}; it must be {len(self)} finite numbers on the "
                f"estimation scale, of {first_few(self.names, quoted=False)}."
            )
        found = np.array([unscaled(v, s) for v, s in zip(given, self.scales, strict=True)])
        if not np.all(np.isfinite(found)):
            name = self.names[int(np.argmin(np.isfinite(found)))]
            raise ProblemError(f"the parameter {name!r} is not finite at this p.")
        return found

    def slopes(self, values: Array) -> Any:
        """d value / d p, (K,), in extended precision."""
        return np.array([slope(v, s) for v, s in zip(values, self.scales, strict=True)])


def parameters(rows: Sequence[tuple[str, str, float, float, float]]) -> Parameters:
    """From (name, scale, nominal value, lower and upper bound), none of them on the scale."""
    columns = list(zip(*rows, strict=True))
    scales = columns[1]

    def on_scale(numbers: Sequence[float], missing: float) -> Array:
        found = np.array([scaled(v, s) for v, s in zip(numbers, scales, strict=True)])
        return np.where(np.isnan(found), missing, found)

    return Parameters(
        names=tuple(columns[0]),
        scales=tuple(scales),
        nominal=on_scale(columns[2], np.nan),
        lower=on_scale(columns[3], -np.inf),
        upper=on_scale(columns[4], np.inf),
        nominal_values=np.array(columns[2], dtype=np.float64),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Observable:
    """What is measured, and how its noise is distributed.

    Attributes
    ----------
    name, scale, distribution
        Id; "lin", "log" or "log10"; "normal" or "laplace".
    value, noise
        Formulas of ids of the model, of parameters, of the time and of placeholders.
    """

    name: str
    scale: str
    distribution: str
    value: Expression
    noise: Expression


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One measured value; `row` counts the rows of the table from 0.

    The time is infinite where the steady state is measured.

    ``overrides`` are the sources of the placeholders of its observable.
    """

    row: int
    observable: str
    condition: str
    time: float
    value: float
    overrides: dict[str, Source]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """The sources of ids under a condition.

    Attributes
    ----------
    model, other
        Of the ids of the model, and of those that are in formulas only.
    before
        Those of the model in pre-equilibration; None where there is none.
    resets
        States that the condition sets, and that a steady state before it does not replace.
    start
        The time at which the simulation begins.
    initial, initial_before
        Formulas for initial values, of the simulation and of pre-equilibration, by id.
    changes
        Later times, and formulas for new values there.
    """

    name: str
    model: dict[str, Source]
    other: dict[str, Source]
    before: dict[str, Source] | None = None
    resets: frozenset[str] = frozenset()
    start: float = 0.0
    initial: Mapping[str, Expression] = field(default_factory=dict)
    initial_before: Mapping[str, Expression] = field(default_factory=dict)
    changes: tuple[tuple[float, Mapping[str, Expression]], ...] = ()

    @property
    def key(self) -> Any:
        """What is the same in all conditions that need the same solve."""
        rests = self.before is not None
        needed = {n for e in self.formulas for n in e.names}
        return (
            _items(self.model),
            _items({n: s for n, s in self.other.items() if n in needed}),
            self.start,
            _items(self.initial),
            tuple((time, _items(formulas)) for time, formulas in self.changes),
            (_items(self.before or {}), _items(self.initial_before), self.resets) * rests,
        )

    @property
    def rests(self) -> bool:
        """Whether the simulation changes nothing of the pre-equilibration before it."""
        same = self.before == self.model and dict(self.initial) == dict(self.initial_before)
        return same and not self.changes

    @property
    def formulas(self) -> tuple[Expression, ...]:
        """All of them."""
        later = [formula for _, formulas in self.changes for formula in formulas.values()]
        return (*self.initial.values(), *self.initial_before.values(), *later)


def _items(entries: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(entries.items(), key=lambda item: item[0]))


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An estimation problem over a model in SBML.

    Attributes
    ----------
    name, path, sbml
        Its name, its YAML file, its model.
    parameters
        The estimated parameters.
    observables, conditions
        By id.
    measurements
        In the order of the table.
    model_ids
        The ids of all quantities of the model.
    priors
        Objective priors by the ids of their parameters; the log-likelihood does not contain them.
    """

    name: str
    path: Path
    sbml: Path
    parameters: Parameters
    observables: dict[str, Observable]
    conditions: dict[str, Condition]
    measurements: tuple[Measurement, ...]
    model_ids: frozenset[str]
    priors: Mapping[str, Prior] = field(default_factory=dict)

    def log_likelihood(self, p: ArrayLike | None = None, *, time_limit: float = 600.0) -> float:
        """The log-likelihood at p (K,) on the estimation scale, by certified states.

        It is a density of the measured values, without priors. NaN where a solve has no result, or
        the likelihood does not exist.

        Parameters
        ----------
        p
            None: the nominal parameters.
        time_limit
            Seconds for all conditions.

        Raises
        ------
        ProblemError
            If `p` is invalid.
        """
        from gradaudit.problem.simulation import simulate

        return simulate(self, p, time_limit=time_limit).log_likelihood

    def simulate(self, p: ArrayLike | None = None, *, time_limit: float = 600.0) -> Array:
        """What the observables are by certified states, (M,), in the order of the measurements.

        They are not on the scale of the observable; p and errors are as for `log_likelihood`.
        """
        from gradaudit.problem.simulation import simulate

        return simulate(self, p, time_limit=time_limit).by_row("simulated")

    def chi_square(self, p: ArrayLike | None = None, *, time_limit: float = 600.0) -> float:
        """The sum of squares of (measured - simulated) / noise, on the scales of the observables.

        p and errors are as for `log_likelihood`.
        """
        from gradaudit.problem.simulation import simulate

        return float(np.sum(simulate(self, p, time_limit=time_limit).by_row("residuals") ** 2))

    def gradient(self, p: ArrayLike | None = None, **setting: Any) -> Gradient:
        """The gradient of `log_likelihood` by a solver and a method.

        See `gradaudit.problem.gradient.gradient` for the settings, results and errors;
        `gradaudit.reference_gradient` is the certified one.
        """
        from gradaudit.problem.gradient import gradient

        return gradient(self, p, **setting)

    def log_prior(self, p: ArrayLike | None = None) -> float:
        """The sum of the logarithms of the prior densities at p (K,), minus infinity outside.

        They are densities of the parameters, not of their images on the estimation scale, except
        for the priors "parameterScale..." of version 1.

        Raises
        ------
        ProblemError
            If `p` is invalid.
        """
        values = self.parameters.values(p)
        return float(sum(own.value for own in self.prior_terms(values).values()))

    def prior_terms(self, values: Array) -> dict[str, Density]:
        """The log-density of each prior, with its derivative on the scale.

        `values` (K,) are those of the parameters, not on their scales.
        """
        at = dict(zip(self.parameters.names, values, strict=True))
        return {name: own.log_density(float(at[name])) for name, own in self.priors.items()}

    def log_posterior(self, p: ArrayLike | None = None, *, time_limit: float = 600.0) -> float:
        """The log-likelihood plus `log_prior`: the log-posterior without its constant.

        p and errors are as for `log_likelihood`.
        """
        return self.log_prior(p) + self.log_likelihood(p, time_limit=time_limit)

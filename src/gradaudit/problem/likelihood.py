"""The log-likelihood of measurements and its gradient, with bounds of what is wrong in them.

With z the inputs of the formulas of a measurement (states, parameters, what follows from them) and
l its log-likelihood, the gradient is the sum of l_z dz over all measurements. An error d of z and
an error D of its derivative dz change a term by l_z D + (l_zz dz) d + l_zz d D, where third
derivatives of l are neglected; the bounds are the sums of these terms, each in absolute value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from gradaudit.certification.heyoka.precision import LONG_DOUBLE, QUAD, to_extended, to_quad
from gradaudit.problem.definition import Measurement, Observable
from gradaudit.problem.inputs import Column, Inputs, product_of_sizes
from gradaudit.problem.kinks import at_switches
from gradaudit.problem.noise import terms
from gradaudit.problem.quad_gradient import gradient_in_quad

ROUNDING = 64 * np.finfo(np.longdouble).eps
"""Of the terms of a sum, which no solve makes smaller."""

FINER = QUAD.eps / LONG_DOUBLE.eps
"""Of the rounding of formulas in extended precision, that in quad precision."""

LOGARITHM = 4 * np.finfo(np.longdouble).eps
"""Of a logarithm, what it is off by; a residual is what is left of two of them."""


@dataclass(frozen=True)
class Sum:
    """What a number of measurements contribute.

    Attributes
    ----------
    value, value_bound
        Log-likelihood, and a bound of its error.
    gradient, bound
        With respect to the K estimated parameters, not on their scales, (K,).
    size
        The sum of the absolute values of the terms of the gradient, (K,).
    rest
        What rounding to long double has taken from the gradient, (K,) or 0: both together have
        twice the digits, so that a sum is precise where its terms cancel.
    """

    value: Any
    value_bound: Any
    gradient: Any
    bound: Any
    size: Any
    rest: Any = 0

    def __add__(self, other: Sum) -> Sum:
        plain = (getattr(self, f.name) + getattr(other, f.name) for f in fields(self)[:5])
        found = Sum(*plain)
        with np.errstate(invalid="ignore", over="ignore"):
            back = found.gradient - self.gradient
            lost = (self.gradient - (found.gradient - back)) + (other.gradient - back)
            gradient = found.gradient + (lost + self.rest + other.rest)
            rest = (found.gradient - gradient) + (lost + self.rest + other.rest)
        whole = np.isfinite(gradient)
        return replace(
            found,
            gradient=np.where(whole, gradient, found.gradient),
            rest=np.where(whole, rest, 0),
        )


@dataclass(frozen=True)
class Contribution:
    """The measurements of one observable, R of them.

    Attributes
    ----------
    observable, rows
        Its id, and their rows in the table.
    by_condition
        Sums by the id of the condition.
    simulated, residuals
        (R,): what was simulated, not on the scale, and (measured - simulated) / noise on the scale.
    kinks
        Rows at which the derivative of the log-likelihood does not exist, as far as bounds tell.
    without_noise
        Rows whose noise is not positive: they have no log-likelihood.
    at_switches
        Rows at which the formula of the observable or of its noise has a kink or a jump.
    """

    observable: str
    rows: tuple[int, ...]
    by_condition: dict[str, Sum]
    simulated: Any
    residuals: Any
    kinks: tuple[int, ...]
    without_noise: tuple[int, ...] = ()
    at_switches: tuple[int, ...] = ()


def nothing(count: int) -> Sum:
    """The sum of no measurements."""
    empty = np.zeros(count, np.longdouble)
    return Sum(np.longdouble(0), np.longdouble(0), empty, empty, empty)


def contribution(
    inputs: Inputs, observable: Observable, measurements: Sequence[Measurement]
) -> Contribution:
    """The contribution of measurements of one observable in one group.

    Where the inputs are in quad precision, the gradient is, too: its terms may cancel. All else is
    in long double.
    """
    names = list(dict.fromkeys((*observable.value.names, *observable.noise.names)))
    columns = [inputs.column(name, measurements) for name in names]
    own = [names.index(name) for name in observable.value.names]
    noisy = [names.index(name) for name in observable.noise.names]
    z = stacked(columns, "value", len(measurements))
    measured = np.array([m.value for m in measurements], np.longdouble)
    h, s = observable.value.value(z[:, own]), observable.noise.value(z[:, noisy])
    lacking = s <= 0.0
    s = np.where(lacking, np.nan, s)
    found = terms(measured, h, s, scale=observable.scale, distribution=observable.distribution)
    shape = (len(measurements), len(names))
    dh, ds = np.zeros(shape, np.longdouble), np.zeros(shape, np.longdouble)
    dh[:, own], ds[:, noisy] = (
        observable.value.gradient(z[:, own]),
        observable.noise.gradient(z[:, noisy]),
    )
    curvature = np.zeros((*shape, len(names)), np.longdouble)
    curvature[:, np.ix_(own, own)[0], np.ix_(own, own)[1]] += found.h[
        :, None, None
    ] * observable.value.hessian(z[:, own])
    curvature[:, np.ix_(noisy, noisy)[0], np.ix_(noisy, noisy)[1]] += found.s[
        :, None, None
    ] * observable.noise.hessian(z[:, noisy])
    for factor, a, b in (
        (found.hh, dh, dh), (found.hs, dh, ds), (found.hs, ds, dh), (found.ss, ds, ds)
    ):  # fmt: skip
        curvature += factor[:, None, None] * a[:, :, None] * b[:, None, :]
    slope = found.h[:, None] * dh + found.s[:, None] * ds
    slope_size = np.abs(found.h[:, None] * dh) + np.abs(found.s_size[:, None] * ds)
    wrong, unit, exact = stacked(columns, "bound", len(measurements)), 1.0, None
    rounded = wrong
    if inputs.quad is not None:
        exact = gradient_in_quad(observable, names, columns, measured)
        if exact is None:
            return contribution(inputs.in_long_double, observable, measurements)
        unit, rounded = FINER, wrong + np.finfo(np.longdouble).eps * np.abs(z)
    sizes = found.value_size, slope_size
    parts = _parts(
        (found.value, slope, curvature),
        sizes,
        columns,
        (wrong, rounded),
        unit,
        len(inputs.values),
    )
    if inputs.solved.bounded:
        dh_off, ds_off = np.zeros(shape), np.zeros(shape)
        h_off, dh_off[:, own] = observable.value.off(z[:, own])
        if observable.scale != "lin":
            h_off = h_off + LOGARITHM * np.abs(h * np.log(np.abs(h)))
        s_off, ds_off[:, noisy] = observable.noise.off(z[:, noisy])
        value_off = np.abs(found.h) * h_off + np.abs(found.s) * s_off
        slope_off = unit * _weighed(found, (dh_off, ds_off), (h_off, s_off), (dh, ds))
        parts = _enlarged(parts, value_off, slope_off, columns, len(inputs.values))
    switching = at_switches(observable.value, names, columns, z)
    switching |= at_switches(observable.noise, names, columns, z)
    conditions = np.array([m.condition for m in measurements])
    kinks: tuple[int, ...] = ()
    if observable.distribution == "laplace":
        # the residual over its error: found.h is its sign over noise, times the slope of the scale
        wide = (np.abs(slope) * rounded).sum(axis=1)
        # of what has not been solved nothing is known: that is told as what it is
        near = (np.abs(found.residual) <= wide) & np.isfinite(wide)
        kinks = tuple(m.row for m, is_near in zip(measurements, near, strict=True) if is_near)
    return Contribution(
        observable=observable.name,
        rows=tuple(m.row for m in measurements),
        by_condition={
            str(name): _summed(parts, exact, conditions == name)
            for name in dict.fromkeys(conditions)
        },
        simulated=h.astype(np.float64),
        residuals=found.residual.astype(np.float64),
        kinks=kinks,
        without_noise=tuple(m.row for m, none in zip(measurements, lacking, strict=True) if none),
        at_switches=tuple(m.row for m, at in zip(measurements, switching, strict=True) if at),
    )


def _summed(parts: Any, exact: Any, own: Any) -> Sum:
    """The sum over some of the measurements, with the gradient (R, K) in quad if there is one."""
    found = Sum(*(part[own].sum(axis=0) for part in parts))
    if exact is None:
        return found
    whole = exact[own].sum(axis=0)
    gradient = to_extended(whole, QUAD)
    rest = to_extended(whole - to_quad(gradient, LONG_DOUBLE), QUAD)
    return replace(found, gradient=gradient, rest=np.where(np.isfinite(rest), rest, 0))


def _parts(
    derivatives: tuple[Any, Any, Any],
    sizes: tuple[Any, Any],
    columns: list[Column],
    wrongs: tuple[Any, Any],
    unit: float,
    count: int,
) -> tuple[Any, Any, Any, Any, Any]:
    """The fields of `Sum` for each measurement, (R,) or (R, K).

    Parameters
    ----------
    derivatives
        The log-likelihoods (R,), with first and second derivatives by the inputs.
    sizes
        Of what is added up in the log-likelihoods and in their first derivatives.
    wrongs
        By how much the inputs (R, a) may be wrong, as the gradient and as the value have them.
    unit
        Of the last place of the numbers that the gradient is computed with, over that of extended
        precision.
    """
    value, slope, curvature = derivatives
    value_size, slope_size = sizes
    rows, (wrong, of_value) = len(value), wrongs
    derivative = stacked(columns, "derivative", rows, count)
    wrong_derivative = stacked(columns, "derivative_bound", rows, count)
    with np.errstate(invalid="ignore"):
        spread = np.einsum("rab,rb->ra", np.abs(curvature), wrong)
        of_slope = np.einsum("rab,rb->ra", np.abs(curvature), of_value)
        value_bound = ((np.abs(slope) + of_slope) * of_value).sum(axis=1)
        turned = np.abs(np.einsum("rab,rbk->rak", curvature, derivative))
        bound = np.einsum("ra,rak->rk", np.abs(slope) + spread, wrong_derivative) + np.einsum(
            "rak,ra->rk", turned, wrong
        )
    size = np.einsum("ra,rak->rk", slope_size, np.abs(derivative))
    gradient = np.einsum("ra,rak->rk", slope, derivative)
    value_bound = np.where(np.isnan(value_bound), np.inf, value_bound) + ROUNDING * value_size
    bound = np.where(np.isnan(bound), np.inf, bound) + unit * ROUNDING * size
    return value, value_bound, gradient, bound, size


def _weighed(found: Any, slopes_off: Any, off: Any, slopes: Any) -> Any:
    """What the slope of a log-likelihood (R, a) is off by, where values and slopes of h and s are.

    Each of the arguments is of h and of s.
    """
    (dh_off, ds_off), (h_off, s_off), (dh, ds) = slopes_off, off, slopes

    def product(a: Any, b: Any) -> Any:
        return product_of_sizes("r,ra->ra", a, b)

    def weighed(a: Any, b: Any) -> Any:
        return product_of_sizes("r,r->r", a, h_off) + product_of_sizes("r,r->r", b, s_off)

    own = product(found.h, dh_off) + product(found.s, ds_off)
    by_h, by_s = weighed(found.hh, found.hs), weighed(found.hs, found.ss)
    return own + product(by_h, dh) + product(by_s, ds)


def _enlarged(parts: Any, value_off: Any, slope_off: Any, columns: list[Column], count: int) -> Any:
    """The fields of `Sum` with what values and slopes are off by in their bounds."""
    value, value_bound, gradient, bound, size = parts
    derivative = stacked(columns, "derivative", len(value), count)
    more = product_of_sizes("ra,rak->rk", slope_off, derivative)
    value_off = np.where(np.isnan(value_off), np.inf, value_off)
    return value, value_bound + value_off, gradient, bound + more, size


def stacked(columns: list[Column], part: str, *shape: int) -> Any:
    """One part of all columns, (R, a) or (R, a, K)."""
    if not columns:
        return np.zeros((shape[0], 0, *shape[1:]), np.longdouble)
    return np.stack([np.asarray(getattr(c, part), np.longdouble) for c in columns], axis=1)

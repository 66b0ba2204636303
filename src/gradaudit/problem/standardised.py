"""Rows whose products are the Fisher information or the Gauss-Newton matrix of a problem.

With h the simulated value on the scale of its observable and s the noise, a measurement has the
rows ``dh / s`` and ``c ds / s``, where c is the root of 2 for normal and 1 for Laplace noise: the
sum of their squares is the expected information of the measured value's density. The row of the
Gauss-Newton matrix of chi-square / 2 is that of the residual, ``d[(measured - h) / s]``.

A row is w(z) dz, with z the inputs of the formulas as in `gradaudit.problem.likelihood`. Errors d
of z and D of dz change it by w D + (w_z d) dz + (w_z d) D; second derivatives of w are neglected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gradaudit.errors import SettingError
from gradaudit.problem.definition import Measurement, Observable
from gradaudit.problem.groups import Group
from gradaudit.problem.inputs import Inputs
from gradaudit.problem.kinks import at_switches
from gradaudit.problem.likelihood import stacked
from gradaudit.problem.preparing import Preparation
from gradaudit.problem.scales import transformed
from gradaudit.problem.solving import Solved

Kind = Literal["fisher", "gauss_newton"]
KINDS = ("fisher", "gauss_newton")


@dataclass(frozen=True)
class Rows:
    """Standardised rows with respect to the K estimated parameters, on the estimation scale.

    Attributes
    ----------
    values, bounds
        (N, K), and bounds of their absolute errors; these mean nothing for a solve without bounds.
    doubtful
        Rows of the table of measurements at a kink or a jump of a formula, or without noise.
    """

    values: Any
    bounds: Any
    doubtful: tuple[int, ...]

    @classmethod
    def of(cls, parts: Sequence[Rows], count: int) -> Rows:
        """All of them, one below the other; `count` is K."""
        if not parts:
            return cls(np.zeros((0, count)), np.zeros((0, count)), ())
        return cls(
            np.concatenate([own.values for own in parts]),
            np.concatenate([own.bounds for own in parts]),
            tuple(sorted(row for own in parts for row in own.doubtful)),
        )


def rows_of(preparation: Preparation, group: Group, solved: Solved, kind: Kind = "fisher") -> Rows:
    """The rows of one group by a solve of it.

    Raises
    ------
    SettingError
        If the Gauss-Newton matrix is asked for where noise is Laplace's.
    """
    problem = preparation.problem
    inputs = Inputs(problem, group, solved, preparation.values).in_long_double
    parts = [
        _of_observable(
            inputs,
            problem.observables[name],
            [m for m in group.measurements if m.observable == name],
            kind,
        )
        for name in dict.fromkeys(m.observable for m in group.measurements)
    ]
    slopes = problem.parameters.slopes(preparation.values)
    whole = Rows.of(parts, len(slopes))
    values, eps = whole.values * slopes, np.finfo(np.float64).eps
    bounds = whole.bounds * np.abs(slopes) + eps * np.abs(values)  # rounding to float64
    return Rows(values.astype(np.float64), bounds.astype(np.float64), whole.doubtful)


def _of_observable(
    inputs: Inputs, observable: Observable, measurements: Sequence[Measurement], kind: Kind
) -> Rows:
    if kind == "gauss_newton" and observable.distribution != "normal":
        raise SettingError(
            f"the Gauss-Newton matrix needs normal noise, and that of the observable "
            f'{observable.name!r} is {observable.distribution}; take kind="fisher".'
        )
    names = list(dict.fromkeys((*observable.value.names, *observable.noise.names)))
    columns = [inputs.column(name, measurements) for name in names]
    count, size = len(measurements), len(inputs.values)
    z, wrong = stacked(columns, "value", count), stacked(columns, "bound", count)
    dz = stacked(columns, "derivative", count, size)
    wrong_dz = stacked(columns, "derivative_bound", count, size)
    found = []
    for w, slope in _weights(observable, names, z, measurements, kind):
        with np.errstate(invalid="ignore"):
            spread = np.einsum("rab,rb->ra", np.abs(slope), wrong)
            turned = np.abs(np.einsum("rab,rak->rbk", slope, dz))
            bound = np.einsum("ra,rak->rk", np.abs(w) + spread, wrong_dz)
            bound = bound + np.einsum("rbk,rb->rk", turned, wrong)
        value = np.einsum("ra,rak->rk", w, dz)
        rounding = 64 * np.finfo(np.longdouble).eps * np.einsum("ra,rak->rk", np.abs(w), np.abs(dz))
        bound = np.where(np.isnan(bound), np.inf, bound) + rounding
        if np.any(value) or np.any(bound):
            found.append((value, bound))
    switching = at_switches(observable.value, names, columns, z)
    switching |= at_switches(observable.noise, names, columns, z)
    noisy = [names.index(name) for name in observable.noise.names]
    switching |= ~(observable.noise.value(z[:, noisy]) > 0.0)
    doubtful = tuple(m.row for m, at in zip(measurements, switching, strict=True) if at)
    empty = np.zeros((0, size), np.longdouble)
    values, bounds = (
        (np.concatenate([empty, *own]) for own in zip(*found, strict=True))
        if found
        else (empty, empty)
    )
    return Rows(values, bounds, doubtful)


def _weights(
    observable: Observable,
    names: Sequence[str],
    z: Any,
    measurements: Sequence[Measurement],
    kind: Kind,
) -> Iterator[tuple[Any, Any]]:
    """w (R, a) and dw_a / dz_b (R, a, b) of each row of the measurements."""
    h, dh, ddh = _expanded(observable.value, names, z)
    s, ds, dds = _expanded(observable.noise, names, z)
    s = np.where(s > 0.0, s, np.nan)
    image, first, second = transformed(h, observable.scale)

    def times(factor: Any, matrix: Any) -> Any:
        return factor[:, None, None] * matrix

    def outer(a: Any, b: Any) -> Any:
        return a[:, :, None] * b[:, None, :]

    scale_h, scale_hh = first / s, second / s
    value = scale_h[:, None] * dh
    slope = times(scale_h, ddh) + times(scale_hh, outer(dh, dh))
    slope_s = times(scale_h / s, outer(dh, ds))
    noise = ds / s[:, None]
    noise_slope = times(1 / s, dds) - outer(noise, noise)
    if kind == "fisher":
        root = np.sqrt(np.longdouble(2)) if observable.distribution == "normal" else 1
        yield value, slope - slope_s
        yield root * noise, root * noise_slope
        return
    measured = np.array([m.value for m in measurements], np.longdouble)
    residual = (transformed(measured, observable.scale)[0] - image) / s
    own = -value - residual[:, None] * noise
    # d residual / dz is `own` itself
    yield own, -(slope - slope_s) - outer(noise, own) - times(residual, noise_slope)


def _expanded(formula: Any, names: Sequence[str], z: Any) -> tuple[Any, Any, Any]:
    """A formula's value (R,), gradient (R, a) and Hessian (R, a, a) by all the names."""
    own = [names.index(name) for name in formula.names]
    count, size = len(z), len(names)
    gradient = np.zeros((count, size), np.longdouble)
    hessian = np.zeros((count, size, size), np.longdouble)
    gradient[:, own] = formula.gradient(z[:, own])
    hessian[:, np.ix_(own, own)[0], np.ix_(own, own)[1]] = formula.hessian(z[:, own])
    return formula.value(z[:, own]), gradient, hessian

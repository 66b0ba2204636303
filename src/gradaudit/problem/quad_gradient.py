"""Gradients of log-likelihoods in quad precision, for terms that cancel beyond long double."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradaudit.certification.heyoka.precision import LONG_DOUBLE, QUAD, to_float64, to_quad
from gradaudit.problem.definition import Observable
from gradaudit.problem.inputs import Column
from gradaudit.problem.noise import terms


def gradient_in_quad(
    observable: Observable, names: Sequence[str], columns: Sequence[Column], measured: Any
) -> Any:
    """Derivatives (R, K) of the log-likelihoods of R measurements, in numbers of heyoka.

    None where a formula has a function that these numbers have not.

    Parameters
    ----------
    names, columns
        The inputs of the formulas, with the K derivatives of each.
    measured
        In long double, (R,).
    """
    if not columns:
        return None
    z = np.stack([_exact(own)[0] for own in columns], axis=1)
    derivative = np.stack([_exact(own)[1] for own in columns], axis=1)
    own = [names.index(name) for name in observable.value.names]
    noisy = [names.index(name) for name in observable.noise.names]
    try:
        h, s = observable.value.value(z[:, own]), observable.noise.value(z[:, noisy])
        dh, ds = observable.value.gradient(z[:, own]), observable.noise.gradient(z[:, noisy])
        s[to_float64(s) <= 0.0] = QUAD.number(float("nan"))
        found = terms(
            to_quad(measured, LONG_DOUBLE),
            h,
            s,
            scale=observable.scale,
            distribution=observable.distribution,
        )
    except TypeError:  # of NumPy: there is no such function of these numbers
        return None
    slope = QUAD.array(np.zeros(z.shape))
    slope[:, own] = found.h[:, None] * dh
    slope[:, noisy] = slope[:, noisy] + found.s[:, None] * ds
    return (slope[:, :, None] * derivative).sum(axis=1)


def _exact(column: Column) -> tuple[Any, Any]:
    """Value and derivative of an input; numbers and parameters are exact in long double."""
    if column.quad is not None:
        return column.quad
    return to_quad(column.value, LONG_DOUBLE), to_quad(column.derivative, LONG_DOUBLE)

"""Log-likelihoods in closed form, with their gradients, to compare certified ones with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

DIGITS = 11.0


def closed_form(function: Callable[..., Any], values: list[str], scales: list[str]) -> Any:
    """The value, and the gradient on the scales, of a log-likelihood, in 50 digits."""
    with mpmath.workdps(50):
        point = [mpmath.mpf(float(value)) for value in values]
        gradient = []
        for k, scale in enumerate(scales):
            factor = {"lin": 1, "log": point[k], "log10": point[k] * mpmath.log(10)}[scale]
            own = mpmath.diff(lambda x, k=k: function(*point[:k], x, *point[k + 1 :]), point[k])
            gradient.append(own * factor)
        return function(*point), gradient


def density(measured: float, h: Any, s: Any, scale: str = "lin", laplace: bool = False) -> Any:
    """As PEtab defines it."""
    log = {"lin": lambda x: x, "log": mpmath.log, "log10": mpmath.log10}[scale]
    jacobian = {"lin": 1, "log": 1, "log10": mpmath.log(10)}[scale]
    jacobian = jacobian if scale == "lin" else jacobian * measured
    r = (log(mpmath.mpf(measured)) - log(h)) / s
    if laplace:
        return -mpmath.log(2 * s * jacobian) - abs(r)
    return -mpmath.log(2 * mpmath.pi * (s * jacobian) ** 2) / 2 - r**2 / 2


def assert_certified(found: Any, value: Any, gradient: Any) -> None:
    assert found.status == "ok"
    assert abs(found.value - value) <= found.value_bound
    wrong = np.array([float(abs(g - e)) for g, e in zip(found.gradient, gradient, strict=True)])
    # an honest bound is not below the error, and the claimed digits are the bound's
    assert np.all(wrong <= found.bounds)
    assert float(found.digits) >= DIGITS

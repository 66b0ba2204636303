"""Priors of parameters: exact log-densities and their derivatives.

With u the argument of a family, which is the parameter x itself, its logarithm, or x on the
estimation scale, the log-density of x is log g(u) + log |du/dx| - log Z. Z is the probability of
the interval to which it is truncated. A density on the estimation scale has no factor |du/dx|.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gradaudit.errors import ProblemError
from gradaudit.problem.scales import slope, transformed

COUNTS = {
    "uniform": 2,
    "normal": 2,
    "laplace": 2,
    "cauchy": 2,
    "gamma": 2,
    "chisquare": 1,
    "exponential": 1,
    "rayleigh": 1,
}
"""The families, and how many numbers each takes: bounds, location and scale, shape and scale,
degrees of freedom, scale."""
POSITIVE = ("gamma", "chisquare", "exponential", "rayleigh")

VERSION_1 = {
    "uniform": ("uniform", "lin"),
    "normal": ("normal", "lin"),
    "laplace": ("laplace", "lin"),
    "logNormal": ("normal", "log"),
    "logLaplace": ("laplace", "log"),
    "parameterScaleUniform": ("uniform", "scale"),
    "parameterScaleNormal": ("normal", "scale"),
    "parameterScaleLaplace": ("laplace", "scale"),
}
VERSION_2 = {
    **{name: (name, "lin") for name in COUNTS},
    "log-uniform": ("uniform", "log"),
    "log-normal": ("normal", "log"),
    "log-laplace": ("laplace", "log"),
}
"""Names of the standard: the family, and what its argument is."""


ROUNDING = 64 * np.finfo(np.longdouble).eps
"""Of the terms of a derivative."""

LOGARITHM = 4 * np.finfo(np.longdouble).eps
"""Of a logarithm, what it is off by."""


class Density(NamedTuple):
    """A log-density at a point x, in extended precision.

    `derivative` is by x on the estimation scale, and `kink` says whether it does not exist. `size`
    is the sum of the absolute values of its terms, and `off` a bound of its error: the argument of
    a density cancels with its location, and some densities have a mode between two terms.
    """

    value: Any
    derivative: Any
    kink: bool = False
    size: Any = 0.0
    off: Any = 0.0


@dataclass(frozen=True)
class Prior:
    """The prior of one parameter.

    Attributes
    ----------
    family, numbers
        One of `COUNTS`, and its numbers.
    argument
        "lin" for the parameter x, "log" for its logarithm, "scale" for x on the estimation scale.
    scale
        The scale on which the parameter is estimated.
    lower, upper
        Where the density of x is truncated, infinite where it is not.
    """

    family: str
    numbers: tuple[float, ...]
    argument: str
    scale: str
    lower: float = -math.inf
    upper: float = math.inf

    def log_density(self, x: float) -> Density:
        """The log-density at x. Outside of the support it is minus infinity, with no derivative."""
        nothing = Density(np.longdouble(-np.inf), np.longdouble(0.0))
        if not self.lower <= x <= self.upper:
            return nothing
        u, first, second = self._argument(np.longdouble(x))
        if not np.isfinite(u):
            return nothing
        logarithmic = self.argument == "log" or (self.argument == "scale" and self.scale != "lin")
        u_off = LOGARITHM * np.abs(u) if logarithmic else np.longdouble(0.0)
        own = _family(self.family, self.numbers, u, u_off)
        if not np.isfinite(own.value):
            return nothing._replace(value=np.longdouble(own.value))
        value, by_x, size, off = (
            own.value, own.derivative * first, own.size * np.abs(first), own.off * np.abs(first)
        )  # fmt: skip
        if self.argument == "log":
            more = second / first
            value, by_x = value + np.log(np.abs(first)), by_x + more
            size, off = size + np.abs(more), off + ROUNDING * np.abs(more)
        by_p = slope(x, self.scale)
        return Density(
            value - self._normalisation(),
            by_x * by_p,
            own.kink,
            size * np.abs(by_p),
            (off + ROUNDING * np.abs(by_x)) * np.abs(by_p),
        )

    def _argument(self, x: Any) -> tuple[Any, Any, Any]:
        scale = {"lin": "lin", "log": "log", "scale": self.scale}[self.argument]
        with np.errstate(all="ignore"):
            return transformed(x, scale)

    def _normalisation(self) -> float:
        """log Z."""
        if self.lower == -math.inf and self.upper == math.inf:
            return 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = [float(self._argument(np.float64(x))[0]) for x in (self.lower, self.upper)]
        ends[0] = -math.inf if math.isnan(ends[0]) else ends[0]
        inside = probability(self.family, self.numbers, *ends)
        return math.log(inside) if inside > 0.0 else math.nan


def prior(
    name: str,
    numbers: Sequence[float],
    known: dict[str, tuple[str, str]],
    scale: str,
    bounds: tuple[float, float],
    where: str,
) -> Prior:
    """A prior by its name in the standard, truncated to `bounds`.

    Raises
    ------
    ProblemError
        If there is no such distribution, or its numbers are invalid; `where` says where it is.
    """
    if name not in known:
        raise ProblemError(f"{where}: the prior is {name!r}; it must be one of {sorted(known)}.")
    family, argument = known[name]
    if len(numbers) != COUNTS[family] or not np.all(np.isfinite(numbers)):
        raise ProblemError(
            f"{where}: the prior {name!r} has the parameters {list(numbers)}; it needs "
            f"{COUNTS[family]} finite numbers."
        )
    given = tuple(float(number) for number in numbers)
    if family == "uniform":
        if argument == "log" and not given[0] > 0.0:
            raise ProblemError(f"{where}: the prior {name!r} begins at {given[0]:g}, not above 0.")
        given = (math.log(given[0]), math.log(given[1])) if argument == "log" else given
        valid = given[0] < given[1]
    else:
        valid = given[-1] > 0.0 and (family != "gamma" or given[0] > 0.0)
    if not valid:
        raise ProblemError(
            f"{where}: the prior {name!r} has the parameters {list(numbers)}, of which "
            + ("the first must be below the second." if family == "uniform" else "a scale, a shape "
               "or degrees of freedom must be positive.")
        )  # fmt: skip
    if not bounds[0] < bounds[1]:
        raise ProblemError(f"{where}: the bounds are {bounds[0]:g} and {bounds[1]:g}.")
    return Prior(family, given, argument, scale, *bounds)


def _family(family: str, numbers: tuple[float, ...], u: Any, u_off: Any) -> Density:
    """log g(u) and its derivative by u, which is off by `u_off`."""
    a = np.longdouble(numbers[0])
    b = np.longdouble(numbers[-1])
    if family == "uniform":
        # the ends are as the logarithm of float64 gives them
        room = 4 * np.finfo(np.float64).eps * max(abs(a), abs(b))
        inside = a - room <= u <= b + room
        return Density(-np.log(b - a) if inside else np.longdouble(-np.inf), np.longdouble(0.0))
    if family in POSITIVE and (u < 0.0 or (u == 0.0 and family != "exponential")):
        return Density(np.longdouble(-np.inf), np.longdouble(0.0))
    r, constant = (u - a) / b, np.longdouble(0.0)
    kink, terms, off = False, None, np.longdouble(0.0)
    slopes: tuple[Any, ...]
    match family:
        case "normal":
            constant, value = np.log(b) + np.log(2 * _pi()) / 2, -(r**2) / 2
            slopes = (-r / b,)
            terms, off = (np.abs(u) + np.abs(a)) / b**2, u_off / b**2
        case "laplace":
            constant, value, kink = np.log(2 * b), -np.abs(r), bool(np.abs(u - a) <= u_off)
            slopes = (-np.sign(r) / b,)
        case "cauchy":
            value = -np.log(_pi() * b * (1 + r**2))
            slopes = (-2 * r / (b * (1 + r**2)),)
        case "exponential":
            value = -np.log(b) - u / b
            slopes = (-1 / b,)
        case "rayleigh":
            value = np.log(u) - 2 * np.log(b) - (u / b) ** 2 / 2
            slopes = (1 / u, -u / b**2)
        case _:
            shape, scale = (a, b) if family == "gamma" else (a / 2, np.longdouble(2.0))
            constant = np.longdouble(math.lgamma(float(shape))) + shape * np.log(scale)
            value = (shape - 1) * np.log(u) - u / scale
            slopes = ((shape - 1) / u, -1 / scale)
    size = sum(np.abs(own) for own in slopes)
    return Density(
        value - constant, sum(slopes), kink, size if terms is None else terms, off + ROUNDING * size
    )


def probability(family: str, numbers: tuple[float, ...], lower: float, upper: float) -> float:
    """The probability of an interval, from the side on which it does not cancel."""
    from scipy import stats

    a, b = numbers[0], numbers[-1]
    distribution = {
        "uniform": lambda: stats.uniform(a, b - a),
        "normal": lambda: stats.norm(a, b),
        "laplace": lambda: stats.laplace(a, b),
        "cauchy": lambda: stats.cauchy(a, b),
        "exponential": lambda: stats.expon(scale=b),
        "rayleigh": lambda: stats.rayleigh(scale=b),
        "chisquare": lambda: stats.chi2(a),
        "gamma": lambda: stats.gamma(a, scale=b),
    }[family]()
    if lower > distribution.median():
        return float(distribution.sf(lower) - distribution.sf(upper))
    return float(distribution.cdf(upper) - distribution.cdf(lower))


def _pi() -> Any:
    return np.longdouble("3.14159265358979323846264338327950288")

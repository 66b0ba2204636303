"""The root of the rates with its sensitivities, by Newton's method in extended precision.

The n unknowns solve as many equations: the rates that determine the others vanish, and conserved
quantities have their initial values. With A the derivative of these equations, the sensitivities
solve A S = -b, where b holds the derivatives by the parameters alone. Both are refined with an
inverse B of A in double precision and residuals in extended precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.collocation.products import product
from gradaudit.certification.heyoka.precision import to_float64
from gradaudit.certification.steady_state.conservation import Conservation
from gradaudit.certification.steady_state.rates import Rates

Array = NDArray[Any]

MOST_ITERATIONS = 60
STAGNATES = 1e9  # times rounding: updates may be so large where a matrix is ill-conditioned
SETTLED = 8  # iterations, from which on they must converge fast
CONTRACTS = 0.1
"""|I - B A| must be below it: then the residual bounds the error."""
ROUNDINGS = 64.0
"""Units in the last place of its terms that the evaluation of a residual is allowed."""


@dataclass(frozen=True)
class Root:
    """A steady state in extended precision.

    Attributes
    ----------
    values, derivatives
        y (n,) and dy/dp (n, m).
    value_bounds, derivative_bounds
        Bounds of their absolute errors, float64.
    """

    values: Array
    derivatives: Array
    value_bounds: NDArray[np.float64]
    derivative_bounds: NDArray[np.float64]


class Equations:
    """The equations of the root, for a start y0 (n,) with its derivatives (n, m)."""

    def __init__(
        self, rates: Rates, t: float, laws: Conservation, start: Array, slopes: Array, scale: Any
    ) -> None:
        self.rates, self.t, self.laws = rates, t, laws
        self.start, self.start_slopes = start, slopes
        self.scale = np.where(scale > 0.0, scale, 1.0)

    def residual(self, y: Array) -> Array:
        """(n,)."""
        own = self.rates.rates(self.t, y[:, None])[self.laws.independent, 0]
        kept = product(self.laws.laws, (y - self.start)[:, None])[:, 0]
        return np.concatenate([own, kept])

    def matrices(self, y: Array) -> tuple[Array, Array]:
        """A (n, n) and b (n, m)."""
        slopes = self.rates.slopes(self.t, y[:, None])
        by_y, by_p = (part[0][self.laws.independent] for part in slopes)
        laws = self.laws
        moved = (y - self.start)[None, :, None]
        kept = (laws.slopes * moved).sum(axis=1) if len(laws.laws) else np.empty((0, by_p.shape[1]))
        kept = kept - product(laws.laws, self.start_slopes) if len(laws.laws) else kept
        return np.concatenate([by_y, laws.laws]), (
            np.concatenate([by_p, kept]) if len(laws.laws) else by_p
        )

    def beside(self, kept: Array) -> NDArray[np.float64]:
        """Errors (c, ...) of what is kept, with 0 for the rates, which come first."""
        return np.concatenate([np.zeros((len(self.laws.independent), *kept.shape[1:])), kept])

    def inverse(self, A: Array) -> tuple[Any, float]:
        """B in double precision, and |I - B A| in the scales of states; infinite if singular."""
        rough = to_float64(A)
        rows = np.abs(rough * self.scale).max(axis=1, initial=0.0)
        if not np.all(np.isfinite(rows)) or np.any(rows == 0.0):
            return None, np.inf
        scaled = rough * self.scale / rows[:, None]
        try:
            inverse = np.linalg.inv(scaled)
        except np.linalg.LinAlgError:
            return None, np.inf
        with np.errstate(invalid="ignore", over="ignore"):
            defect = np.abs(np.eye(len(rough)) - inverse @ scaled).sum(axis=1).max()
        grown = np.abs(inverse).sum(axis=1).max() * np.finfo(np.float64).eps * len(rough)
        with np.errstate(over="ignore"):  # infinite where units are far apart, and then no inverse
            return inverse * self.scale[:, None] / rows, float(max(defect, grown))


def newton(equations: Equations, y: Array, shrink: float) -> Array | None:
    """The root next to y (n,), None if there is none or it is a multiple one.

    Updates end below `shrink` of the scale of the states.
    """
    precision, last = equations.rates.precision, np.inf
    for iteration in range(MOST_ITERATIONS):
        inverse, defect = equations.inverse(equations.matrices(y)[0])
        if not defect < CONTRACTS:
            return None
        step = product(precision.array(inverse), equations.residual(y)[:, None])[:, 0]
        size = float((np.abs(to_float64(step)) / equations.scale).max(initial=0.0))
        if not np.isfinite(size):
            return None
        y = y - step
        if size <= shrink or (size <= STAGNATES * shrink and size >= 0.5 * last):
            return y
        if iteration >= SETTLED and size > 0.25 * last:
            return None  # a multiple root
        last = size
    return None


def certified(equations: Equations, y: Array) -> Root | None:
    """The root with its sensitivities and bounds; None if the equations are too ill-conditioned."""
    rates, precision, laws = equations.rates, equations.rates.precision, equations.laws
    A, b = equations.matrices(y)
    inverse, defect = equations.inverse(A)
    if not defect < CONTRACTS:
        return None
    size, rounding = np.abs(inverse), ROUNDINGS * precision.eps
    values = np.abs(to_float64(y)) + np.abs(to_float64(equations.start))
    held = np.abs(to_float64(rates.parameters))
    away = np.abs(to_float64(y - equations.start))
    wrong = np.abs(to_float64(equations.residual(y))) + equations.beside(laws.law_bounds @ away)
    wrong = wrong + rounding * (np.abs(to_float64(A)) @ values + np.abs(to_float64(b)) @ held)
    value_bounds = 2.0 * size @ wrong / (1.0 - defect)
    # What its bound does not tell from 0 is rounding of an exact zero, as a rule. Another solve
    # that begins here must not look for the digits of it; the same holds of sensitivities.
    cleared = y.copy()
    small = np.abs(to_float64(y)) <= value_bounds
    cleared[small] = precision.number(0.0)
    there = equations.matrices(cleared)
    if all(np.all(np.isfinite(to_float64(part))) for part in there):
        value_bounds = value_bounds + np.where(small, np.abs(to_float64(y)), 0.0)
        y, (A, b) = cleared, there
    B, rough = precision.array(inverse), np.abs(to_float64(A))
    S = -product(B, b)
    for _ in range(MOST_ITERATIONS):
        step = product(B, product(A, S) + b)
        S = S - step
        if np.all(np.abs(to_float64(step)) <= 4 * precision.eps * np.abs(to_float64(S)) + 1e-300):
            break
    # what an error of y does to the equations of S, by a difference that shows in this precision
    shift = np.maximum(value_bounds, 1e-6 * np.sqrt(precision.eps) * equations.scale)
    signs = np.where(np.random.default_rng(7).random(len(shift)) < 0.5, -1.0, 1.0)
    moved = [part - own for part, own in zip(
        equations.matrices(y + precision.array(signs * shift)), (A, b), strict=True
    )]  # fmt: skip
    share = float((value_bounds / shift).max(initial=0.0))
    sizes = np.abs(to_float64(S))
    turned = share * (np.abs(to_float64(moved[0])) @ sizes + np.abs(to_float64(moved[1])))
    left = np.abs(to_float64(product(A, S) + b))
    left = left + rounding * (rough @ sizes + np.abs(to_float64(b))) + 2.0 * turned
    began = np.abs(to_float64(equations.start_slopes))
    slopes = laws.slope_bounds + rounding * np.abs(to_float64(laws.slopes))
    kept = np.einsum("cnm,n->cm", slopes, away) + laws.law_bounds @ (sizes + began)
    kept = kept + rounding * (np.abs(to_float64(laws.laws)) @ began)
    left = left + equations.beside(kept)
    derivative_bounds = 2.0 * size @ left / (1.0 - defect)
    small = np.abs(to_float64(S)) <= derivative_bounds
    derivative_bounds = derivative_bounds + np.where(small, np.abs(to_float64(S)), 0.0)
    S[small] = precision.number(0.0)
    return Root(y, S, value_bounds, derivative_bounds)

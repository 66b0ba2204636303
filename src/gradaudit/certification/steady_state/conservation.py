"""Linear conservation laws: what the dynamics keep, and how that depends on the parameters.

L f(y, p) = 0 for every y is found from f at many random states, as the left null space of the
matrix of their rates. States that begin at 0 and stay there whatever the others are, such as
complexes with a drug that is not given, are 0 in all these states: what holds there is enough. The
coefficients L may depend on the parameters, such as sizes of compartments. Differentiating L f = 0
gives L' F = -L F_p at the same states.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.collocation.products import product
from gradaudit.certification.heyoka.precision import Precision, to_float64
from gradaudit.certification.steady_state.elimination import Reduced, reduced, solved
from gradaudit.certification.steady_state.rates import Rates
from gradaudit.errors import ModelError

Array = NDArray[Any]

DIGITS_LOST = 1e8
"""By cancellation in the elimination, at most: what is smaller than this times rounding is zero."""

KEPT = 1e-8
"""Of the sum of the sizes of its terms: what a vanishing sum in double precision may be."""

ROUNDINGS = 64.0
"""Units in the last place of its terms that a rate is allowed."""

SEED = 20240229


@dataclass(frozen=True)
class Conservation:
    """Linear conservation laws L y = L y0, c of them, in the precision of the rates.

    Attributes
    ----------
    laws
        L, (c, n).
    slopes
        dL/dp, (c, n, m).
    independent
        The n - c states whose rates determine all others.
    points
        The states at which the laws were found, (n, M).
    law_bounds, slope_bounds
        Bounds of the absolute errors of `laws` and `slopes`, float64.
    derivatives
        Whether `slopes` are known; they are 0 otherwise.
    """

    laws: Array
    slopes: Array
    independent: list[int]
    points: Array
    law_bounds: NDArray[np.float64]
    slope_bounds: NDArray[np.float64]
    derivatives: bool = True

    def hold(self, rates: Rates, t: float) -> bool:
        """Whether rates of another mode or time, in double precision, keep the laws, too.

        So must the rates at other values of the parameters, to first order.
        """
        laws, slopes = to_float64(self.laws), to_float64(self.slopes)
        points = to_float64(self.points)
        F, by_p = rates.rates(t, points), rates.slopes(t, points)[1]
        finite = np.isfinite(F).all(axis=0) & np.isfinite(by_p).all(axis=(1, 2))
        F, by_p = F[:, finite], by_p[finite]
        wrong = bool(np.any(np.abs(laws @ F) > KEPT * (np.abs(laws) @ np.abs(F))))
        if wrong or not self.derivatives:
            return not wrong
        change = np.einsum("cnm,nk->kcm", slopes, F) + np.einsum("cn,knm->kcm", laws, by_p)
        size = np.einsum("cnm,nk->kcm", np.abs(slopes), np.abs(F))
        size = size + np.einsum("cn,knm->kcm", np.abs(laws), np.abs(by_p))
        return not np.any(np.abs(change) > KEPT * size)


def conservation(
    rates: Rates, t: float, state: Array, scale: Array, idle: Array, names: list[str] | None
) -> Conservation:
    """The laws of a vector field around a state (n,), with scales (n,) of the states.

    `idle` (n,) says which states are 0 at the start, with derivatives that are 0; `names` are those
    of the parameters, None if derivatives with respect to them are not needed.

    Raises
    ------
    ModelError
        If a law holds at these values of the parameters only, so that there is no derivative.
    """
    n, precision = rates.n, rates.precision
    count = 2 * n + 8
    random = np.random.default_rng(SEED)
    sign = np.where(state < 0.0, -1.0, 1.0)
    spread = np.exp(random.uniform(-1.5, 1.5, (n, 2 * count)))
    points = precision.array(sign[:, None] * scale[:, None] * spread)
    points = _with_idle(rates, t, points, idle)
    F = rates.rates(t, points)
    finite = np.isfinite(to_float64(F)).all(axis=0)
    points, F = points[:, finite][:, :count], F[:, finite][:, :count]
    if F.shape[1] < n + 4:
        raise ModelError("the rates are not finite at most states around the steady state.")
    tolerance = DIGITS_LOST * precision.eps
    found = reduced(F[:, : n + 4], precision, tolerance)
    laws = found.null
    if len(laws):
        # what rounding has left of a coefficient that is zero
        share = np.abs(to_float64(laws)) * np.abs(to_float64(F)).max(axis=1)
        laws[share < tolerance * share.max(axis=1, keepdims=True)] = precision.number(0.0)
        wrong = np.abs(to_float64(product(laws, F)))
        size = to_float64(product(np.abs(laws), np.abs(F)))
        if np.any(wrong > 1e3 * tolerance * size):
            raise ModelError(
                "conservation laws are not told apart from fast and slow reactions in extended "
                "precision, so that the steady state cannot be certified."
            )
    law_bounds, back = _law_bounds(found, F, precision)
    slope_bounds = np.zeros((len(laws), n, rates.m))
    slopes = precision.array(slope_bounds)
    if names is not None and len(laws):
        by_p = rates.slopes(t, points)[1]  # (M, n, m)
        slopes = _slopes(by_p, F, found, names, precision)
        slope_bounds = _slope_bounds(slopes, by_p, F, found, law_bounds, back, precision)
    return Conservation(
        laws=laws,
        slopes=slopes,
        independent=sorted(found.pivots),
        points=points,
        law_bounds=law_bounds,
        slope_bounds=slope_bounds,
        derivatives=names is not None,
    )


def _law_bounds(found: Reduced, F: Array, precision: Precision) -> tuple[Any, Any]:
    """Of the coefficients, (c, n), and the inverse (r, r) that carries errors to those of pivots.

    L F = 0 at the columns that determine L, so that its error is the residual there, with what the
    rates are rounded by, times an inverse. That is large where fast and slow reactions meet.
    """
    laws, pivots, columns = found.null, found.pivots, found.columns
    bounds = np.zeros(laws.shape)
    if not pivots or not len(laws):
        return bounds, np.zeros((len(pivots), len(pivots)))
    unit = precision.array(np.eye(len(pivots)))
    back = np.abs(to_float64(solved(F[np.ix_(pivots, columns)], unit, precision)))
    left = np.abs(to_float64(product(laws, F)))[:, columns]
    terms = to_float64(product(np.abs(laws), np.abs(F)))[:, columns]
    bounds[:, pivots] = 2.0 * (left + ROUNDINGS * precision.eps * terms) @ back
    return bounds, back


def _with_idle(rates: Rates, t: float, points: Array, idle: Array) -> Array:
    """The points with 0 for all states that stay at 0 there, for other parameters, too."""
    idle = idle.copy()
    while True:
        found = points.copy()
        found[idle] = rates.precision.number(0.0)
        moving = np.any(to_float64(rates.rates(t, found)) != 0.0, axis=1)
        moving |= np.any(to_float64(rates.slopes(t, found)[1]) != 0.0, axis=(0, 2))
        if not np.any(idle & moving):
            return found
        idle &= ~moving


def _slopes(by_p: Array, F: Array, found: Reduced, names: list[str], precision: Precision) -> Array:
    """dL/dp (c, n, m), from the derivatives (M, n, m) of the rates at the points."""
    laws, pivots, columns = found.null, found.pivots, found.columns
    slopes = precision.array(np.zeros((*laws.shape, by_p.shape[2])))
    turned = _turned(laws, by_p)
    if pivots:
        square = np.ascontiguousarray(F[np.ix_(pivots, columns)].T)
        right = -turned[columns].reshape(len(columns), -1)
        solution = solved(square, right, precision).reshape(len(pivots), len(laws), -1)
        slopes[:, pivots, :] = solution.transpose(1, 0, 2)
    # at states that did not determine it
    for k in range(len(by_p)):
        change = np.einsum("cnm,n->cm", to_float64(slopes), to_float64(F[:, k]))
        size = np.einsum("cnm,n->cm", np.abs(to_float64(slopes)), np.abs(to_float64(F[:, k])))
        size = size + np.einsum("cn,nm->cm", np.abs(to_float64(laws)), np.abs(to_float64(by_p[k])))
        wrong = np.abs(change + to_float64(turned[k])) > KEPT * size
        if np.any(wrong):
            name = names[int(np.argmax(wrong.any(axis=0)))]
            raise ModelError(
                f"a state keeps its value at this value of {name!r} only; with another one it "
                "moves for ever, so that the steady state has no derivative. Make the parameter a "
                "constant, or choose another value."
            )
    return slopes


def _slope_bounds(
    slopes: Array, by_p: Array, F: Array, found: Reduced, law_bounds: Any, back: Any,
    precision: Precision,
) -> NDArray[np.float64]:  # fmt: skip
    """Of dL/dp, (c, n, m); a slope that is smaller than its bound is set to 0.

    As L is: by the residual of L' F + L F_p at the columns that determine it.
    """
    laws, pivots, columns = found.null, found.pivots, found.columns
    bounds = np.zeros(slopes.shape)
    if pivots:
        rates, parts = F[:, columns], by_p[columns]
        inner = np.stack([product(slopes[..., j].copy(), rates) for j in range(slopes.shape[2])])
        left = np.abs(to_float64(inner.transpose(2, 1, 0) + _turned(laws, parts)))  # (r, c, m)
        held, moving = np.abs(to_float64(parts)), np.abs(to_float64(rates))
        terms = np.einsum("cnm,nk->kcm", np.abs(to_float64(slopes)), moving)
        terms += np.einsum("cn,knm->kcm", np.abs(to_float64(laws)), held)
        wrong = left + ROUNDINGS * precision.eps * terms
        wrong += np.einsum("cn,knm->kcm", law_bounds, held)
        bounds[:, pivots] = 2.0 * np.einsum("kcm,kr->crm", wrong, back)
    sizes = np.abs(to_float64(slopes))
    small = sizes <= bounds
    slopes[small] = precision.number(0.0)
    return np.asarray(bounds + np.where(small, sizes, 0.0))


def _turned(laws: Array, by_p: Array) -> Array:
    """L F_p at some states, (K, c, m)."""
    return np.stack([product(laws, part) for part in by_p])

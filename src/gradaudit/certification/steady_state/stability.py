"""Whether a steady state attracts what is near it: the real parts of the Jacobian's eigenvalues.

Beside fast reactions, slow ones are lost in double precision: an epidemic that grows within 5000
and a binding of 1e6 are 1e10 apart, and what rounding leaves of the eigenvalue of the epidemic has
any sign. The slow ones are the large eigenvalues of the inverse, so that both are computed, from a
Jacobian and an inverse in extended precision.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.collocation.products import product
from gradaudit.certification.heyoka.precision import Precision, to_float64
from gradaudit.certification.steady_state.conservation import Conservation

Array = NDArray[Any]

TURNING = 1e-9
"""Of an eigenvalue: a real part below it neither attracts nor repels, as far as a long run shows.

After a billionth of an oscillation's damping time it is a centre, which has no steady state.
"""
RESOLVED = 1e-8
"""Of the largest eigenvalue: smaller ones are those of the inverse."""
REFINEMENTS = 3


class Stability(Enum):
    """What becomes of a small deviation."""

    STABLE = "it vanishes"
    UNSTABLE = "it grows"
    UNDECIDED = "it does neither, or rounding decides"


def stability(slopes: Array, laws: Conservation, scale: Array, precision: Precision) -> Stability:
    """Of the root at which a Jacobian (n, n) in extended precision is, beside conserved quantities.

    `scale` (n,) are sizes of the states.
    """
    of = laws.independent
    if not of:
        return Stability.STABLE
    others = [i for i in range(len(slopes)) if i not in of]
    own = slopes[np.ix_(of, of)]
    if others:  # a law has 1 at one of the others, and none at the rest of them
        L = laws.laws
        order = [int(np.argmax(to_float64(L[k, others]) != 0.0)) for k in range(len(L))]
        follow = precision.array(np.zeros((len(others), len(of))))
        follow[order] = -L[:, of] / L[range(len(L)), np.array(others)[order]][:, None]
        own = own + product(np.ascontiguousarray(slopes[np.ix_(of, others)]), follow)
    size = precision.array(scale[of])
    return of_matrix(np.ascontiguousarray(own * size / size[:, None]), precision)


def of_matrix(matrix: Array, precision: Precision) -> Stability:
    """Of a Jacobian (k, k) in extended precision, in units of one size."""
    found = _judged(np.linalg.eigvals(to_float64(matrix)))
    if found.unstable or found.turning:
        return Stability.UNSTABLE if found.unstable else Stability.UNDECIDED
    if found.resolved == len(matrix):
        return Stability.STABLE
    inverse = _inverse(matrix, precision)
    if inverse is None:
        return Stability.UNDECIDED
    slow = _judged(np.linalg.eigvals(inverse))
    if slow.unstable:
        return Stability.UNSTABLE
    # the slowest ones are the largest of the inverse: none is between those that both resolve
    whole = found.resolved + slow.resolved >= len(matrix)
    return Stability.STABLE if whole and not slow.turning else Stability.UNDECIDED


class _Judged(NamedTuple):
    """How many eigenvalues are resolved, and whether one of these grows, or neither nor."""

    resolved: int
    unstable: bool
    turning: bool


def _judged(values: Any) -> _Judged:
    size = np.abs(values)
    resolved = size > RESOLVED * size.max(initial=0.0)
    clear = np.abs(values.real) > TURNING * size
    return _Judged(
        int(resolved.sum()),
        bool(np.any(resolved & clear & (values.real > 0.0))),
        bool(np.any(resolved & ~clear)),
    )


def _inverse(matrix: Array, precision: Precision) -> Any:
    """In float64 numbers that are right to their last digits; None where that is not reached."""
    rows = np.abs(to_float64(matrix)).max(axis=1)
    if not np.all(rows > 0.0):
        return None
    matrix = np.ascontiguousarray(matrix / precision.array(rows)[:, None])
    unit = precision.array(np.eye(len(matrix)))
    try:
        inverse = precision.array(np.linalg.inv(to_float64(matrix)))
    except np.linalg.LinAlgError:
        return None
    defect = np.inf
    for _ in range(REFINEMENTS):
        rest = unit - product(matrix, inverse)
        defect = float(np.abs(to_float64(rest)).sum(axis=0).max())
        inverse = inverse + product(inverse, rest)
    found = to_float64(inverse / precision.array(rows))
    return found if defect < np.finfo(np.float64).eps and np.all(np.isfinite(found)) else None

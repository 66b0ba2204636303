"""Zeros and extrema of functions along an element, all of them, in double precision.

A function is sampled along the polynomial of the element and expanded in Chebyshev polynomials, of
which the zeros are eigenvalues (Boyd 2013, SIAM Review 55, 375-396). Where the expansion does not
meet the function at other points, in particular at points as dense as the window asks for, the
element is too long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

Float = NDArray[np.float64]

DEGREES, LOCAL = (32, 128), 8
RESOLVED = 1e-9
"""Of the largest value: by so much the expansion may miss the function between its nodes."""

ROUNDING = 1e-13
"""Of the arguments of a function; what so much of them changes in it is rounding."""

BESIDE = 1e-9
"""By so much of the element a zero may lie beyond its ends, lest rounding lose it between two."""

TURN = 1e-6
"""Of the element: so far from a zero its two sides are seen."""

NEARBY = 1e-3
"""Of the element: about an extremum a function is expanded again, so far to both sides."""

REAL = 1e-7
"""The imaginary part of a zero, of the element, which rounding of a double zero explains."""


@lru_cache(maxsize=8)
def nodes(degree: int) -> Float:
    """Chebyshev points of the second kind on [0, 1], (degree + 1,)."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.arange(degree + 1) / degree))


@lru_cache(maxsize=8)
def _transform(degree: int) -> Float:
    """From values at the nodes to the coefficients."""
    return np.asarray(np.linalg.inv(chebyshev.chebvander(2.0 * nodes(degree) - 1.0, degree)))


@lru_cache(maxsize=32)
def between(count: int) -> Float:
    """Other points on [0, 1], (count,), none at regular places."""
    return np.asarray((np.arange(count) + 0.5 + 0.3 * np.sin(5.0 * np.arange(count))) / count)


def expansion(values: Float) -> Float:
    """Chebyshev coefficients (degree + 1, F) from values at the nodes (F, degree + 1)."""
    return np.asarray(_transform(values.shape[1] - 1) @ values.T)


def misses(coefficients: Float, values: Float, at: Float, rounding: Float) -> NDArray[np.bool_]:
    """Which functions (F,) have other values (F, K) at some points (K,) than their expansion.

    `rounding` is the rounding level (F,) of the functions.
    """
    found = chebyshev.chebval(2.0 * at - 1.0, coefficients)
    largest = np.abs(values).max(axis=1, initial=0.0)
    # no comparison with NaN is true
    fine = np.abs(found - values).max(axis=1) <= RESOLVED * largest + rounding
    return np.asarray(~fine)


def away(coefficients: Float) -> NDArray[np.bool_]:
    """Which functions (F,) are seen at a glance to have no zero."""
    size = np.abs(coefficients)
    return np.asarray(size[0] > (1.0 + 1e-12) * size[1:].sum(axis=0))


def zeros(coefficients: Float, beside: float = BESIDE) -> list[float]:
    """Where on [0, 1], or just beside, one function is 0; increasing."""
    kept = _trimmed(coefficients)
    if len(kept) < 2 or away(kept[:, None])[0]:
        return []
    found: NDArray[Any] = chebyshev.chebroots(kept)
    shares = 0.5 + 0.5 * found
    inside = (np.abs(shares.imag) < REAL) & (np.abs(shares.real - 0.5) <= 0.5 + beside)
    return [float(x) for x in np.sort(shares.real[inside])]


def value(coefficients: Float, share: float) -> float:
    """One function at a share of the element."""
    return float(chebyshev.chebval(2.0 * share - 1.0, coefficients))


def values(coefficients: Float, share: float) -> Float:
    """All functions (F,) at a share of the element."""
    return np.asarray(chebyshev.chebval(2.0 * share - 1.0, coefficients), np.float64)


def smallest(coefficients: Float, end: float) -> float:
    """Roughly where on [0, end] one function is smallest."""
    shares = end * nodes(DEGREES[-1])
    return float(shares[np.argmin(np.abs(chebyshev.chebval(2.0 * shares - 1.0, coefficients)))])


def slope(coefficients: Float, share: float) -> float:
    """The derivative of one function, with respect to the share of the element."""
    return float(2.0 * chebyshev.chebval(2.0 * share - 1.0, chebyshev.chebder(coefficients)))


def turns(coefficients: Float, share: float) -> bool:
    """Whether a zero of one function is a change of its sign."""
    sides = chebyshev.chebval(2.0 * (share + np.array([-TURN, TURN])) - 1.0, coefficients)
    return bool(sides[0] * sides[1] < 0.0)


def curvature(coefficients: Float, share: float) -> float:
    """The second derivative of one function, with respect to the share of the element."""
    second = chebyshev.chebder(coefficients, 2)
    return float(4.0 * chebyshev.chebval(2.0 * share - 1.0, second))


def at_end(coefficients: Float) -> tuple[Float, Float]:
    """Values of functions at 1 and their derivatives with respect to the share, (F,)."""
    values = chebyshev.chebval(1.0, coefficients)
    rates = 2.0 * chebyshev.chebval(1.0, chebyshev.chebder(coefficients))
    return np.asarray(values, np.float64), np.asarray(rates, np.float64)


def extrema(coefficients: Float, beside: float = BESIDE) -> list[float]:
    """Where on [0, 1], or just beside, one function has an extremum; increasing."""
    kept = _trimmed(coefficients)
    slopes: Float = np.asarray(chebyshev.chebder(kept), dtype=np.float64)
    return zeros(slopes, beside) if len(kept) > 2 else []


def refined(function: Callable[[Float], Float], share: float) -> list[float]:
    """Extrema of a function of shares close to one that its expansion shows.

    The expansion of a whole element does not tell them to the last digits.
    """
    values = function(share + NEARBY * (2.0 * nodes(LOCAL) - 1.0))
    found = extrema(expansion(values[None])[:, 0])
    return [share + NEARBY * (2.0 * x - 1.0) for x in found]


def _trimmed(coefficients: Float) -> Float:
    """Without the last coefficients that are rounding."""
    size = np.abs(coefficients)
    meaningful = np.flatnonzero(size > 1e-15 * size.max(initial=0.0))
    return coefficients[: meaningful[-1] + 1] if len(meaningful) else coefficients[:0]

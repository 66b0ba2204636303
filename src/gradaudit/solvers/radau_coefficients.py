"""Coefficients of the Radau IIA methods of s stages, computed when they are asked for.

The nodes c are the zeros of P_s - P_{s-1}, with the Legendre polynomials of the interval from 0 to
1, and the stages are a collocation there. All is solved in double precision and refined with
rational numbers, so that it is right to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.polynomial import legendre


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Of the method with s stages.

    Attributes
    ----------
    c
        (s,) The nodes, the last one is 1.
    inverse
        (s, s) The inverse of the matrix A of Butcher's tableau.
    dense
        (s, s) Of stages z_i = y(t + c_i h) - y to the coefficients of x, x^2, ... in y(t + x h).
    eigenvalues
        (s,) Of `inverse`: the real one, those of positive imaginary part, their conjugates.
    to_eigen, from_eigen
        (s, s) Of stages to components along its eigenvectors, and back.
    error
        (s,) The embedded error before it is filtered: h f(t, y) / eigenvalues[0] + error @ z.
    """

    c: np.ndarray
    inverse: np.ndarray
    dense: np.ndarray
    eigenvalues: np.ndarray
    to_eigen: np.ndarray
    from_eigen: np.ndarray
    error: np.ndarray


@cache
def radau(stages: int) -> Coefficients:
    """The coefficients of the method of order 2 s - 1; s is odd."""
    difference = np.zeros(stages + 1)
    difference[[-1, -2]] = 1.0, -1.0
    nodes = [_polished(difference, x) for x in sorted(legendre.legroots(difference))[:-1]]
    nodes.append(Fraction(1))
    powers = _matrix(lambda i, k: nodes[i] ** (k + 1), stages)
    slopes = _matrix(lambda i, k: (k + 1) * nodes[i] ** k, stages)
    # z = powers q and h f = slopes q for the coefficients q of the polynomial through the stages.
    dense = _inverse(powers)
    inverse = slopes @ dense
    values, vectors = np.linalg.eig(inverse.astype(float))
    # The real one first, and each conjugate as far behind as its partner.
    half = sorted((k for k in range(stages) if values[k].imag > 1e-9), key=lambda k: values[k].imag)
    (real,) = (k for k in range(stages) if abs(values[k].imag) < 1e-9)
    values = np.concatenate([[values[real].real], values[half], values[half].conj()])
    vectors = np.column_stack(
        [vectors[:, real].real, vectors[:, half], vectors[:, half].conj()]
    ).astype(complex)
    # Weights of h f at 0 and at the nodes, the first given, that integrate powers below s.
    gamma = Fraction(float(1.0 / values[0].real))
    moments = [Fraction(1, k + 1) - (gamma if k == 0 else 0) for k in range(stages)]
    below = _matrix(lambda k, i: nodes[i] ** k, stages)
    embedded = _inverse(below) @ np.array(moments)
    weights = _inverse(below) @ np.array([Fraction(1, k + 1) for k in range(stages)])
    return Coefficients(
        c=np.array(nodes, dtype=float),
        inverse=inverse.astype(float),
        dense=dense.astype(float),
        eigenvalues=values,
        to_eigen=np.linalg.inv(vectors),
        from_eigen=vectors,
        error=((embedded - weights) @ inverse).astype(float),
    )


def _polished(series: np.ndarray, x: float) -> Fraction:
    """The zero of a Legendre series near x, on the interval from 0 to 1, to 30 digits."""
    polynomial = [Fraction(float(a)) for a in legendre.leg2poly(series)]
    slope = [k * a for k, a in enumerate(polynomial)][1:]

    def at(coefficients: list[Fraction], z: Fraction) -> Fraction:
        return sum((a * z**k for k, a in enumerate(coefficients)), Fraction(0))

    z = Fraction(float(x))
    for _ in range(2):
        z = (z - at(polynomial, z) / at(slope, z)).limit_denominator(10**30)
    return (1 + z) / 2


def _matrix(entry: Any, size: int) -> np.ndarray:
    return np.array([[Fraction(entry(i, k)) for k in range(size)] for i in range(size)])


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """By Gauss and Jordan's elimination in rational numbers."""
    size = len(matrix)
    rows = np.hstack([matrix, _matrix(lambda i, k: int(i == k), size)])
    for k in range(size):
        pivot = k + next(i for i, x in enumerate(rows[k:, k]) if x != 0)
        rows[[k, pivot]] = rows[[pivot, k]]
        rows[k] = rows[k] / rows[k, k]
        for i in range(size):
            if i != k:
                rows[i] = rows[i] - rows[i, k] * rows[k]
    return rows[:, size:]

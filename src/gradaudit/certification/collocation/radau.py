"""Radau IIA collocation with any number of points: nodes and matrices in any precision.

The nodes c_1 < ... < c_s = 1 are the zeros of P_s - P_(s-1), Legendre polynomials on [0, 1]
(Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.5). A polynomial of
degree s through its value at 0 and at the nodes is represented by its increments Z from the value
at 0. All numbers are computed with 60 decimal digits and rounded once, since the matrices amplify
the errors of their nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import roots_jacobi

from gradaudit.certification.collocation.products import product
from gradaudit.certification.heyoka.precision import QUAD, Precision
from gradaudit.errors import SettingError

Array = NDArray[np.float64]
Exact = list[list[Decimal]]

DIGITS = 60
FEWEST, MOST = 3, 40


@dataclass(frozen=True, kw_only=True)
class Radau:
    """The method with s points in one precision.

    Attributes
    ----------
    nodes
        c, (s,).
    derivative
        A^-1, (s, s): derivatives at the nodes of the polynomial with increments Z, per element.
    integral
        A, (s, s): integrals from 0 to each node of the polynomial through values at the nodes.
    legendre
        From increments at the nodes to the coefficients of P_0 .. P_s, (s + 1, s).
    nodes64, derivative64
        The same, rounded to float64.
    """

    s: int
    precision: Precision
    nodes: NDArray[Any]
    derivative: NDArray[Any]
    integral: NDArray[Any]
    legendre: NDArray[Any]
    nodes64: Array
    derivative64: Array

    def weights_at(self, shares: NDArray[Any]) -> NDArray[Any]:
        """What increments Z are multiplied with to obtain those at `shares` (T,) of the element.

        Shape (T, s), in the precision of the method.
        """
        x = 2 * shares - 1
        rows = [x * 0 + 1, x]
        for k in range(1, self.s):
            rows.append(((2 * k + 1) * x * rows[-1] - k * rows[-2]) / (k + 1))
        return product(np.stack(rows, axis=1), self.legendre)


@lru_cache(maxsize=32)
def radau(s: int, precision: Precision) -> Radau:
    """The method with s points, computed once.

    Raises
    ------
    SettingError
        If there are too few points for an order above 4, or more than 60 digits suffice for.
    """
    if not FEWEST <= s <= MOST:
        raise SettingError(f"{s} collocation points: ask for {FEWEST} to {MOST}.")
    if precision.bits > QUAD.bits:
        raise SettingError(
            f"collocation in {precision.name} precision: its matrices have {DIGITS} digits, which "
            "suffice for quad precision. Choose quad, long double or double."
        )
    with localcontext() as context:
        context.prec = DIGITS
        nodes = _nodes(s)
        derivative = _derivative([Decimal(0), *nodes])
        vandermonde = [_legendre(2 * x - 1, s) for x in (Decimal(0), *nodes)]
        # the increment at 0 is 0, and so is the use of that column
        legendre = [row[1:] for row in _inverse(vandermonde)]
        matrices = [derivative, _inverse(derivative), legendre]
        rounded = [_rounded(matrix, precision) for matrix in matrices]
        return Radau(
            s=s,
            precision=precision,
            nodes=_rounded([nodes], precision)[0],
            derivative=rounded[0],
            integral=rounded[1],
            legendre=rounded[2],
            nodes64=np.array([float(c) for c in nodes]),
            derivative64=np.array([[float(x) for x in row] for row in derivative]),
        )


def _nodes(s: int) -> list[Decimal]:
    """Newton from the zeros in double precision, which doubles the digits each time."""
    nodes = []
    for start in roots_jacobi(s - 1, 1.0, 0.0)[0]:
        x = Decimal(float(start))
        for _ in range(3):
            values = _legendre(x, s)
            slopes = [n * (values[n - 1] - x * values[n]) / (1 - x * x) for n in (s - 1, s)]
            x -= (values[s] - values[s - 1]) / (slopes[1] - slopes[0])
        nodes.append((1 + x) / 2)
    return [*nodes, Decimal(1)]


def _legendre(x: Decimal, s: int) -> list[Decimal]:
    """P_0 .. P_s at x in [-1, 1]."""
    values = [Decimal(1), x]
    for k in range(1, s):
        values.append(((2 * k + 1) * x * values[-1] - k * values[-2]) / (k + 1))
    return values


def _derivative(points: list[Decimal]) -> Exact:
    """Of the polynomial through the points, by barycentric weights; without the first point."""
    weights = []
    for i, x in enumerate(points):
        product = Decimal(1)
        for j, other in enumerate(points):
            if j != i:
                product *= x - other
        weights.append(1 / product)
    rows = []
    for i, x in enumerate(points):
        row = [
            weights[j] / weights[i] / (x - other) if j != i else Decimal(0)
            for j, other in enumerate(points)
        ]
        row[i] = -sum(row, Decimal(0))
        rows.append(row[1:])
    return rows[1:]


def _inverse(matrix: Exact) -> Exact:
    """By Gauss-Jordan elimination with pivoting by rows."""
    n = len(matrix)
    rows = [[*row, *(Decimal(int(i == j)) for j in range(n))] for i, row in enumerate(matrix)]
    for k in range(n):
        pivot = max(range(k, n), key=lambda i: abs(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            factor = rows[i][k]
            if i != k and factor:
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[n:] for row in rows]


def _rounded(matrix: Exact, precision: Precision) -> NDArray[Any]:
    """In the precision: as the sum of three doubles, which is exact but for the last rounding."""
    result: NDArray[Any] = np.empty((len(matrix), len(matrix[0])), dtype=precision.fp_type)
    for i, row in enumerate(matrix):
        for j, x in enumerate(row):
            parts = []
            for _ in range(3):
                parts.append(float(x))
                x -= Decimal(parts[-1])
            number = precision.number(parts[2])
            for part in parts[1::-1]:
                number = number + precision.number(part)
            result[i, j] = number
    return result

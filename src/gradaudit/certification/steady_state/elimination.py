"""Gaussian elimination in every precision of heyoka: ranks, null spaces, linear systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.heyoka.precision import Precision, to_float64

Array = NDArray[Any]


@dataclass(frozen=True)
class Reduced:
    """A matrix F (n, M) of rank r, by its rows.

    Attributes
    ----------
    pivots, columns
        r rows that are independent, and r columns in which they are; in the order of elimination.
    others
        The rows that depend on them.
    null
        For each of `others` the combination of rows that vanishes, (n - r, n): one at its own
        place, and what belongs to the pivots.
    """

    pivots: list[int]
    columns: list[int]
    others: list[int]
    null: Array


def reduced(F: Array, precision: Precision, tolerance: float) -> Reduced:
    """Eliminate with the largest entry as the pivot.

    `tolerance` is the share of its own largest entry below which what is left of a row is zero.
    """
    n = len(F)
    work, track = F.copy(), precision.array(np.eye(n))
    sizes = np.abs(to_float64(F)).max(axis=1, initial=0.0)
    sizes = np.where(sizes > 0.0, sizes, 1.0)
    pivots: list[int] = []
    columns: list[int] = []
    left = list(range(n))
    while left:
        relative = np.abs(to_float64(work[left])) / sizes[left, None]
        place = np.unravel_index(int(np.argmax(relative)), relative.shape)
        if not relative[place] > tolerance:
            break
        row, column = left.pop(int(place[0])), int(place[1])
        pivots.append(row)
        columns.append(column)
        rest = np.array(left, dtype=int)
        if len(rest):
            factor = work[rest, column] / work[row, column]
            work[rest] = work[rest] - factor[:, None] * work[row][None, :]
            track[rest] = track[rest] - factor[:, None] * track[row][None, :]
            work[rest, column] = precision.number(0.0)
    return Reduced(pivots, columns, left, track[left])


def solved(A: Array, B: Array, precision: Precision) -> Array:
    """X (n, k) with A X = B, for A (n, n) of full rank and B (n, k)."""
    A, B = A.copy(), B.copy()
    n = len(A)
    for k in range(n):
        row = k + int(np.argmax(np.abs(to_float64(A[k:, k]))))
        if row != k:
            A[[k, row]], B[[k, row]] = A[[row, k]], B[[row, k]]
        if k + 1 < n:
            factor = A[k + 1 :, k] / A[k, k]
            A[k + 1 :] = A[k + 1 :] - factor[:, None] * A[k][None, :]
            B[k + 1 :] = B[k + 1 :] - factor[:, None] * B[k][None, :]
    found: Array = np.empty(B.shape, dtype=B.dtype)
    for k in range(n - 1, -1, -1):
        rest = B[k].copy()
        for j in range(k + 1, n):
            rest = rest - A[k, j] * found[j]
        found[k] = rest / A[k, k]
    return found

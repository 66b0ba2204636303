"""Products of small matrices in every precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gradaudit.certification.heyoka.precision import Precision

Array = NDArray[Any]
NATIVE = (np.float64, np.longdouble)

FEW = 0.2
"""Of the entries of a matrix: with fewer that are not zero a sparse product is faster."""

LARGE = 20
"""Rows from which on that is so."""


def product(a: Array, b: Array) -> Array:
    """``a @ b`` for a (..., i, j) and b (..., j, k).

    NumPy's own product of heyoka's types calls Python for every entry: 25 times as slow as a sum
    of outer products.
    """
    if a.dtype in NATIVE:
        return np.asarray(a @ b)
    if not a.shape[-1]:
        return np.zeros((*a.shape[:-1], b.shape[-1]), dtype=a.dtype)
    total = a[..., :, 0, None] * b[..., 0, None, :]
    for k in range(1, a.shape[-1]):
        total = total + a[..., :, k, None] * b[..., k, None, :]
    return np.asarray(total)


def along_points(matrix: Array, values: Array) -> Array:
    """A matrix (r, s) times values (s, ...): shape (r, ...)."""
    flat = product(matrix, values.reshape(len(values), -1))
    return flat.reshape(len(matrix), *values.shape[1:])


def cast(values: Array, precision: Precision) -> Array:
    """Values in another precision, rounded; what double cannot hold is lost on the way to quad."""
    if values.dtype in NATIVE and precision.fp_type in (float, *NATIVE):
        return values.astype(precision.fp_type)
    return precision.array(values.astype(np.float64))


class Blocks:
    """Matrices (K, i, j) that are zero at the same places, to be multiplied several times.

    NumPy multiplies matrices in long double without any blocks, at the speed of single operations.

    Parameters
    ----------
    pattern
        Where they may differ from zero, (i, j).
    """

    def __init__(self, values: Array, pattern: NDArray[np.bool_]) -> None:
        self.values, self.sparse = values, None
        if values.dtype in NATIVE and len(pattern) >= LARGE and pattern.mean() < FEW:
            rows, columns = np.nonzero(pattern)
            starts = np.searchsorted(rows, np.arange(len(pattern) + 1))
            self.sparse = [
                sparse.csr_array((own[rows, columns], columns, starts), shape=pattern.shape)
                for own in values
            ]

    def times(self, b: Array) -> Array:
        """Their products (K, i, k) with b (K, j, k)."""
        if self.sparse is None:
            return product(self.values, b)
        return np.stack([own @ part for own, part in zip(self.sparse, b, strict=True)])

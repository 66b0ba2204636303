"""Products of small matrices in every precision."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.heyoka.precision import Precision

Array = NDArray[Any]
NATIVE = (np.float64, np.longdouble)


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

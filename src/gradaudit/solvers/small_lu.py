"""Linear systems with one matrix and many right-hand sides, in plain XLA where they are small.

The routines of LAPACK are calls out of a compiled loop, so that XLA cannot make one kernel of a
solver's loop that has them, and for a few unknowns the calls cost more than the arithmetic. Up to
`UNROLLED` unknowns, Gaussian elimination with partial pivoting is written out instead.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from gradaudit.backend.shapes import Array

UNROLLED = 16
"""Most unknowns for which elimination is written out; see ``benchmarks/implicit_cost.py``."""


def solver_of(matrix: Array) -> Callable[[Array], Array]:
    """Right-hand side (n,) to solution (n,), by one factorisation of the matrix (n, n).

    Real or complex. The result is not finite where the matrix is singular.
    """
    n = matrix.shape[0]
    if n > UNROLLED:
        factors = jax.scipy.linalg.lu_factor(matrix)
        return lambda b: jax.scipy.linalg.lu_solve(factors, b)
    lu, order = _factor(matrix)

    def solve(b: Array) -> Array:
        x = b[order]
        for k in range(n - 1):
            x = x.at[k + 1 :].add(-lu[k + 1 :, k] * x[k])
        for k in reversed(range(n)):
            last = x[k] / lu[k, k]
            x = x.at[k].set(last)
            x = x.at[:k].add(-lu[:k, k] * last)
        return x

    return solve


def _factor(a: Array) -> tuple[Array, Array]:
    """L without its ones and U in one array, and the order in which the rows were taken."""
    n = a.shape[0]
    order = jnp.arange(n)
    for k in range(n - 1):
        pivot = k + jnp.argmax(jnp.abs(a[k:, k]))
        a, order = _swapped(a, k, pivot), _swapped(order, k, pivot)
        multiples = a[k + 1 :, k] / a[k, k]
        a = a.at[k + 1 :, k].set(multiples)
        a = a.at[k + 1 :, k + 1 :].add(-multiples[:, None] * a[k, k + 1 :])
    return a, order


def _swapped(rows: Array, k: int, other: Array) -> Array:
    here, there = rows[k], lax.dynamic_index_in_dim(rows, other, keepdims=False)
    return lax.dynamic_update_index_in_dim(rows.at[k].set(there), here, other, 0)

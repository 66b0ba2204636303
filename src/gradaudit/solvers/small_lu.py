"""Linear systems with one matrix and many right-hand sides, in plain XLA.

The routines of LAPACK are calls out of a compiled loop, so that XLA cannot make one kernel of a
solver's loop that has them, and for a few unknowns the calls cost more than the arithmetic.
Gaussian elimination with partial pivoting is written out in scalars up to `WRITTEN_OUT` unknowns,
beyond which that compiles for minutes. Up to `PLAIN` a loop over rows inverts the matrix (Gauss and
Jordan): substitution would be two loops more for each right-hand side, which takes Rodas5P twice as
long with 8 or 10 states, with errors that are the same. Up to `INVERTED` LAPACK inverts it, in one
call out of the loop instead of one for each right-hand side: with 34 states Rodas5P takes 0.7 to
0.9 of the time.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

WRITTEN_OUT = 4
PLAIN = 16
"""Most unknowns for which LAPACK is not called."""
INVERTED = 64
"""Most for which a product with the inverse takes less time than substitution."""


def solver_of(matrix: Array) -> Callable[[Array], Array]:
    """Right-hand side (n,) to solution (n,), by one elimination of the matrix (n, n).

    Real or complex. Rows and columns are divided by their sizes first: with states of 1e-9 beside
    ones of 1e12 a pivot that is the largest one would be so by its unit. The result is not finite
    where the matrix is singular.
    """
    rows = _power_of_two(jnp.max(jnp.abs(matrix), axis=1))
    columns = _power_of_two(jnp.max(jnp.abs(matrix) / rows[:, None], axis=0))
    solve = _balanced(matrix / rows[:, None] / columns)
    return lambda b: solve(b / rows) / columns


def _power_of_two(sizes: Array) -> Array:
    """The nearest one, by which a division has no rounding; 1 for what is 0 or not finite."""
    known = jnp.where((sizes > 0.0) & jnp.isfinite(sizes), sizes, 1.0)
    return lax.reduce_precision(known, jnp.finfo(known.dtype).nexp, 0)


def _balanced(matrix: Array) -> Callable[[Array], Array]:
    n = matrix.shape[0]
    if n > PLAIN:
        factors = jax.scipy.linalg.lu_factor(matrix)
        if n <= INVERTED:
            inverse = jax.scipy.linalg.lu_solve(factors, jnp.eye(n, dtype=matrix.dtype))
            return lambda b: inverse @ b
        return lambda b: jax.scipy.linalg.lu_solve(factors, b)
    return _in_scalars(matrix) if n <= WRITTEN_OUT else _in_loops(matrix)


def _in_scalars(matrix: Array) -> Callable[[Array], Array]:
    n = matrix.shape[0]
    a = [[matrix[i, j] for j in range(n)] for i in range(n)]
    swaps: dict[tuple[int, int], Array] = {}  # of rows k and i, one after another
    for k in range(n):
        for i in range(k + 1, n):
            swap = jnp.abs(a[i][k]) > jnp.abs(a[k][k])
            for j in range(k, n):
                a[k][j], a[i][j] = _swapped_if(swap, a[k][j], a[i][j])
            swaps[k, i] = swap
        for i in range(k + 1, n):
            a[i][k] = a[i][k] / a[k][k]
            for j in range(k + 1, n):
                a[i][j] = a[i][j] - a[i][k] * a[k][j]

    def solve(b: Array) -> Array:
        x = [b[i] for i in range(n)]
        for k in range(n):
            for i in range(k + 1, n):
                x[k], x[i] = _swapped_if(swaps[k, i], x[k], x[i])
            for i in range(k + 1, n):
                x[i] = x[i] - a[i][k] * x[k]
        for k in reversed(range(n)):
            for j in range(k + 1, n):
                x[k] = x[k] - a[k][j] * x[j]
            x[k] = x[k] / a[k][k]
        return jnp.stack(x)

    return solve


def _swapped_if(swap: Array, here: Array, there: Array) -> tuple[Array, Array]:
    return jnp.where(swap, there, here), jnp.where(swap, here, there)


def _in_loops(matrix: Array) -> Callable[[Array], Array]:
    n = matrix.shape[0]
    places = jnp.arange(n)

    def eliminate(k: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        a, order = carry
        pivot = jnp.argmax(jnp.where(places >= k, jnp.abs(a[:, k]), -1.0))
        a, order = _swapped(a, k, pivot), _swapped(order, k, pivot)
        here = places == k
        row = jnp.where(here, 1.0, a[k]) / a[k, k]
        column = jnp.where(here, 0.0, a[:, k])
        others = jnp.where(here, 0.0, a) - column[:, None] * row
        return jnp.where(here[:, None], row, others), order

    inverse, order = lax.fori_loop(0, n, eliminate, (matrix, places))
    # No product of matrices, which is a call out of the loop as well.
    return lambda b: jnp.sum(inverse * b[order], axis=1)


def _swapped(rows: Array, k: Array, other: Array) -> Array:
    here, there = rows[k], rows[other]
    places = jnp.arange(rows.shape[0]).reshape(-1, *(1,) * (rows.ndim - 1))
    return jnp.where(places == k, there, jnp.where(places == other, here, rows))

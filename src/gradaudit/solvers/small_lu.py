"""Linear systems with one matrix and many right-hand sides, in plain XLA.

The routines of LAPACK are calls out of a compiled loop, so that XLA cannot make one kernel of a
solver's loop that has them, and for a few unknowns the calls cost more than the arithmetic.
Gaussian elimination with partial pivoting is written out up to `WRITTEN_OUT` unknowns, beyond which
that compiles for minutes, and is a loop up to `PLAIN`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

WRITTEN_OUT = 4
PLAIN = 16
"""Most unknowns for which LAPACK is not called."""


def solver_of(matrix: Array) -> Callable[[Array], Array]:
    """Right-hand side (n,) to solution (n,), by one factorisation of the matrix (n, n).

    Real or complex. The result is not finite where the matrix is singular.
    """
    n = matrix.shape[0]
    if n > PLAIN:
        factors = jax.scipy.linalg.lu_factor(matrix)
        return lambda b: jax.scipy.linalg.lu_solve(factors, b)
    places = jnp.arange(n)

    def eliminate(k: int | Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        a, order = carry
        pivot = jnp.argmax(jnp.where(places >= k, jnp.abs(a[:, k]), -1.0))
        a, order = _swapped(a, k, pivot), _swapped(order, k, pivot)
        multiples = jnp.where(places > k, a[:, k] / a[k, k], 0.0)
        a = a - multiples[:, None] * jnp.where(places > k, a[k], 0.0)
        here = (places > k)[:, None] & (places == k)
        return jnp.where(here, multiples[:, None], a), order

    lu, order = _repeat(n, eliminate, (matrix, places))
    lower, upper, diagonal = jnp.tril(lu, -1), jnp.triu(lu, 1), jnp.diagonal(lu)

    def solve(b: Array) -> Array:
        def forward(k: int | Array, x: Array) -> Array:
            return x - lower[:, k] * x[k]

        def backward(i: int | Array, x: Array) -> Array:
            k = n - 1 - i
            last = x[k] / diagonal[k]
            return jnp.where(places == k, last, x - upper[:, k] * last)

        return _repeat(n, backward, _repeat(n, forward, b[order]))

    return solve


def _repeat(n: int, body: Callable[..., Any], start: Any) -> Any:
    """`lax.fori_loop`, written out where there are few turns."""
    if n > WRITTEN_OUT:
        return lax.fori_loop(0, n, body, start)
    for k in range(n):
        start = body(k, start)
    return start


def _swapped(rows: Array, k: int | Array, other: Array) -> Array:
    here, there = rows[k], rows[other]
    places = jnp.arange(rows.shape[0]).reshape(-1, *(1,) * (rows.ndim - 1))
    return jnp.where(places == k, there, jnp.where(places == other, here, rows))

"""A vector field of many parameters as one of few: of the amounts of given changes.

A solve with tangents takes the changes of all parameters, (m, c), out of a matrix in every stage,
one column after another. With 10,000 weights that costs more than the products with them. Here they
are laid out once, one row per direction, and enter by their product with the field's Jacobian.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

MANY = 200
"""Parameters from which on it is worth it."""


def along_few(
    field: Callable[..., Any], y_size: int, theta: Any, vectors: Any
) -> tuple[Callable[..., Any], Any, Any]:
    """``(field(t, y, amounts), amounts, seeds)`` with c amounts, all 0, and their seeds (c, c).

    Parameters
    ----------
    field
        ``field(t, y, theta) -> (n,)``, with n = `y_size`.
    theta, vectors
        The parameters (m,) and their changes (m, c).
    """
    rows = vectors.T
    start = jnp.zeros(()), jax.ShapeDtypeStruct((y_size,), float), theta
    dynamic, static = eqx.partition(eqx.filter_closure_convert(field, *start), eqx.is_array)

    # What is being traced has to be an argument: a rule must not hold on to it.
    @jax.custom_jvp
    def product(t: Any, y: Any, amounts: Any, theta: Any, rows: Any, dynamic: Any) -> Any:
        del amounts, rows
        return eqx.combine(dynamic, static)(t, y, theta)

    @product.defjvp
    def _(primals: Any, tangents: Any) -> tuple[Any, Any]:
        t, y, _, theta, rows, dynamic = primals
        along_t, along_y, amounts = tangents[:3]
        whole = eqx.combine(dynamic, static)
        rates, pushed = jax.jvp(lambda t, y: whole(t, y, theta), (t, y), (along_t, along_y))

        def push(row: Any) -> Any:
            return jax.jvp(lambda p: whole(t, y, p), (theta,), (row,))[1]

        return rates, pushed + amounts @ jax.vmap(push)(rows)

    def few(t: Any, y: Any, amounts: Any) -> Any:
        return product(jnp.asarray(t, dtype=float), y, amounts, theta, rows, dynamic)

    count = rows.shape[0]
    return few, jnp.zeros(count), jnp.eye(count)

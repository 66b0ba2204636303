"""Batches of tangents as columns of one call, instead of as lanes that run beside each other.

`jax.jacfwd` batches tangents by `jax.vmap`. As lanes, every direction would be a solve of its own,
with the states solved again and steps of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.tree_util as jtu

Solve = Callable[[Any, Any], tuple[Any, Any]]


def columnwise(solve: Solve) -> Solve:
    """`solve`, such that `jax.vmap` over tangents alone widens them and does not repeat it.

    Parameters
    ----------
    solve
        ``(primals, tangents) -> (pushed, other)``: pytrees of arrays, where the tangents and what
        they are pushed to have one column per direction in the last axis, and `other` has none.

    Returns
    -------
    Callable
        The same function. A batch of primals is a batch as usual, and a batch of tangents within
        or around it still one of columns.
    """
    mapped = jax.custom_batching.custom_vmap(solve)

    @mapped.def_vmap
    def rule(size: int, batched: Any, primals: Any, tangents: Any) -> Any:
        of_primals, of_tangents = batched
        if any(jtu.tree_leaves(of_primals)):
            axes = jtu.tree_map(lambda yes: 0 if yes else None, (of_primals, of_tangents))
            lanes = columnwise(jax.vmap(solve, in_axes=axes, axis_size=size))
            pushed = lanes(primals, tangents)
            return pushed, jtu.tree_map(lambda _: True, pushed)

        def widen(x: Any, yes: bool) -> Any:
            x = x if yes else jnp.broadcast_to(x, (size, *x.shape))
            return jnp.moveaxis(x, 0, -1).reshape(*x.shape[1:-1], x.shape[-1] * size)

        def narrow(x: Any) -> Any:
            return jnp.moveaxis(x.reshape(*x.shape[:-1], x.shape[-1] // size, size), -1, 0)

        pushed, other = columnwise(solve)(primals, jtu.tree_map(widen, tangents, of_tangents))
        pushed = jtu.tree_map(narrow, pushed)
        return (pushed, other), (
            jtu.tree_map(lambda _: True, pushed),
            jtu.tree_map(lambda _: False, other),
        )

    return mapped

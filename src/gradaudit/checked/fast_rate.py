"""The mean rate of the fastest mode of a vector field along a solution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

POINTS = 5
"""Observations at which it is looked for."""

FIRST, PRODUCTS = 4, 8
"""Products that turn a random vector to the fast modes, and those whose growth is measured."""


def fast_rate(field: Callable[..., Any], times: Any, states: Any, p: Any) -> Any:
    """About the largest |lambda| of f_y, its mean over some of `times` (T,), `states` (T, n).

    Traced. By the power method: where one mode is far faster than all others it is right to some
    per cent, elsewhere to a factor of two, which is enough to tell whether stability limits steps.
    """
    chosen = np.unique(np.linspace(0, len(times) - 1, POINTS).astype(int))
    begin = jax.random.normal(jax.random.key(0), states.shape[1:], states.dtype)

    def rate(t: Any, y: Any) -> Any:
        _, push = jax.linearize(lambda y: field(t, y, p), y)

        def grow(v: Any, _: None) -> tuple[Any, Any]:
            pushed = push(v)
            size = jnp.linalg.norm(pushed)
            return pushed / jnp.where(size > 0.0, size, 1.0), size

        _, sizes = jax.lax.scan(grow, begin / jnp.linalg.norm(begin), None, FIRST + PRODUCTS)
        positive = jnp.where(sizes > 0.0, sizes, 1.0)
        geometric = jnp.exp(jnp.mean(jnp.log(positive[FIRST:])))
        return jnp.where(jnp.all(sizes > 0.0), geometric, 0.0)

    return jnp.mean(jax.vmap(rate)(jnp.asarray(times)[chosen], states[chosen]))

"""Compiled programs of a user's function: derivatives along directions, values along a line.

They are kept, so that a second check of the same function is not compiled again. A function whose
globals, closure or default arguments have changed is another one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.tree_util as jtu
from jax.flatten_util import ravel_pytree

from gradaudit.backend.jaxpr.purity import python_state


class Function:
    """A function of a pytree, with a hash by what it is and what it reads from outside."""

    def __init__(self, fun: Callable[[Any], Any]) -> None:
        self.fun = fun
        self.state = python_state(fun)

    def __hash__(self) -> int:
        return id(self.fun)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self.fun is other.fun and self.state == other.state

    def __call__(self, p: Any) -> jax.Array:
        return jnp.asarray(self.fun(p))


@partial(jax.jit, static_argnums=0)
def value(function: Function, p: Any) -> Any:
    """``fun(p)``; its trace is what is inspected."""
    return function(p)


@partial(jax.jit, static_argnums=0)
def along(function: Function, p: Any, vectors: Any) -> Any:
    """``(fun(p), derivatives (K,) along vectors (K, m))``."""
    _, unravel = ravel_pytree(p)

    def push(v: Any) -> Any:
        return jax.jvp(function, (p,), (unravel(v),))

    values, slopes = jax.vmap(push)(vectors)
    return values[0], slopes


@partial(jax.jit, static_argnums=0)
def on_line(function: Function, p: Any, vectors: Any, steps: Any) -> Any:
    """Values (K, L) at ``p + steps[l] vectors[k]``, one after another."""
    flat, unravel = ravel_pytree(p)

    def one(v: Any) -> Any:
        return jax.lax.map(lambda h: function(unravel(flat + h * v)), steps)

    return jax.lax.map(one, vectors)


@partial(jax.jit, static_argnums=0)
def reverse(function: Function, p: Any) -> Any:
    """The gradient as the user's program has it, by `jax.grad`."""
    return jax.grad(function)(p)


@partial(jax.jit, static_argnums=0)
def forward(function: Function, p: Any) -> Any:
    """The same by `jax.jacfwd`."""
    return jax.jacfwd(function)(p)


def in_double(p: Any) -> Any:
    """The pytree with leaves of double precision."""
    return jtu.tree_map(lambda leaf: jnp.asarray(leaf, dtype=float), p)

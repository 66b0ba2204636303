"""Compiled programs of a user's function: derivatives along directions, values along a line.

They are kept, so that a second check of the same function is not compiled again. A function that
reads what has changed since, wherever it is, is another one: its trace is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.tree_util as jtu
import numpy as np
from jax.flatten_util import ravel_pytree

from gradaudit.backend.jaxpr.purity import constants, python_state, same
from gradaudit.errors import SettingError


class Function:
    """A function of a pytree, equal to another if it is the same and does the same at `p`."""

    def __init__(self, fun: Callable[[Any], Any], p: Any) -> None:
        self.fun = fun
        self.state = python_state(fun)
        try:
            self.jaxpr: Any = _traced(fun, p)
        except Exception:  # whoever evaluates it reports that
            self.jaxpr = None
        # Arrays of NumPy in it are the user's own, and may change.
        self.numbers = [] if self.jaxpr is None else [c.tobytes() for c in constants(self.jaxpr)]

    def changes(self, p: Any) -> bool:
        """Whether it does something else when it is traced again."""
        return self.jaxpr is not None and not same(self.jaxpr, _traced(self.fun, p))

    def __hash__(self) -> int:
        return id(self.fun)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Function) or self.fun is not other.fun:
            return False
        if self.jaxpr is None or other.jaxpr is None or self.state != other.state:
            return False
        return self.numbers == other.numbers and same(self.jaxpr, other.jaxpr)

    def __call__(self, p: Any) -> jax.Array:
        found = self.fun(p)
        if not isinstance(found, jax.Array | np.ndarray | np.generic | complex | float | int):
            raise SettingError(
                f"fun has to return one real number, not {type(found).__name__}; of (loss, other) "
                "return the loss alone."
            )
        return jnp.asarray(found)


def _traced(fun: Callable[[Any], Any], p: Any) -> Any:
    """The jaxpr as of now: a new function has no trace in JAX's caches."""
    return jax.make_jaxpr(lambda p: fun(p))(p)


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

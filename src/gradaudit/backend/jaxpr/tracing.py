"""Tracing a function of a model into a jaxpr."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.extend.core
import jax.numpy as jnp
import numpy as np

from gradaudit.backend.jaxpr.walk import equations
from gradaudit.errors import TranslationError

_LOOP = (
    "a loop of equinox, as solvers of optimistix and diffrax are. Write a fixed number of steps "
    "(of Newton's method, say), which are followed one by one"
)
FOREIGN = {
    "linear_solve": "lineax.linear_solve. Write jnp.linalg.solve, which is followed for up to 16 "
    "unknowns",
    "nonbatchable": _LOOP,
    "unvmap_any": _LOOP,
}
"""Primitives that other packages bring, by name: whose call it is, and what to write."""


def trace(function: Callable[..., Any], sizes: Sequence[int | None], where: str) -> Any:
    """The jaxpr of a function of scalars (None) and vectors of the given sizes, in float64.

    Raises
    ------
    TranslationError
        If x64 is off, or a solver of another package is called.
    """
    if jax.dtypes.canonicalize_dtype(np.float64) != np.float64:
        raise TranslationError(
            f"{where}: JAX is in single precision, which rounds every literal to 7 digits. "
            'Set jax.config.update("jax_enable_x64", True) before tracing.'
        )
    shapes = [jax.ShapeDtypeStruct(() if s is None else (s,), jnp.float64) for s in sizes]
    closed = jax.make_jaxpr(function)(*shapes)
    for eqn in equations(closed.jaxpr):
        if eqn.primitive.name in FOREIGN:
            raise TranslationError(f"{where} calls {FOREIGN[eqn.primitive.name]}.")
    return closed


def fingerprint(function: Callable[..., Any], sizes: Sequence[int | None]) -> tuple[Any, ...]:
    """What a function of scalars (None) and vectors does now: equal if its jaxpr is, with numbers.

    JAX remembers a trace by the function, so that one that closes over what has changed has to be
    given as another function. A derivative of one's own is no part of a jaxpr, and is that of its
    tangents; what has one in reverse mode is equal to nothing.
    """
    shapes = [jax.ShapeDtypeStruct(() if s is None else (s,), jnp.float64) for s in sizes]
    closed = jax.make_jaxpr(lambda *values: function(*values))(*shapes)
    written = str(closed.jaxpr), tuple(_constants(closed))
    if "custom_vjp_call" in written[0]:
        return (object(),)
    if "custom_jvp_call" not in written[0]:
        return written

    def pushed(values: Any, directions: Any) -> Any:
        return jax.jvp(lambda *values: function(*values), values, directions)

    tangents = jax.make_jaxpr(pushed)(tuple(shapes), tuple(shapes))
    return *written, str(tangents.jaxpr), tuple(_constants(tangents))


def _constants(closed: Any) -> Iterator[bytes]:
    """The constants of a jaxpr and of those inside of it, which its text does not have."""
    yield from (np.asarray(value).tobytes() for value in closed.consts)
    for eqn in closed.jaxpr.eqns:
        for value in eqn.params.values():
            for inner in value if isinstance(value, (tuple, list)) else (value,):
                if hasattr(inner, "consts"):
                    yield from _constants(inner)
                elif hasattr(inner, "eqns"):
                    yield from _constants(jax.extend.core.ClosedJaxpr(inner, ()))

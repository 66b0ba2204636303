"""A function traced once and replayed from its jaxpr, for functions whose python code is slow.

A vector field that walks the formulas of a file does so each time it is traced, which is several
times for one solve. The jaxpr is a fraction of that. On the way what compares two constants is
decided, so that a condition on a dose that is a number is no switch; and what is computed twice is
computed once. Neither changes a rounding error.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxpr_as_fun
from numpy.typing import NDArray

import gradaudit.backend.jax_setup  # noqa: F401  # float64 before anything is traced
from gradaudit.backend.jaxpr.evaluator import Evaluator
from gradaudit.backend.jaxpr.form import Form, form_of
from gradaudit.backend.jaxpr.walk import INLINED, equations, inlined_body, is_log_add_exp

CALLS = frozenset(["jit", "pjit"])
"""Calls that nothing but their body defines; those with derivatives of their own stay."""

COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
    "eq": operator.eq, "ne": operator.ne,
}  # fmt: skip
COMBINED: dict[str, Callable[..., Any]] = {
    "and": np.logical_and, "or": np.logical_or, "not": np.logical_not, "xor": np.logical_xor,
}  # fmt: skip


class _Simplified(Evaluator[Any]):
    """An evaluation that does what has to be done, once, and leaves it to JAX."""

    def __init__(self) -> None:
        self.done: dict[Any, list[Any]] = {}
        self.operands: list[Any] = []  # kept, so that their identities stay their own

    def constant(self, value: Any) -> Any:
        return value

    def stack(self, rows: Sequence[Any]) -> Any:
        return jnp.stack(rows)

    def equation(self, eqn: Any, values: list[Any]) -> list[Any]:
        body = inlined_body(eqn)
        if body is not None and eqn.primitive.name in CALLS and not is_log_add_exp(body):
            return self.evaluate(body, values)
        return self.primitive(eqn, values)

    def primitive(self, eqn: Any, values: list[Any]) -> list[Any]:
        decided = _decided(eqn.primitive.name, values)
        if decided is not None:
            return [decided]
        key = _key(eqn, values)
        if key is None or key not in self.done:
            result = eqn.primitive.bind(*values, **eqn.params)
            results = list(result) if eqn.primitive.multiple_results else [result]
            if key is None:
                return results
            self.done[key] = results
            self.operands += values
        return self.done[key]


def _decided(name: str, values: list[Any]) -> Any | None:
    """The outcome of a comparison of numbers, of truths, or the case that a truth selects."""
    if name == "select_n":
        return values[1 + bool(values[0])] if isinstance(values[0], (bool, np.bool_)) else None
    if name in COMBINED and all(isinstance(value, (bool, np.bool_)) for value in values):
        return np.bool_(COMBINED[name](*values))
    if name not in COMPARED or any(isinstance(value, jax.core.Tracer) for value in values):
        return None
    return None if any(np.ndim(value) for value in values) else np.bool_(COMPARED[name](*values))


def _is_number(value: Any) -> bool:
    return not isinstance(value, jax.core.Tracer) and np.ndim(value) == 0


def _key(eqn: Any, values: list[Any]) -> Any | None:
    """Equal for equations that compute the same, None for what may not be computed once."""
    if eqn.effects or any(not _is_number(v) and not isinstance(v, jax.core.Tracer) for v in values):
        return None
    operands = tuple(
        (np.asarray(v).dtype.str, np.asarray(v).tobytes()) if _is_number(v) else id(v)
        for v in values
    )
    key = eqn.primitive.name, operands, tuple(sorted(eqn.params.items()))
    try:
        hash(key)
    except TypeError:
        return None
    return key


class Recorded:
    """A function replayed from its jaxpr in float64.

    In another precision it is called itself, whose constants adapt to it.

    Attributes
    ----------
    closed
        Its jaxpr.
    """

    def __init__(self, function: Callable[..., Any], closed: Any) -> None:
        self.function, self.closed = function, closed
        self._replay = jaxpr_as_fun(closed)

    def __call__(self, *arguments: Any) -> Any:
        arrays = [jnp.asarray(value) for value in arguments]
        if any(a.dtype != jnp.float64 and jnp.issubdtype(a.dtype, jnp.inexact) for a in arrays):
            return self.function(*arguments)
        return self._replay(*(jnp.asarray(a, jnp.float64) for a in arrays))[0]

    @cached_property
    def form(self) -> tuple[Form, NDArray[np.float64]]:
        """What it has in common with functions of the same form, and its numbers."""
        return form_of(self.closed)


def recorded(function: Callable[..., Any], *sizes: int | None) -> Callable[..., Any]:
    """`function`, of scalars (None) and vectors of these sizes to a vector, as a `Recorded`.

    One that calls what has derivatives of its own is returned as it is.
    """
    shapes = [jax.ShapeDtypeStruct(() if size is None else (size,), jnp.float64) for size in sizes]
    first = jax.make_jaxpr(function)(*shapes)
    if any(eqn.primitive.name in INLINED - CALLS for eqn in equations(first.jaxpr)):
        return function
    closed = jax.make_jaxpr(lambda *values: _Simplified().evaluate(first, values)[0])(*shapes)
    return Recorded(function, closed)

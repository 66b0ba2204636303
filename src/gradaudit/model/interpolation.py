"""`jnp.interp` in a vector field: its straight lines, and an event at each of its knots.

JAX looks the interval up by bisection, which no Taylor series and no search for events can follow.
Where the knots are constants the same function is written with one `jnp.where` a knot, and the
knots are events by themselves, since the slope changes there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun
from jax.interpreters import partial_eval

from gradaudit.backend.jaxpr.evaluator import Evaluator
from gradaudit.backend.jaxpr.walk import equations
from gradaudit.backend.program_cache import identity_cache
from gradaudit.model.definition import Event, Model

MOST_KNOTS = 200


def _is_interpolation(eqn: Any) -> bool:
    return eqn.params.get("name") == "_interp" and len(eqn.invars) == 3


class _Expanding(Evaluator[Any]):
    """Evaluates a jaxpr with every interpolation written out, and keeps their arguments."""

    def __init__(self) -> None:
        self.arguments: list[tuple[Any, Any]] = []

    def constant(self, value: Any) -> Any:
        return value

    def stack(self, rows: Sequence[Any]) -> Any:
        return jnp.stack(rows)

    def equation(self, eqn: Any, values: list[Any]) -> list[Any]:
        if not _is_interpolation(eqn) or isinstance(values[1], jax.core.Tracer):
            return super().equation(eqn, values)
        x, knots, heights = values
        knots = np.asarray(knots)
        if knots.ndim != 1 or not 1 < len(knots) <= MOST_KNOTS or np.any(np.diff(knots) <= 0):
            return self.primitive(eqn, values)
        self.arguments.append((x, knots))
        return [_piecewise(x, knots, heights)]

    def primitive(self, eqn: Any, values: list[Any]) -> list[Any]:
        if any(isinstance(value, jax.core.Tracer) for value in values):
            result = eqn.primitive.bind(*values, **eqn.params)
        else:  # of constants: knots are such
            with jax.ensure_compile_time_eval():
                result = eqn.primitive.bind(*values, **eqn.params)
        return list(result) if eqn.primitive.multiple_results else [result]


def _piecewise(x: Any, knots: np.ndarray, heights: Any) -> Any:
    """The straight lines between (knots, heights), constant outside of them; of the shape of x."""
    result = heights[0]
    for k in range(len(knots) - 1):
        slope = (heights[k + 1] - heights[k]) / (knots[k + 1] - knots[k])
        result = jnp.where(x >= knots[k], heights[k] + (x - knots[k]) * slope, result)
    return jnp.where(x >= knots[-1], heights[-1], result) + jnp.zeros_like(x)


@identity_cache
def with_knots(model: Model) -> Model:
    """The model itself, or the same with its interpolations written out and their knots as events.

    It is a model that has passed `check`.
    """
    arguments = (jnp.zeros(()), jnp.zeros(model.n), jnp.zeros(model.m))
    closed = jax.make_jaxpr(model.vector_field)(*arguments)
    if not any(map(_is_interpolation, equations(closed.jaxpr))):
        return model

    def expanded(t: Any, y: Any, p: Any) -> Any:
        return _Expanding().evaluate(closed, [jnp.asarray(t, dtype=float), y, p])[0]

    def interpolated(t: Any, y: Any, p: Any) -> list[Any]:
        reading = _Expanding()
        reading.evaluate(closed, [t, y, p])
        knots.extend(own for _, own in reading.arguments)
        return [x for x, _ in reading.arguments]

    knots: list[np.ndarray] = []
    where = jax.make_jaxpr(interpolated)(*arguments)
    events = dict(model.events)
    for number, own in enumerate(knots):
        argument = _only(where, number)
        for knot, label in zip(own, _labels(own), strict=True):
            name = f"knot {label}" if len(knots) == 1 else f"knot {label} of {number + 1}"
            events.setdefault(name, Event(when=_distance(argument, float(knot))))
    return replace(model, vector_field=expanded, events=events)


def _labels(knots: np.ndarray) -> list[str]:
    """The knots in six digits, or in all digits where two of them would be named alike."""
    short = [f"{knot:g}" for knot in knots]
    return short if len(set(short)) == len(set(knots)) else [str(float(knot)) for knot in knots]


def _only(closed: Any, number: int) -> Callable[..., Any]:
    """One result of a jaxpr as a function, without what it does not need."""
    used = [index == number for index in range(len(closed.jaxpr.outvars))]
    jaxpr, _ = partial_eval.dce_jaxpr(closed.jaxpr, used, instantiate=True)
    function = jaxpr_as_fun(ClosedJaxpr(jaxpr, closed.consts))
    return lambda t, y, p: jnp.asarray(function(jnp.asarray(t, dtype=float), y, p)[0])


def _distance(argument: Callable[..., Any], knot: float) -> Callable[..., Any]:
    return lambda t, y, p: jnp.reshape(argument(t, y, p), ()) - knot

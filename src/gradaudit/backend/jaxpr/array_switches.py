"""Primitives that switch in whole arrays: which entry is the largest, in what order entries are.

The counterpart of `switch_table` for what is not done entry by entry. Each has a decision, the
result that follows from it, and margins of the decision's shape, of which one passes through 0
where the decision changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

Equation = Any


@dataclass(frozen=True)
class ArraySwitch:
    """A primitive that switches in arrays.

    Attributes
    ----------
    decide
        From the equation and the operands to the decision, an array of whole numbers.
    follow
        From the equation, the decision and the operands to the results.
    margins
        From the same to the margins.
    """

    decide: Callable[..., Any]
    follow: Callable[..., list[Any]]
    margins: Callable[..., Any]


def _extreme(sign: float) -> ArraySwitch:
    """argmax (sign 1) and argmin (sign -1) over one axis."""

    def decide(eqn: Equation, x: Any) -> Any:
        return eqn.primitive.bind(x, **eqn.params)

    def follow(eqn: Equation, decision: Any, x: Any) -> list[Any]:
        return [decision.astype(eqn.outvars[0].aval.dtype)]

    def margins(eqn: Equation, decision: Any, x: Any) -> Any:
        """By how much the chosen entry is ahead of all others."""
        (axis,) = eqn.params["axes"]
        entries = sign * jnp.moveaxis(x, axis, -1)
        chosen = jax.nn.one_hot(decision.astype(int), entries.shape[-1], dtype=bool)
        best = jnp.sum(jnp.where(chosen, entries, 0.0), axis=-1)
        return best - jnp.max(jnp.where(chosen, -jnp.inf, entries), axis=-1)

    return ArraySwitch(decide, follow, margins)


def _order(eqn: Equation, *operands: Any) -> Any:
    """The permutation of a sort."""
    dimension = eqn.params["dimension"]
    position = lax.broadcasted_iota(int, operands[0].shape, dimension)
    return lax.sort(
        (*operands, position), dimension=dimension, is_stable=True, num_keys=eqn.params["num_keys"]
    )[-1]


def _in_order(eqn: Equation, decision: Any, *operands: Any) -> list[Any]:
    position = decision.astype(int)
    return [jnp.take_along_axis(x, position, axis=eqn.params["dimension"]) for x in operands]


def _gaps(eqn: Equation, decision: Any, *operands: Any) -> Any:
    """Of each entry of the first key the distance to the nearer of its neighbours."""
    axis = eqn.params["dimension"]
    key = jnp.moveaxis(_in_order(eqn, decision, operands[0])[0], axis, -1)
    gap, none = jnp.diff(key, axis=-1), jnp.full((*key.shape[:-1], 1), jnp.inf, key.dtype)
    nearer = jnp.minimum(jnp.concatenate([none, gap], -1), jnp.concatenate([gap, none], -1))
    return jnp.moveaxis(nearer, -1, axis)


def _whole_part(x: Any) -> Any:
    return jnp.trunc(x)


def _to_boundaries(eqn: Equation, decision: Any, x: Any) -> Any:
    """The distance to the nearer of the two whole numbers at which the whole part changes."""
    low = decision - jnp.where(decision <= 0, 1.0, 0.0)
    below, above = x - low, x - (decision + jnp.where(decision >= 0, 1.0, 0.0))
    return jnp.where(jnp.abs(below) < jnp.abs(above), below, above)


def _bits(eqn: Equation, negative: Any, x: Any) -> list[Any]:
    """The bits of a number with the sign that was decided: `jnp.signbit`, `jnp.copysign`."""
    size = jnp.abs(x)
    return [eqn.primitive.bind(jnp.where(negative > 0, -size, size), **eqn.params)]


ARRAY_SWITCHES: dict[str, ArraySwitch] = {
    "argmax": _extreme(1.0),
    "argmin": _extreme(-1.0),
    "sort": ArraySwitch(_order, _in_order, _gaps),
    "convert_element_type": ArraySwitch(
        lambda eqn, x: _whole_part(x),
        lambda eqn, decision, x: [decision.astype(eqn.outvars[0].aval.dtype)],
        _to_boundaries,
    ),
    "bitcast_convert_type": ArraySwitch(
        lambda eqn, x: jnp.signbit(x) * 1, _bits, lambda eqn, negative, x: x
    ),
}
"""By the name of the primitive; of conversions, those of real to whole numbers."""


def is_array_switch(eqn: Equation) -> bool:
    """Whether an equation decides on an array of real numbers."""
    name = eqn.primitive.name
    if name not in ARRAY_SWITCHES or not jnp.issubdtype(eqn.invars[0].aval.dtype, jnp.floating):
        return False
    if name in ("convert_element_type", "bitcast_convert_type"):
        return jnp.issubdtype(eqn.params["new_dtype"], jnp.integer)
    return eqn.invars[0].aval.size > 1

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
        (axis,) = eqn.params["axes"]
        return _lead(sign * jnp.moveaxis(x, axis, -1), decision)

    return ArraySwitch(decide, follow, margins)


def _lead(entries: Any, decision: Any) -> Any:
    """By how much the chosen entry of the last axis is ahead of all others."""
    chosen = jax.nn.one_hot(decision.astype(int), entries.shape[-1], dtype=bool)
    best = jnp.sum(jnp.where(chosen, entries, 0.0), axis=-1)
    return best - jnp.max(jnp.where(chosen, -jnp.inf, entries), axis=-1)


def _largest(sign: float) -> ArraySwitch:
    """The largest (sign 1) or smallest entry over any axes, as that which was chosen.

    It has a kink and no jump, but what is equal to it jumps, as in ``jnp.where(y == jnp.max(y), a,
    b)`` and in its own derivative.
    """

    def entries(eqn: Equation, x: Any) -> Any:
        axes = eqn.params["axes"]
        kept = [axis for axis in range(x.ndim) if axis not in axes]
        ordered = jnp.transpose(x, (*kept, *axes))
        return jnp.reshape(ordered, (*ordered.shape[: len(kept)], -1))

    def decide(eqn: Equation, x: Any) -> Any:
        return jnp.argmax(sign * entries(eqn, x), axis=-1)

    def follow(eqn: Equation, decision: Any, x: Any) -> list[Any]:
        position = decision.astype(int)[..., None]
        return [jnp.take_along_axis(entries(eqn, x), position, axis=-1)[..., 0]]

    def margins(eqn: Equation, decision: Any, x: Any) -> Any:
        return _lead(sign * entries(eqn, x), decision)

    return ArraySwitch(decide, follow, margins)


def _leaders(eqn: Equation, decision: Any, x: Any) -> list[Any]:
    """What `lax.top_k` returns: the entries that were chosen, and where they are."""
    position = decision.astype(int)
    values = jnp.take_along_axis(x, position, axis=eqn.params.get("axis", -1))
    return [values, position.astype(eqn.outvars[1].aval.dtype)]


def _gaps_of_leaders(eqn: Equation, decision: Any, x: Any) -> Any:
    """Of each chosen entry the distance to the nearer of its neighbours in their order."""
    axis = eqn.params.get("axis", -1)
    entries, position = jnp.moveaxis(x, axis, -1), jnp.moveaxis(decision, axis, -1).astype(int)
    chosen = jnp.any(jax.nn.one_hot(position, entries.shape[-1], dtype=bool), axis=-2)
    behind = jnp.max(jnp.where(chosen, -jnp.inf, entries), axis=-1, keepdims=True)
    leaders = jnp.take_along_axis(entries, position, axis=-1)
    return jnp.moveaxis(_nearer(-jnp.concatenate([leaders, behind], -1))[..., :-1], -1, axis)


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
    return jnp.moveaxis(_nearer(key), -1, axis)


def _nearer(key: Any) -> Any:
    """Of each entry of the last axis, in their order, the distance to the nearer neighbour."""
    gap, none = jnp.diff(key, axis=-1), jnp.full((*key.shape[:-1], 1), jnp.inf, key.dtype)
    return jnp.minimum(jnp.concatenate([none, gap], -1), jnp.concatenate([gap, none], -1))


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
    "reduce_max": _largest(1.0),
    "reduce_min": _largest(-1.0),
    "top_k": ArraySwitch(
        lambda eqn, x: eqn.primitive.bind(x, **eqn.params)[1], _leaders, _gaps_of_leaders
    ),
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

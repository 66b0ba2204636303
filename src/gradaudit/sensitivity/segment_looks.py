"""What a segment shows between its observations: switches that no event covers, touched thresholds.

A segment stays on the branches of its start, so a switch that no event covers would leave the
solution on a branch that is no longer that of the vector field, and a threshold that is touched
without being crossed has no derivative at all. Both are looked for on a grid over the window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gradaudit.backend.jaxpr.branches import Decisions, FrozenField, differ
from gradaudit.backend.shapes import (
    EventValues,
    Flag,
    Parameters,
    Scalar,
    ScalarLike,
    Seeds,
    States,
    StatesAtTimes,
    Times,
)
from gradaudit.model.definition import Event

LOOKS = 400  # over the window
STAYS = 1e-6  # of the largest: a derivative of an event function that is zero
AT_THRESHOLD = 1e-12  # of the terms of an event function: it is zero to rounding
ALIKE = 1e-9  # of the terms of a derivative: below that it is zero

Values = Callable[[ScalarLike, States, Parameters], EventValues]


class Look(NamedTuple):
    """At one time: 1 where the branches are others, else 0; g, dg/dt and the largest dg/dp (E,)."""

    elsewhere: Scalar
    value: EventValues
    rate: EventValues
    moving: EventValues


def look(
    field: FrozenField, values: Values, decisions: Decisions, t: Scalar, y: Any, p: Parameters,
    seeds: Seeds,
) -> Look:  # fmt: skip
    """Look at a state with its tangents, traced."""
    rate = field(t, y.y, p, decisions)
    value, slope = jax.jvp(lambda t, z: values(t, z, p), (t, y.y), (jnp.ones_like(t), rate))

    def push(tangent: States, seed: Parameters) -> EventValues:
        return jax.jvp(lambda z, p: values(t, z, p), (y.y, p), (tangent, seed))[1]

    moving = jax.vmap(push, in_axes=-1, out_axes=-1)(y.tangents, seeds)
    elsewhere = differ(field.decisions(t, y.y, p), decisions)
    return Look(jnp.where(elsewhere, 1.0, 0.0), value, slope, jnp.max(jnp.abs(moving), axis=-1))


def missed(
    field: Any, values: Values, decisions: Decisions, signs: EventValues, times: Times,
    states: StatesAtTimes, p: Parameters, inside: Any,
) -> tuple[Flag, Flag]:  # fmt: skip
    """Whether an observation that is `inside` is on another branch, or behind an event, traced."""

    def at(t: Scalar, z: States) -> tuple[Flag, Flag]:
        elsewhere = differ(field.decisions(t, z, p), decisions)
        return elsewhere, jnp.any(signs * values(t, z, p) < 0)

    changed_branch, missed_event = jax.vmap(at)(times, states)
    return jnp.any(inside & changed_branch), jnp.any(inside & missed_event)


def passed(
    field: Any, values: Values, jumps: Sequence[tuple[bool, int]], p: Parameters, begin: Any,
    near: ScalarLike,
) -> Flag:  # fmt: skip
    """Whether a jump lies between t = 0 and the signs that `begin` has a little later, traced.

    What is at its threshold at t = 0 to `near` in time is none: it happens at the start, or never.
    `jumps` are of each event whether it has a jump, and its direction.
    """
    zero = jnp.zeros(())
    rate = field(zero, begin.state, p, begin.decisions)
    value, speed = jax.jvp(lambda t, z: values(t, z, p), (zero, begin.state), (jnp.ones(()), rate))
    sign, (jumping, ways) = jnp.sign(value), (jnp.array(x) for x in zip(*jumps, strict=True))
    away = jnp.abs(value) > near * jnp.abs(speed)
    return jnp.any(jumping & away & (sign != begin.signs) & (ways * sign <= 0))


def touched(looks: Look, times: Any, inside: Any, rtol: ScalarLike) -> Flag:
    """Whether an event function has an extremum of 0 between two looks that are `inside`.

    The extremum is that of the cubic through values and rates; where it is not 0 by more than the
    tolerance, whether the threshold is touched is beyond the accuracy of the solve.
    """
    step = times[1] - times[0]
    both = (inside[:-1] & inside[1:])[:, None]
    g0, g1 = looks.value[:-1], looks.value[1:]
    d0, d1 = step * looks.rate[:-1], step * looks.rate[1:]
    turns = both & (d0 * d1 < 0.0)
    s = d0 / jnp.where(turns, d0 - d1, 1.0)
    extremum = (
        (1 + 2 * s) * (1 - s) ** 2 * g0 + s * (1 - s) ** 2 * d0
        + s**2 * (3 - 2 * s) * g1 + s**2 * (s - 1) * d1
    )  # fmt: skip
    kept = inside[:, None]
    size = jnp.max(jnp.where(kept, jnp.abs(looks.value), 0.0), axis=0)
    moves = looks.moving > STAYS * jnp.max(jnp.where(kept, looks.moving, 0.0), axis=0)
    near = jnp.abs(extremum) <= rtol * size
    return jnp.any(turns & near & (moves[:-1] | moves[1:]))


def matters(events: Mapping[str, Event]) -> Callable[[EventValues], Flag]:
    """Whether a state on a threshold (E,) may be taken through its event, from dg/dt (E,)."""
    ways = [0 if event.jump is None else event.direction for event in events.values()]
    return lambda speeds: jnp.asarray(ways) * speeds >= 0.0


def put_on_threshold(
    values: Values, t: ScalarLike, z: States, tangents: Any, rate: States, slope: Any,
    p: Parameters, seeds: Seeds, watched: Callable[[EventValues], Flag],
) -> Any:  # fmt: skip
    """Directions (c,) that move a state off a threshold on which a jump has put it, traced.

    Parameters
    ----------
    z, tangents, rate
        State (N,), tangents (N, c) and f (N,) behind the jump.
    slope
        Derivative (c,) of its time.
    watched
        Where a contact matters (E,), from the dg/dt behind the jump (E,).
    """
    value, (by_t, by_z, by_p) = values(t, z, p), jax.jacfwd(values, argnums=(0, 1, 2))(t, z, p)
    terms = jnp.abs(by_z) @ jnp.abs(z) + jnp.abs(by_p) @ jnp.abs(p) + jnp.abs(by_t * t)
    at = (jnp.abs(value) <= AT_THRESHOLD * terms) & watched(by_t + by_z @ rate)
    parts = [
        by_z[:, :, None] * tangents[None],
        (by_z * rate)[:, :, None] * slope,
        by_p[:, :, None] * seeds[None],
        by_t[:, None, None] * slope[None, None],
    ]
    stacked = jnp.concatenate(parts, axis=1)
    total, size = jnp.abs(jnp.sum(stacked, axis=1)), jnp.sum(jnp.abs(stacked), axis=1)
    return jnp.any(at[:, None] & (total > ALIKE * size), axis=0)

"""States at a threshold of a vector field, off which a change of the parameters moves them.

On a threshold the derivative exists from one side only: a change to one side leads onto one branch,
a change to the other side onto another one.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from gradaudit.backend.jaxpr.branches import FrozenField
from gradaudit.backend.shapes import Flag, Parameters, Scalar, Seeds, States, Tangents

AT_THRESHOLD = 1e-12  # of a parameter: a change of it that reaches a threshold is none
NUDGE = 1e-6  # of a parameter: where the other side of a threshold is looked for
ALIKE = 1e-9  # of the rates, in double precision


def touching(
    field: FrozenField, t: Scalar, z: States, p: Parameters, tangents: Tangents, seeds: Seeds
) -> Flag:
    """Directions (c,) that move a state off a threshold at which the rates jump, traced.

    That a solution leaves the threshold at once, on one side or the other, does not help: from
    either side another solution begins.

    Parameters
    ----------
    tangents, seeds
        Of the state (N, c) and of the parameters (m, c), for a change by their whole size.
    """
    decided = field.decisions(t, z, p)

    def margins(z: States, p: Parameters) -> Any:
        return field.margins(t, z, p, decided)

    def near(column: States, seed: Parameters) -> Flag:
        value, moving = jax.jvp(margins, (z, p), (column, seed))
        return jnp.any((jnp.abs(value) <= AT_THRESHOLD * jnp.abs(moving)) & (moving != 0.0))

    def splits(column: States, seed: Parameters) -> Flag:
        sides = [field.decisions(t, z + d * column, p + d * seed) for d in (NUDGE, -NUDGE)]
        one, other = (field(t, z, p, side) for side in sides)
        return _unlike(one, other)

    at = jax.vmap(near, in_axes=-1)(tangents, seeds)
    if not isinstance(at, jax.core.Tracer) and not at.any():
        return at  # most models are nowhere near one, and the rest takes longer
    return at & jax.vmap(splits, in_axes=-1)(tangents, seeds)


def standing(
    field: FrozenField, times: Any, states: Any, p: Parameters, tangents: Tangents, seeds: Seeds
) -> Flag:
    """Directions (c,) that move a solution off a threshold on which it stays, traced.

    The rates on both sides differ there, or their derivatives.

    Parameters
    ----------
    times, states
        Some of the solution, (T,) and (T, N), up to where the tangents are.
    tangents, seeds
        As of `touching`.
    """
    t, z = times[-1], states[-1]
    decided = field.decisions(t, z, p)
    margins = jax.vmap(lambda t, z: field.margins(t, z, p, decided))(times, states)

    def splits(column: States, seed: Parameters) -> Flag:
        def rate(sign: float) -> Any:
            side = field.decisions(t, z + sign * column, p + sign * seed)
            here = jax.jvp(lambda z, p: field(t, z, p, side), (z, p), (column, seed))
            return jnp.concatenate(here)  # rates that jump may have equal derivatives

        return _unlike(rate(NUDGE), rate(-NUDGE))

    stays = jnp.any(jnp.all(margins == 0.0, axis=0))
    return stays & jax.vmap(splits, in_axes=-1)(tangents, seeds)


def _unlike(one: Any, other: Any) -> Flag:
    return jnp.any(jnp.abs(one - other) > ALIKE * (jnp.abs(one) + jnp.abs(other)))

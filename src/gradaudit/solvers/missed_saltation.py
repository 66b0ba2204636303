"""What a step neglects that crosses a discontinuity without knowing: a witness that is not fooled.

Where the vector field switches to another branch at a time tau(p), the tangents jump by the
saltation term (f- - f+) dtau/dp (Hiskens and Pai 2000; Kong et al. 2023). A solver that steps over
the switch leaves it out, at every tolerance, and nothing that looks at smooth quantities sees it.
The term itself can be computed from what the step has: the branches at both of its ends, and the
margin whose zero is the switch. It is as accurate as a straight line over one step; where the field
is continuous across the switch it vanishes with the step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gradaudit.backend.jaxpr.branches import FrozenField, flat
from gradaudit.backend.shapes import Parameters, Scalar, ScalarLike, Slopes, States, Tangents

TOGETHER = 1e-6
"""Of a step: switches that turn so closely one behind the other turn at one time."""


class Crossed(NamedTuple):
    """What all steps so far have crossed.

    Attributes
    ----------
    neglected
        Largest share of the neglected term in an entry of the tangents, from 0 to 1.
    slope
        Largest |p_j dtau/dp_j|, in the unit of time; infinite at grazing.
    """

    neglected: ScalarLike
    slope: ScalarLike

    def including(self, step: Neglected, tangents: Tangents | np.ndarray) -> Crossed:
        """After another step, to tangents (N, c)."""
        term = jnp.abs(step.term)
        share = jnp.max(jnp.where(term > 0, term / (term + jnp.abs(tangents)), 0.0), initial=0.0)
        slope = jnp.max(jnp.abs(step.slope), initial=0.0)
        return Crossed(jnp.maximum(self.neglected, share), jnp.maximum(self.slope, slope))


class Neglected(NamedTuple):
    """Of one step: the term (N, c) that is missing, dtau/dp (c,) along the seeds; 0 if none is."""

    term: Tangents
    slope: Slopes


def at_edge(
    field: FrozenField, t: ScalarLike, width: ScalarLike, here: Any, args: Any
) -> Neglected:
    """The saltation term of a switch that turns at an end of the window, traced.

    It turns within the window for a change of the parameters to one side only, so that the
    derivative is one-sided: with this term or without it. `here` is the `StateAndTangents` at t,
    and `width` how far around t the branches are looked at.
    """
    p, sides = args.p, []
    for step in (-width, width):
        decided = field.decisions_ahead(t, here.y, p, step)
        sides.append(here.y + step * field(t, here.y, p, decided))
    before, after = (here._replace(y=y) for y in sides)
    return neglected(field, t - width, t + width, before, after, args)


def neglected(
    field: FrozenField, t0: ScalarLike, t1: ScalarLike, before: Any, after: Any, args: Any
) -> Neglected:
    """The saltation term that the step from `before` to `after` leaves out, traced.

    `before` and `after` are `StateAndTangents`, `args` the `TangentArgs`. Where several switches
    turn in one step, the first of them gives the time. What it does alone counts, too: the two ends
    of a pulse leave nothing between them, and the step has not seen it. So does what is the case at
    that time and at neither end, as inside ``abs(t - a) < w``, whose size turns at a.
    """
    p = args.p
    old, new = field.decisions(t0, before.y, p), field.decisions(t1, after.y, p)
    changed = flat(old) != flat(new)
    margin0, margin1 = (field.margins(t, here.y, p, old) for t, here in ((t0, before), (t1, after)))
    span = margin0 - margin1
    share = jnp.clip(margin0 / jnp.where(span == 0, 1.0, span), 0.0, 1.0)
    # A switch that compares what another one returns has a margin that stands still or does not
    # reach 0 with the old outcomes: it turns when the other does, whose margin tells when.
    follows = jnp.where(span == 0, 4.0, jnp.where(margin0 * margin1 > 0, 2.0, 0.0))
    order = jnp.where(changed, share + follows, 8.0)
    first = jnp.argmin(order)
    with_it = changed & ((order <= order[first] + TOGETHER) | (follows > 0.0))
    at = share[first]
    t = t0 + at * (t1 - t0)
    z = before.y + at * (after.y - before.y)
    tangents = before.tangents + at * (after.tangents - before.tangents)
    between = field.decisions(t, z, p)
    passing = (flat(between) != flat(old)) & ~changed
    rate = _defined(field(t, z, p, old), field(t0, before.y, p, old))
    rates_after = [
        _defined(field(t, z, p, turned), field(t1, after.y, p, turned))
        for turned in (new, _chosen(with_it, new, old), _chosen(passing, between, old))
    ]

    def turning(t: ScalarLike, z: States, p: Parameters) -> Scalar:
        return field.margins(t, z, p, old)[first]

    _, speed = jax.jvp(lambda t, z: turning(t, z, p), (t, z), (jnp.ones_like(t), rate))

    def shift(tangent: States, seed: Parameters) -> Scalar:
        return jax.jvp(lambda z, p: turning(t, z, p), (z, p), (tangent, seed))[1]

    slope = -jax.vmap(shift, in_axes=-1)(tangents, args.seeds) / speed
    slope = jnp.where(jnp.any(changed) & ~jnp.isnan(slope), slope, 0.0)
    jumps = jnp.stack([rate - after for after in rates_after])
    jump = jnp.take_along_axis(jumps, jnp.argmax(jnp.abs(jumps), axis=0)[None], axis=0)[0]
    term = jnp.where(jump[:, None] == 0, 0.0, jump[:, None] * slope[None, :])
    return Neglected(jnp.nan_to_num(term, nan=0.0), slope)


def _chosen(chosen: Any, new: list[Any], old: list[Any]) -> list[Any]:
    """The new outcomes of the chosen switches (Q,), the old ones of the others."""
    ends = np.cumsum([np.size(own) for own in new])
    return [
        jnp.where(chosen[end - np.size(one) : end].reshape(np.shape(one)), one, other)
        for end, one, other in zip(ends, new, old, strict=True)
    ]


def _defined(rate: States, nearby: States) -> States:
    """The rate at a switch, from the end of the step where it is 0 / 0 at the switch itself."""
    return jnp.where(jnp.isnan(rate), nearby, rate)

"""What a step neglects that crosses a discontinuity without knowing: a witness that is not fooled.

Where the vector field switches to another branch at a time tau(p), the tangents jump by the
saltation term (f- - f+) dtau/dp (Hiskens and Pai 2000; Kong et al. 2023). A solver that steps over
the switch leaves it out, at every tolerance, and nothing that looks at smooth quantities sees it.
The term itself can be computed from what the step has: the branches at both of its ends, and the
margin whose zero is the switch. It is as accurate as a straight line over one step; where the field
is continuous across the switch there is none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gradaudit.backend.jaxpr.branches import FrozenField, flat
from gradaudit.backend.shapes import Flag, Parameters, Scalar, ScalarLike, Slopes, States, Tangents

TOGETHER = 1e-6
"""Of a step: switches that turn so closely one behind the other turn at one time."""

BESIDE, FURTHER, ROUNDING = 1e-9, 1e4, 1e-15
"""Of a step, of that, of a time: how far from a switch the rates beside it are looked at."""

ITERATIONS, ALIKE = 50, 1e-12
"""Steps of the search for the time of a switch, and by how little the last one moves it."""

HALVES = 30
"""Steps of the search for where a margin turns back."""


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

    def split(self, count: int) -> tuple[Neglected, Neglected]:
        """That of the first `count` tangents, and of the others."""
        terms, slopes = jnp.split(self.term, [count], axis=1), jnp.split(self.slope, [count])
        return Neglected(terms[0], slopes[0]), Neglected(terms[1], slopes[1])


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
    that time and at neither end, as inside ``abs(t - a) < w``, whose size turns at a: that jumps
    where it is entered, or does not, as the value at a removable singularity. The step is looked at
    in two parts where a margin turns back in it, as that of ``(t - a)**2 < w`` does.
    """
    whole = _Path(field, t0, t1, before, after, args)
    old = field.decisions(t0, before.y, args.p)
    bounds = jnp.stack([jnp.zeros(()), _turning_back(whole, old), jnp.ones(())])

    def of_part(k: Any) -> Neglected:
        path = whole.part(bounds[k], bounds[k + 1])
        first, last = (path.field.decisions(*path.at(share), args.p) for share in (0.0, 1.0))
        return jax.lax.cond(
            jnp.any(flat(first) != flat(last)),
            lambda: _crossed(path, first, last),
            lambda: Neglected(jnp.zeros_like(after.tangents), jnp.zeros(args.seeds.shape[1])),
        )

    parts = jax.lax.map(of_part, jnp.arange(2))
    return Neglected(*(jnp.where(jnp.abs(b) > jnp.abs(a), b, a) for a, b in parts))


class _Path(NamedTuple):
    """The straight line from one end of a step to the other."""

    field: FrozenField
    t0: ScalarLike
    t1: ScalarLike
    before: Any
    after: Any
    args: Any

    def at(self, share: ScalarLike) -> tuple[Any, Any]:
        t = self.t0 + share * (self.t1 - self.t0)
        return t, self.before.y + share * (self.after.y - self.before.y)

    def part(self, begin: ScalarLike, end: ScalarLike) -> _Path:
        """From one share of it to another."""
        change = self.after.tangents - self.before.tangents
        times, ends = [], []
        for share in (begin, end):
            t, y = self.at(share)
            times.append(t)
            ends.append(self.before._replace(y=y, tangents=self.before.tangents + share * change))
        return _Path(self.field, times[0], times[1], ends[0], ends[1], self.args)

    def margins(self, share: ScalarLike, decided: Any) -> Any:
        return self.field.margins(*self.at(share), self.args.p, decided)

    def rate(self, share: ScalarLike, decided: Any) -> States:
        return self.field(*self.at(share), self.args.p, decided)

    def missing(self, switch: Any, share: ScalarLike, one: Any, other: Any) -> Neglected:
        """The term of a switch that turns at a share of the step, from one branch to the other.

        The rates of both are looked at just behind it, where they are equal if nothing jumps, and
        on either side of it, where each is what it is: either may be 0 / 0 at the switch, and the
        one that is left may be no number behind it. What is there in all three is a jump.
        """
        size = jnp.maximum(jnp.abs(self.t0), jnp.abs(self.t1))
        length = jnp.abs(self.t1 - self.t0)
        near = jnp.maximum(BESIDE, ROUNDING * size / length)
        far = jnp.minimum(FURTHER * near, 0.5)
        beside = share + jnp.stack([-near, -far, near, near, far])
        branches = jax.tree_util.tree_map(lambda a, b: jnp.stack([a, a, a, b, b]), one, other)
        rates = jax.vmap(self.rate)(beside, branches)
        jumps = jnp.stack([rates[2] - rates[3], rates[0] - rates[3], rates[1] - rates[4]])
        least = jnp.argmin(jnp.where(jnp.isfinite(jumps), jnp.abs(jumps), jnp.inf), axis=0)
        jump = jnp.take_along_axis(jumps, least[None], axis=0)[0]
        rate = jnp.where(jnp.isfinite(rates[0]), rates[0], rates[1])

        t, z = self.at(share)
        seeds = self.args.seeds
        tangents = self.before.tangents + share * (self.after.tangents - self.before.tangents)
        # along the solution in time, and along each of the seeds at this time
        times = jnp.concatenate([jnp.ones((1,)), jnp.zeros(seeds.shape[1])])
        states = jnp.concatenate([rate[:, None], tangents], axis=1)
        parameters = jnp.concatenate([jnp.zeros_like(seeds[:, :1]), seeds], axis=1)

        def turning(t: ScalarLike, z: States, p: Parameters) -> Scalar:
            return self.field.margins(t, z, p, one)[switch]

        def along(*direction: Any) -> Scalar:
            return jax.jvp(turning, (t, z, self.args.p), direction)[1]

        moving = jax.vmap(along, in_axes=(0, -1, -1))(times, states, parameters)
        slope = -moving[1:] / moving[0]
        # A margin that stands still and has turned does not tell when: any time may be missing.
        slope = jnp.where(jnp.isnan(slope), jnp.inf, slope)
        jump = jnp.nan_to_num(jump, nan=0.0)[:, None]
        return Neglected(jnp.where(jump == 0, 0.0, jump * slope[None, :]), slope)


def _turning_back(path: _Path, decided: Any) -> Scalar:
    """The share of a step at which a margin comes closest to 0, of those that turn back in it.

    By the cubic with the values and slopes that it has at both ends; where that is on this side of
    0, as for ``(t - a)**4 < w``, by halves, which follow the slope. 1 if none turns back.
    """

    def of(share: Any) -> Any:
        return path.margins(share, decided)

    one = jnp.ones(())
    (m0, d0), (m1, d1) = (jax.jvp(of, (share,), (one,)) for share in (0.0 * one, one))
    bend, twist = 3.0 * (m1 - m0) - 2.0 * d0 - d1, d0 + d1 - 2.0 * (m1 - m0)
    root = jnp.sqrt(jnp.maximum(bend**2 - 3.0 * twist * d0, 0.0))
    below = bend + jnp.where(d1 < 0, -root, root)
    lowest = jnp.clip(-d0 / jnp.where(below == 0, 1.0, below), 0.0, 1.0)
    value = m0 + lowest * (d0 + lowest * (bend + lowest * twist))
    turns = (m0 * m1 > 0) & (m0 * d0 < 0) & (m1 * d1 > 0)
    closeness = jnp.where(turns, value / m0, jnp.inf)
    nearest = jnp.argmin(closeness)
    begin = m0[nearest]

    def going_on(state: Any) -> Flag:
        count, low, high, _, inside = state
        return (count < HALVES) & (high > low) & ~inside

    def closer(state: Any) -> Any:
        count, low, high, share, _ = state
        value, slope = jax.jvp(lambda share: of(share)[nearest], (share,), (one,))
        low, high = (
            jnp.where(begin * slope < 0, share, low),
            jnp.where(begin * slope < 0, high, share),
        )
        inside = begin * value <= 0
        return count + 1, low, high, jnp.where(inside, share, 0.5 * (low + high)), inside

    some = turns[nearest]
    bracket = 0.0 * one, jnp.where(some, 1.0, 0.0), lowest[nearest], jnp.asarray(False)
    *_, share, _ = jax.lax.while_loop(going_on, closer, (jnp.asarray(0), *bracket))
    return jnp.where(some, share, 1.0)


def _crossed(path: _Path, old: Any, new: Any) -> Neglected:
    """As `neglected`, of a step that crosses a switch."""
    changed = flat(old) != flat(new)
    ends = jax.vmap(lambda share: path.margins(share, old))(jnp.array([0.0, 1.0]))
    order, follows = _order(changed, ends[0], ends[1])
    first = jnp.argmin(order)
    with_it = changed & ((order <= order[first] + TOGETHER) | (follows > 0.0))
    at = _located(path, first, old, 1.0, ends[:, first])

    # What is the case there and at neither end is entered before, and there it jumps or does not.
    between = path.field.decisions(*path.at(at), path.args.p)
    passing = (flat(between) != flat(old)) & ~changed
    middle = jnp.stack([ends[0], path.margins(at, old)])
    entered, beyond = _order(passing, middle[0], middle[1])
    to_come = passing & (beyond == 0.0)
    last = jnp.where(to_come, entered, -1.0)
    inner = jnp.stack([jnp.argmin(entered), jnp.argmax(last)])
    within = jax.vmap(lambda switch: _located(path, switch, old, at, middle[:, switch]))(inner)
    at_first = passing & ((entered <= entered[inner[0]] + TOGETHER) | (beyond > 0.0))
    before_last = passing & (entered < last[inner[1]] - TOGETHER) & jnp.any(to_come)

    lanes = [
        (first, at, old, new),
        (first, at, old, _chosen(with_it, new, old)),
        (inner[0], within[0], old, _chosen(at_first, between, old)),
        (inner[1], within[1], _chosen(before_last, between, old), _chosen(passing, between, old)),
    ]
    together = jax.tree_util.tree_map(lambda *parts: jnp.stack(parts), *lanes)
    terms, slopes = jax.vmap(path.missing)(*together)
    passed = jnp.array([True, True, False, False]) | jnp.any(passing)
    terms = jnp.where(passed[:, None, None], terms, 0.0)
    term = jnp.take_along_axis(terms, jnp.argmax(jnp.abs(terms), axis=0)[None], axis=0)[0]
    return Neglected(jnp.nan_to_num(term, nan=0.0), slopes[0])


def _order(turned: Any, margin0: Any, margin1: Any) -> tuple[Any, Any]:
    """When switches (Q,) turn on a straight line, as a share of it; what makes one follow others.

    A switch that compares what another one returns has a margin that stands still or does not reach
    0 with the old outcomes: it turns when the other does, whose margin tells when.
    """
    span = margin0 - margin1
    share = jnp.clip(margin0 / jnp.where(span == 0, 1.0, span), 0.0, 1.0)
    share = jnp.where(jnp.isnan(share), 0.5, share)
    follows = jnp.where(span == 0, 4.0, jnp.where(margin0 * margin1 > 0, 2.0, 0.0))
    return jnp.where(turned, share + follows, 8.0), follows


def _located(path: _Path, switch: Any, decided: Any, end: ScalarLike, values: Any) -> Scalar:
    """Where the margin of a switch passes 0 before `end`, by the method of false position.

    `values` are those of the margin at the begin of the step and at `end`. With the value that
    stays behind halved (Illinois), which also finds where a sign changes. A comparison with NaN is
    false, so that it turns where the margin ends: that is found by halves.
    """

    def crossing(low: Any, high: Any, below: Any, above: Any) -> Scalar:
        span = below - above
        share = jnp.clip(below / jnp.where(span == 0, 1.0, span), 0.0, 1.0)
        return low + jnp.where(jnp.isnan(share), 0.5, share) * (high - low)

    def going_on(state: Any) -> Flag:
        count, moved, bracket, _ = state
        ended = jnp.isnan(bracket[2]) != jnp.isnan(bracket[3])
        return (count < ITERATIONS) & (moved > ALIKE) & (ended | (bracket[2] * bracket[3] < 0))

    def closer(state: Any) -> Any:
        count, _, (low, high, below, above), side = state
        share = crossing(low, high, below, above)
        value = path.margins(share, decided)[switch]
        ended = jnp.isnan(below) | jnp.isnan(above)
        left = jnp.where(ended, jnp.isnan(value) == jnp.isnan(below), value * below > 0)
        bracket = (
            jnp.where(left, share, low),
            jnp.where(left, high, share),
            jnp.where(left, value, jnp.where(side < 0, 0.5 * below, below)),
            jnp.where(left, jnp.where(side > 0, 0.5 * above, above), value),
        )
        moved = jnp.abs(crossing(*bracket) - share)
        return count + 1, moved, bracket, jnp.where(left, 1, -1)

    low, high = jnp.zeros(()), jnp.asarray(end, dtype=float)
    bracket = low, high, values[0], values[1]
    state = jnp.asarray(0), jnp.ones(()), bracket, jnp.asarray(0)
    return crossing(*jax.lax.while_loop(going_on, closer, state)[2])


def _chosen(chosen: Any, new: list[Any], old: list[Any]) -> list[Any]:
    """The new outcomes of the chosen switches (Q,), the old ones of the others."""
    ends = np.cumsum([np.size(own) for own in new])
    return [
        jnp.where(chosen[end - np.size(one) : end].reshape(np.shape(one)), one, other)
        for end, one, other in zip(ends, new, old, strict=True)
    ]

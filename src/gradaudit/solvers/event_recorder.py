"""Times of events that change nothing: spikes, sections of a cycle, maxima.

A solve need not stop at them, and its grid must not depend on them. So a solver is wrapped that
records every step in which the sign of a marker changes; after the solve the time is found by
Newton's method on steps of the method itself, from the beginning of that step.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from gradaudit.backend.jaxpr.branches import Decisions, FrozenField
from gradaudit.backend.shapes import Flag, Parameters, Scalar, ScalarLike, Slopes, States, Tangents
from gradaudit.solvers.global_error import Estimated, Field, perturbed_at, to_its_event
from gradaudit.solvers.tangent_solver import StateAndTangents, TangentArgs, TangentSolver
from gradaudit.solvers.wrapper import WrappedSolver

MAX_RECORDED_EVENTS = 24
"""How many events of all kinds a solve records; later ones are counted, not kept."""

NEWTON_STEPS = 8


class Brackets(NamedTuple):
    """Steps with a change of sign: ends (K,), what is carried at the beginning, the marker."""

    count: Any
    begin: Any
    end: Any
    start: Any
    marker: Any


class PerturbedEvent(NamedTuple):
    """An event of the perturbed solve, or several: see `gradaudit.solvers.global_error`."""

    time: ScalarLike
    slope: Slopes
    state: States
    tangents: Tangents
    rate: States


class RecordedEvents(NamedTuple):
    """Events found: which marker (K,), -1 for none; time, slope (K, c), state, tangents, rate.

    `perturbed` are those of the perturbed solve, if there is one.
    """

    marker: Any
    time: Any
    slope: Any
    state: Any
    tangents: Any
    rate: Any
    perturbed: Any = ()


class EventRecorder(WrappedSolver):
    """Wraps a lifted or an estimating solver; its state carries `Brackets` along.

    Attributes
    ----------
    solver
        The solver wrapped.
    term
        What it integrates.
    value
        ``g(t, z, p) -> (E,)``, the functions of all markers.
    directions
        Of each marker, -1, 0 or 1.
    """

    term: diffrax.ODETerm
    value: Any
    directions: tuple[int, ...] = eqx.field(static=True)

    def init(
        self, terms: Any, t0: ScalarLike, t1: ScalarLike, y0: Any, args: TangentArgs
    ) -> tuple[Any, Brackets]:
        def empty(x: Any) -> Array:
            return jnp.zeros((MAX_RECORDED_EVENTS, *jnp.shape(x)), dtype=jnp.result_type(x))

        none = jnp.full((MAX_RECORDED_EVENTS,), -1)
        start = jax.tree_util.tree_map(empty, y0)
        brackets = Brackets(jnp.zeros((), int), empty(t0), empty(t0), start, none)
        return self.solver.init(self.term, t0, t1, y0, args), brackets

    def step(
        self,
        terms: Any,
        t0: ScalarLike,
        t1: ScalarLike,
        y0: Any,
        args: TangentArgs,
        solver_state: tuple[Any, Brackets],
        made_jump: bool | Flag,
    ) -> tuple[Any, Any, Any, tuple[Any, Brackets], Any]:
        inner, brackets = solver_state
        y1, error, dense, inner, result = self.solver.step(
            self.term, t0, t1, y0, args, inner, made_jump
        )
        before, after = self.value(t0, y0.y, args.p), self.value(t1, y1.y, args.p)
        for index, direction in enumerate(self.directions):
            rises = (before[index] < 0) & (after[index] >= 0)
            falls = (before[index] > 0) & (after[index] <= 0)
            crossed = {1: rises, -1: falls, 0: rises | falls}[direction]
            brackets = _noted(brackets, crossed, index, t0, t1, y0)
        return y1, error, dense, (inner, brackets), result


def _noted(
    brackets: Brackets, crossed: Flag, index: int, t0: ScalarLike, t1: ScalarLike, y0: Any
) -> Brackets:
    # Without a crossing the write goes out of range, where it is dropped.
    at = jnp.where(crossed, brackets.count, MAX_RECORDED_EVENTS)

    def put(whole: Array, entry: Any) -> Array:
        return whole.at[at].set(entry, mode="drop")

    return Brackets(
        brackets.count + crossed,
        put(brackets.begin, t0),
        put(brackets.end, t1),
        jax.tree_util.tree_map(put, brackets.start, y0),
        put(brackets.marker, index),
    )


def _frozen(
    branches: FrozenField, decisions: Decisions, t: ScalarLike, z: States, p: Parameters
) -> States:
    return branches(t, z, p, decisions)


def locate(
    brackets: Brackets,
    observer: TangentSolver,
    term: Any,
    args: TangentArgs,
    value: Field,
    rate: Field,
    branches: FrozenField | None,
    *,
    perturbed: bool,
) -> RecordedEvents:
    """The events in their brackets, traced.

    Parameters
    ----------
    observer
        A lifted solver, which steps from the beginning of a bracket to the event.
    value, rate
        ``g(t, z, p) -> (E,)`` and ``f(t, z, p) -> (N,)``.
    branches
        The latter with each branch chosen explicitly, if it has any: the perturbed solve comes to
        its event on those of the beginning of the step.
    perturbed
        Whether to find the events of the perturbed solve, too.
    """
    seeds = args.seeds

    def reach(bracket: Brackets, t: ScalarLike) -> StateAndTangents:
        begin = bracket.start
        start = begin.lifted if isinstance(begin, Estimated) else begin
        state = observer.init(term, bracket.begin, t, start, args)
        reached, *_ = observer.step(term, bracket.begin, t, start, args, state, False)
        # no step at all is no division by its length either
        return jax.tree_util.tree_map(
            lambda a, b: jnp.where(t == bracket.begin, a, b), start, reached
        )

    def find(bracket: Brackets) -> RecordedEvents:
        index = jnp.maximum(bracket.marker, 0)

        def along(t: ScalarLike, y: States, rate: Field = rate) -> tuple[Scalar, Scalar]:
            flow = rate(t, y, args.p)
            g, slope = jax.jvp(
                lambda t, y: value(t, y, args.p)[index], (t, y), (jnp.ones_like(t), flow)
            )
            return g, slope

        def newton(_: Any, search: Any) -> Any:
            t, low, high, _, _ = search
            here = reach(bracket, t)
            g, slope = along(t, here.y)
            behind = jnp.sign(g) == first
            low, high = jnp.where(behind, t, low), jnp.where(behind, high, t)
            guess = t - g / slope
            inside = (guess >= low) & (guess <= high)
            return jnp.where(inside, guess, 0.5 * (low + high)), low, high, t, here

        first = jnp.sign(along(bracket.begin, bracket.start.y)[0])
        middle = 0.5 * (bracket.begin + bracket.end)
        begin = StateAndTangents(bracket.start.y, bracket.start.tangents)
        search = (middle, bracket.begin, bracket.end, middle, begin)
        # once more than Newton's method needs, to be at the last time that it gave
        *_, t, here = jax.lax.fori_loop(0, NEWTON_STEPS + 1, newton, search)

        def event(t: ScalarLike, y: States, tangents: Tangents, rate: Field) -> PerturbedEvent:
            _, crossing = along(t, y, rate)

            def shift(tangent: States, seed: Parameters) -> Scalar:
                moved = jax.jvp(lambda y, p: value(t, y, p)[index], (y, args.p), (tangent, seed))
                return -moved[1] / crossing

            slope = jax.vmap(shift, in_axes=-1, out_axes=-1)(tangents, seeds)
            return PerturbedEvent(t, slope, y, tangents, rate(t, y, args.p))

        perturbed_event: Any = ()
        if perturbed:
            before = rate
            if branches is not None:
                decisions = branches.decisions(bracket.begin, bracket.start.y, args.p)
                before = partial(_frozen, branches, decisions)
            there = perturbed_at(t, bracket.begin, bracket.start, observer, before, args)
            wait, there = to_its_event(
                lambda t, y, p: value(t, y, p)[index], before, t, there, args.p, seeds
            )
            perturbed_event = event(t + wait, *there, before)
        return RecordedEvents(
            bracket.marker, *event(t, here.y, here.tangents, rate), perturbed_event
        )

    each = brackets._replace(count=jnp.broadcast_to(brackets.count, (MAX_RECORDED_EVENTS,)))

    def one(k: Any, events: RecordedEvents) -> RecordedEvents:
        mark = find(jax.tree_util.tree_map(lambda x: x[k], each))
        return jax.tree_util.tree_map(lambda whole, entry: whole.at[k].set(entry), events, mark)

    shapes = jax.eval_shape(find, jax.tree_util.tree_map(lambda x: x[0], each))
    none = jax.tree_util.tree_map(
        lambda x: jnp.zeros((MAX_RECORDED_EVENTS, *x.shape), x.dtype), shapes
    )
    none = none._replace(marker=jnp.full_like(none.marker, -1))
    # over what there is, for most solves have few events
    return jax.lax.fori_loop(0, jnp.minimum(brackets.count, MAX_RECORDED_EVENTS), one, none)

"""An estimate of the global error: the embedded error of every step, carried along.

Beside (y, S) go (d, D), both 0 at first. A step takes them through its own Jacobian-vector product,
which is the variation of the whole lifted step and so a second derivative of the method, and adds
its embedded errors (e, E) with their signs, and the saltation term where the step crosses a
discontinuity (see `gradaudit.crossings`). What arrives at the end is an estimate of the errors of
y and S, where the embedded error alone is that of one step. With local extrapolation it belongs to
the solution of the lower order, so that it is cautious.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp

from gradaudit.lifted import Lifted, LiftedSolver, LiftedTerm
from gradaudit.observing import SteppedOutput, StepToObservation


class Estimated(NamedTuple):
    """State (N,) and tangents (N, c), with the estimates of their errors."""

    y: Any
    tangents: Any
    error: Any
    tangent_error: Any

    @property
    def lifted(self) -> Lifted:
        """State and tangents alone."""
        return Lifted(self.y, self.tangents)


class EstimatedTerm(diffrax.ODETerm):
    """The lifted vector field; the estimates have none, for they live on steps."""

    def __init__(self, lifted: LiftedTerm) -> None:
        def estimated(t, state, args):
            rates = lifted.vf(t, state.lifted, args)
            zeros = jax.tree_util.tree_map(jnp.zeros_like, (state.error, state.tangent_error))
            return Estimated(rates.y, rates.tangents, *zeros)

        self.vector_field = estimated


class EstimatingSolver(diffrax.AbstractAdaptiveSolver):
    """Wraps a `LiftedSolver`, or one that wraps it, and carries the estimates along.

    Attributes
    ----------
    solver
        Steps `Lifted` states.
    term
        Its term.
    watching
        The lifted solver itself, which knows what a step over a discontinuity neglects.
    """

    solver: diffrax.AbstractSolver
    term: diffrax.ODETerm
    watching: LiftedSolver

    term_structure = diffrax.ODETerm

    @property
    def interpolation_cls(self):
        raise NotImplementedError("estimates are observed by steps: use observe='step' or 'clip'.")

    def order(self, terms):
        return self.solver.order(self.term)

    def error_order(self, terms):
        return self.solver.error_order(self.term)

    def func(self, terms, t0, y0, args):
        return terms.vf(t0, y0, args)

    def init(self, terms, t0, t1, y0, args):
        state = self.solver.init(self.term, t0, t1, y0.lifted, args)
        moving = eqx.filter(state, eqx.is_inexact_array)
        return state, jax.tree_util.tree_map(jnp.zeros_like, moving)

    def step(self, terms, t0, t1, y0, args, solver_state, made_jump):
        state, variation = solver_state
        moving, fixed = eqx.partition(state, eqx.is_inexact_array)

        def advance(lifted, moving):
            y1, error, _, after, result = self.solver.step(
                self.term, t0, t1, lifted, args, eqx.combine(moving, fixed), made_jump
            )
            moving_after, fixed_after = eqx.partition(after, eqx.is_inexact_array)
            return (y1, moving_after), (error, fixed_after, result)

        (y1, moving_after), (varied, variation), (error, fixed_after, result) = jax.jvp(
            advance,
            (y0.lifted, moving),
            (Lifted(y0.error, y0.tangent_error), variation),
            has_aux=True,
        )
        tangent_error = varied.tangents + error.tangents
        if self.watching.branches is not None:
            # with what the tangents lacked before, for it moves the time of the next switch
            before, after = y0.lifted, y1
            before = before._replace(tangents=before.tangents + y0.tangent_error)
            after = after._replace(tangents=after.tangents + tangent_error)
            missing = self.watching.neglected(t0, t1, before, after, args)
            tangent_error = tangent_error + missing.term
        estimate = (varied.y + error.y, tangent_error)
        after = eqx.combine(moving_after, fixed_after)
        return Estimated(*y1, *estimate), error, {}, (after, variation), result


class EstimatedOutput(SteppedOutput):
    """Observations by a step, as `SteppedOutput`; estimates in between are interpolated."""

    estimated: diffrax.ODETerm

    @property
    def interpolation_cls(self):
        return functools.partial(_StepWithEstimates, observer=self.observer, term=self.term)

    def init(self, terms, t0, t1, y0, args):
        return self.solver.init(self.estimated, t0, t1, y0, args)

    def step(self, terms, t0, t1, y0, args, solver_state, made_jump):
        y1, error, _, state, result = self.solver.step(
            self.estimated, t0, t1, y0, args, solver_state, made_jump
        )
        return y1, error, {"start": y0, "end": y1, "args": args}, state, result


class _StepWithEstimates(diffrax.AbstractLocalInterpolation):
    t0: Any
    t1: Any
    start: Estimated
    end: Estimated
    args: Any
    observer: Any
    term: Any

    def evaluate(self, t0, t1=None, left=True):
        del t1, left
        reached = StepToObservation(
            t0=self.t0,
            t1=self.t1,
            start=self.start.lifted,
            args=self.args,
            solver=self.observer,
            term=self.term,
        ).evaluate(t0)
        share = (t0 - self.t0) / jnp.where(self.t1 > self.t0, self.t1 - self.t0, 1.0)

        def between(a, b):
            return a + share * (b - a)

        return Estimated(
            *reached,
            between(self.start.error, self.end.error),
            between(self.start.tangent_error, self.end.tangent_error),
        )

"""An estimate of the global error: a second solve that takes two steps for each one of the first.

Along with (y, S) goes a perturbed solve (y + d, S + D), with d = D = 0 at first. For every step of
(y, S) it takes two steps of half the length from where it is, and adds the saltation term where the
step crosses a discontinuity (see `gradaudit.solvers.missed_saltation`). What (d, D) are at the end
is an estimate of the errors of y and S, with the opposite sign: where a method converges with order
q, the error of the perturbed solve is 2^-q of that of the solve, and the estimate 1 - 2^-q of it.
That is 0.97 for a smooth problem and a method of order 5, and a half where stiffness has reduced
the order to 1.

Embedded error estimates are not used. With local extrapolation they belong to the solution of the
lower order. And where an explicit method is limited by stability, its steps are so long that they
hardly damp what is fast: a perturbation by the embedded error, which is fast there, adds up over
all steps. Steps of half the length damp it, as the solution itself does.

The perturbed solve may have fewer tangents than the solve. For signs w, with w_j = +1 or -1, its
one tangent along w gives D w, and over random w the mean of |phi D w|^2 is |phi D|^2: one column
tells the size of the error of a gradient, though not which of its entries is wrong.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import jax.tree_util as jtu

from gradaudit.backend.shapes import (
    Flag,
    Parameters,
    Scalar,
    ScalarLike,
    Seeds,
    Slopes,
    States,
    Tangents,
)
from gradaudit.solvers.stepped_output import SteppedOutput, observed, where_solved
from gradaudit.solvers.tangent_solver import (
    StateAndTangents,
    TangentArgs,
    TangentSolver,
    TangentSolverState,
    TangentTerm,
    step_traced_once,
)
from gradaudit.solvers.wrapper import WrappedSolver

Field = Callable[..., Any]
"""``f(t, z, p)`` of states and integrals, traced."""


class Estimated(NamedTuple):
    """State (N,) and tangents (N, c), with the estimates of their errors."""

    y: States
    tangents: Tangents
    error: States
    tangent_error: Tangents

    @property
    def lifted(self) -> StateAndTangents:
        """State and tangents alone."""
        return StateAndTangents(self.y, self.tangents)

    @property
    def errors(self) -> StateAndTangents:
        """Their errors alone."""
        return StateAndTangents(self.error, self.tangent_error)

    @property
    def perturbed(self) -> StateAndTangents:
        """State and tangents of the perturbed solve; of all tangents."""
        return StateAndTangents(self.y + self.error, self.tangents + self.tangent_error)


class EstimatedTerm(diffrax.ODETerm):
    """The lifted vector field; the estimates have none, for they live on steps."""

    def __init__(self, lifted: TangentTerm) -> None:
        def estimated(t: ScalarLike, state: Estimated, args: TangentArgs) -> Estimated:
            rates = lifted.vf(t, state.lifted, args)
            zeros = jtu.tree_map(jnp.zeros_like, (state.error, state.tangent_error))
            return Estimated(rates.y, rates.tangents, *zeros)

        self.vector_field = estimated


class EstimatingSolver(WrappedSolver):
    """Wraps a `TangentSolver`, or one that wraps it, and carries the estimates along.

    Its dense output is that of state and tangents alone; `EstimatedOutput` knows how errors are
    observed.

    Attributes
    ----------
    solver
        Steps `StateAndTangents` states.
    term
        Its term.
    watching
        The lifted solver itself, which knows what a step over a discontinuity neglects. It is asked
        once for both solves, so that `solver` itself need not watch.
    direction
        (c,) The direction in the space of the parameters that is probed, whose estimate is
        `tangent_error` (N, 1) then, see `gradaudit.model.probe_direction`; None for all of them.
    apart
        Whether a step is compiled apart from its halves, so that these are left out where nothing
        is made of them, as in the search for an event.
    """

    term: diffrax.ODETerm
    watching: TangentSolver
    direction: Slopes | None = None
    apart: bool = eqx.field(static=True, default=False)
    traced_once: Callable[..., Any] = eqx.field(
        static=True, init=False, default_factory=step_traced_once
    )

    def order(self, terms: Any) -> Any:
        return self.solver.order(self.term)

    def error_order(self, terms: Any) -> Any:
        return self.solver.error_order(self.term)

    def func(self, terms: Any, t0: ScalarLike, y0: Estimated, args: TangentArgs) -> Estimated:
        return terms.vf(t0, y0, args)

    def init(
        self, terms: Any, t0: ScalarLike, t1: ScalarLike, y0: Estimated, args: TangentArgs
    ) -> tuple[Any, Any]:
        state = self.solver.init(self.term, t0, t1, y0.lifted, args)
        return state, eqx.filter(self._perturbed(state), eqx.is_inexact_array)

    def step(
        self,
        terms: Any,
        t0: ScalarLike,
        t1: ScalarLike,
        y0: Estimated,
        args: TangentArgs,
        solver_state: tuple[Any, Any],
        made_jump: bool | Flag,
    ) -> tuple[Estimated, Any, Any, tuple[Any, Any], Any]:
        return self.traced_once(self, t0, t1, y0, args, solver_state, made_jump)

    def _step(
        self,
        t0: ScalarLike,
        t1: ScalarLike,
        y0: Estimated,
        args: TangentArgs,
        solver_state: tuple[Any, Any],
        made_jump: bool | Flag,
    ) -> tuple[Estimated, Any, Any, tuple[Any, Any], Any]:
        state, perturbed = solver_state
        tangents, along = self._along(y0.tangents), self._directions(args)
        start = StateAndTangents(y0.y + y0.error, tangents + y0.tangent_error)
        _, fixed = eqx.partition(self._perturbed(state), eqx.is_inexact_array)
        begin, middle = eqx.combine(perturbed, fixed), t0 + 0.5 * (t1 - t0)
        halves = [(t0, middle, made_jump), (middle, t1, False)]
        if self.direction is None and not self.apart:
            step, _, last = self._in_turn(
                [(t0, t1, made_jump), *halves], (y0.lifted, state), args, then=(start, begin)
            )
        else:
            step = self.solver.step(self.term, t0, t1, y0.lifted, args, state, made_jump)
            _, last = self._in_turn(halves, (start, begin), along)
        y1, error, dense, after, result = step
        reached, perturbed = last[0], last[3]
        tangent_error = reached.tangents - self._along(y1.tangents)
        if self.watching.branches is not None:
            # The second with what the tangents lacked before: it moves the time of the next switch.
            before = _beside(y0.y, y0.tangents, start.tangents)
            end = _beside(y1.y, y1.tangents, self._along(y1.tangents) + tangent_error)
            both = args._replace(directions=jnp.concatenate([args.directions, along.directions]))
            missing = self.watching.neglected(t0, t1, before, end, both, made_jump)
            own, others = missing.split(y1.tangents.shape[1])
            after = after._replace(crossed=after.crossed.including(own, y1.tangents))
            tangent_error += others.term
        perturbed = eqx.filter(perturbed, eqx.is_inexact_array)
        return (
            Estimated(y1.y, y1.tangents, reached.y - y1.y, tangent_error),
            error,
            dense,
            (after, perturbed),
            result,
        )

    def _in_turn(
        self, steps: list[Any], start: Any, args: TangentArgs, then: Any = None
    ) -> list[Any]:
        """What the solver returns of steps (t0, t1, made_jump), traced and compiled as one.

        Each begins where the one before it has ended, the first with a state and the solver's own
        at `start`, the second at `then`, if that is given. Several steps one after the other in one
        function cost the compiler more than their number.
        """
        begin, end, jumps = zip(*steps, strict=True)
        still = all(jump is False for jump in jumps)

        def step(here: Any, of: Any) -> Any:
            first, t0, t1, jump = of
            made = self.solver.step(
                self.term, t0, t1, here[0], args, here[1], False if still else jump
            )
            behind = made[0], made[3]
            if then is not None:
                behind = jtu.tree_map(lambda a, b: jnp.where(first, a, b), then, behind)
            return behind, made

        count = len(steps)
        each = (jnp.arange(count) == 0, jnp.stack(begin), jnp.stack(end), jnp.stack(jumps))
        _, made = jax.lax.scan(step, start, each)
        return [jtu.tree_map(operator.itemgetter(k), made) for k in range(count)]

    def _directions(self, args: TangentArgs) -> TangentArgs:
        """Those of the perturbed solve."""
        if self.direction is None:
            return args
        return args._replace(directions=(self.direction @ args.directions)[None])

    def _along(self, columns: Any) -> Any:
        return _along(columns, self.direction)

    def _perturbed(self, state: TangentSolverState) -> TangentSolverState:
        """The state of the solver with the perturbed solve's tangents."""
        return state._replace(tangents=jtu.tree_map(self._along, state.tangents))


def perturbed_at(
    t: ScalarLike,
    begin: ScalarLike,
    start: Estimated,
    observer: TangentSolver,
    field: Field,
    args: TangentArgs,
) -> StateAndTangents:
    """The perturbed solve of a step from `begin` to t, by another vector field, traced."""
    primal = diffrax.ODETerm(field)
    lifted = TangentTerm(primal)
    steps = TangentSolver(observer.inner, primal, watched=observer.watched)
    solver, term = EstimatingSolver(steps, lifted, steps), EstimatedTerm(lifted)
    state = solver.init(term, begin, t, start, args)
    reached, *_ = solver.step(term, begin, t, start, args, state, False)
    return reached.perturbed


def carried(
    dt: ScalarLike, field: Field, t: ScalarLike, here: StateAndTangents, p: Parameters, seeds: Seeds
) -> StateAndTangents:
    """State and tangents a little later or earlier, along their rates at t, traced.

    `field` is ``f(t, z, p) -> (N,)``; `seeds` (m, c).
    """
    rate = TangentTerm(diffrax.ODETerm(field)).vf(t, here, TangentArgs.along(p, seeds, 0.0, 0.0))
    return StateAndTangents(here.y + dt * rate.y, here.tangents + dt * rate.tangents)


def to_its_event(
    value: Field,
    field: Field,
    t: ScalarLike,
    perturbed: StateAndTangents,
    p: Parameters,
    seeds: Seeds,
) -> tuple[Scalar, StateAndTangents]:
    """The time from t, the event of the solve, to that of its perturbed solve; and what is there.

    To first order of that time, which may be negative; `value` is ``g(t, z, p)``, a scalar.
    """
    rate = field(t, perturbed.y, p)
    g, speed = jax.jvp(
        lambda t, z: value(t, z, p), (jnp.asarray(t), perturbed.y), (jnp.ones_like(t), rate)
    )
    wait = -g / speed
    return wait, carried(wait, field, t, perturbed, p, seeds)


def _beside(y: States, tangents: Tangents, others: Tangents) -> StateAndTangents:
    """One state with the tangents of two solves, one beside the other."""
    return StateAndTangents(y, jnp.concatenate([tangents, others], axis=1))


def _along(columns: Any, direction: Slopes | None) -> Any:
    """Columns (..., c) as the perturbed solve has them: all, or (..., 1) along the direction."""
    return columns if direction is None else (columns @ direction)[..., None]


class EstimatedOutput(SteppedOutput):
    """Observations by a step, as `SteppedOutput`, of the perturbed solve by two halves of it.

    Attributes
    ----------
    estimated
        The term of `EstimatingSolver`.
    observing
        Makes the steps that end at an observation.
    dense
        How the method interpolates, if observations are its dense output. The perturbed solve makes
        steps all the same, so that what the interpolant is off by is part of the estimates.
    """

    estimated: diffrax.ODETerm
    observing: EstimatingSolver
    dense: Any = eqx.field(static=True, default=None)

    @property
    def interpolation_cls(self) -> Callable[..., _StepWithEstimates]:
        return functools.partial(
            _StepWithEstimates,
            observing=self.observing,
            term=self.estimated,
            interpolant=self.dense,
        )

    def init(
        self, terms: Any, t0: ScalarLike, t1: ScalarLike, y0: Estimated, args: TangentArgs
    ) -> Any:
        return self.solver.init(self.estimated, t0, t1, y0, args)

    def step(
        self,
        terms: Any,
        t0: ScalarLike,
        t1: ScalarLike,
        y0: Estimated,
        args: TangentArgs,
        solver_state: Any,
        made_jump: bool | Flag,
    ) -> tuple[Estimated, Any, dict[str, Any], Any, Any]:
        y1, error, dense, state, result = self.solver.step(
            self.estimated, t0, t1, y0, args, solver_state, made_jump
        )
        info = {
            "start": y0,
            "end": y1,
            "args": args,
            "made_jump": jnp.asarray(made_jump),
            "dense": dense if self.dense else {},
        }
        return y1, error, info, state, result


class _StepWithEstimates(diffrax.AbstractLocalInterpolation):
    t0: ScalarLike
    t1: ScalarLike
    start: Estimated
    end: Estimated
    args: TangentArgs
    made_jump: Flag
    dense: Any
    observing: EstimatingSolver
    term: Any
    interpolant: Any = eqx.field(static=True)

    def evaluate(
        self, t0: ScalarLike, t1: ScalarLike | None = None, left: bool = True
    ) -> Estimated:
        del t1, left
        state = self.observing.init(self.term, self.t0, t0, self.start, self.args)
        there, *_, result = self.observing.step(
            self.term, self.t0, t0, self.start, self.args, state, self.made_jump
        )
        reached = observed(self, t0, where_solved(self, self.observing, result, there))
        if self.interpolant is None:
            return reached
        dense = self.interpolant(t0=self.t0, t1=self.t1, **self.dense).evaluate(t0)
        off = _along(reached.tangents - dense.tangents, self.observing.direction)
        return Estimated(
            dense.y,
            dense.tangents,
            reached.error + reached.y - dense.y,
            reached.tangent_error + off,
        )

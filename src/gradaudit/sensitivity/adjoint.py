"""Sensitivities in reverse mode: the discrete adjoint and the backsolve adjoint.

A reverse pass gives the derivatives of one number with respect to all parameters. The whole of
S(t), one row for every state, integral and observation time, takes as many passes: a price that a
loss function does not pay, and the reason why reverse mode is not the way to S itself.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import jax.tree_util as jtu
import numpy as np

from gradaudit.backend.jax_setup import run_compiled
from gradaudit.backend.program_cache import identity_cache
from gradaudit.backend.shapes import Flag, Parameters, Scalar, States, StatesAtTimes, Times
from gradaudit.model.definition import Model
from gradaudit.records.results import Array
from gradaudit.sensitivity.request import Request
from gradaudit.sensitivity.solve_status import Raw
from gradaudit.sensitivity.state_solve import StateSolve, counts_of
from gradaudit.solvers import integration
from gradaudit.solvers.controller import Attempt, Controller, Start, StepDecision
from gradaudit.solvers.options import StaticOptions, TracedOptions
from gradaudit.solvers.registry import get_solver
from gradaudit.solvers.wrapper import WrappedSolver

Inputs = tuple[Array, Array, TracedOptions]
"""Times (T,), parameters (m,), and the traced options."""

CHECKPOINTED_STEPS = 16_384
"""Most steps of a solve in reverse mode, which makes room for every one of them beforehand."""


def discrete_adjoint(request: Request) -> tuple[Raw, float, float]:
    """Discretise, then differentiate, by transposition: forward AD's numbers, to rounding.

    The grid of forward AD is recorded first. What is differentiated is a replay of the accepted
    steps: diffrax would go back through the rejected ones as well, where a stage that is not finite
    makes NaN of a zero. Every observation time is a replay of its own, up to the step that passes
    it. There is a checkpoint at every step, so that none is computed more than twice; a solve of
    more than `CHECKPOINTED_STEPS` ends with the status "max_steps". Returned as by
    `gradaudit.sensitivity.program.Program`; the counts are those of the recorded solve.
    """
    model = request.model
    solve = adjoint_program(model, _within_checkpoints(request))
    inputs = (request.times, model.nominal, request.options.traced)
    (states, rows, counts), seconds, compile_seconds = solve(inputs)
    raw = Raw(states, rows * model.parameter_scale, np.nan, *counts)
    return raw, seconds, compile_seconds


def _within_checkpoints(request: Request) -> StaticOptions:
    static = request.options.static
    return replace(static, max_steps=min(static.max_steps, CHECKPOINTED_STEPS), estimate=False)


@dataclass(frozen=True)
class _ReverseProgram(ABC):
    """A compiled solve with its way back, for any number of observation times."""

    solve: StateSolve
    _compiled: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, inputs: Inputs) -> tuple[Any, float, float]:
        return run_compiled(
            self._compiled, len(inputs[0]), self._run, inputs, self.solve.options.dtype
        )

    @abstractmethod
    def _run(
        self, times: Times, p: Parameters, traced: TracedOptions
    ) -> tuple[StatesAtTimes, Any, list[Any]]:
        """States (T, N), rows of sensitivities, and counts."""


class AdjointProgram(_ReverseProgram):
    """The compiled solve and reverse passes."""

    def _run(
        self, times: Times, p: Parameters, traced: TracedOptions
    ) -> tuple[StatesAtTimes, Any, list[Any]]:
        """States (T, N), rows (T, N, m) and counts."""
        grid, counts = self._grid(times, p, traced)
        rows = jnp.eye(self.solve.size)

        def at(time: Scalar) -> tuple[States, Any]:
            def observed(p: Parameters) -> States:
                return self._observed(time, times, grid, p, traced)

            state, vjp = jax.vjp(observed, p)
            return state, jax.vmap(lambda row: vjp(row)[0])(rows)

        return *jax.lax.map(at, times), counts

    def _grid(self, times: Times, p: Parameters, traced: TracedOptions) -> tuple[Times, list[Any]]:
        """Ends of the accepted steps, 0 first and infinity after the last one, and counts."""
        pieces = self.solve.pieces(times, p, traced, scan_kind="lax")
        solution = integration.diffeqsolve(
            pieces.term,
            pieces.solver,
            t0=0.0,
            t1=self.solve.model.t_end,
            dt0=pieces.dt0,
            y0=pieces.y0,
            args=p,
            saveat=diffrax.SaveAt(t0=True, steps=True, fn=lambda t, y, args: None),
            stepsize_controller=pieces.controller,
            adjoint=diffrax.ForwardMode(),
            max_steps=self.solve.options.max_steps,
            throw=False,
        )
        return solution.ts, counts_of(solution)

    def _observed(
        self, time: Scalar, times: Times, grid: Any, p: Parameters, traced: TracedOptions
    ) -> States:
        """The states at one observation time, (N,)."""
        pieces = self.solve.pieces(times, p, traced, scan_kind="checkpointed")
        solution = integration.diffeqsolve(
            pieces.term,
            _Remembering(pieces.solver, dense=self.solve.options.observe == "interpolant"),
            t0=0.0,
            t1=self.solve.model.t_end,
            dt0=None,
            y0=pieces.y0,
            args=p,
            saveat=diffrax.SaveAt(t1=True, solver_state=True),
            stepsize_controller=_Replay(grid, time),
            adjoint=diffrax.RecursiveCheckpointAdjoint(checkpoints=self.solve.options.max_steps),
            max_steps=self.solve.options.max_steps,
            throw=False,
        )
        last = solution.solver_state.last
        if self.solve.options.observe == "interpolant":
            # Before the first step there is nothing to interpolate.
            end = jnp.where(last.t1 > last.t0, last.t1, last.t0 + 1.0)
            dense = pieces.solver.interpolation_cls(t0=last.t0, t1=end, **last.dense)
            return jnp.where(time > last.t0, dense.evaluate(time), last.y0)
        state = pieces.observer.init(pieces.term, last.t0, time, last.y0, p)
        reached, *_ = pieces.observer.step(pieces.term, last.t0, time, last.y0, p, state, False)
        return jnp.where(time > last.t0, reached, last.y0)


@identity_cache
def adjoint_program(model: Model, options: StaticOptions) -> AdjointProgram:
    """The reverse-mode program, compiled at most once in a process."""
    return AdjointProgram(StateSolve(model, options))


def backsolve_adjoint(request: Request) -> tuple[Raw, float, float]:
    """Differentiate, then discretise, backwards: the adjoint equation with the state beside it.

    As in diffrax, the state is set right again at every observation time, and in between it is
    computed backwards: where the model forgets its past, that is unstable. For S(t_i) the adjoint
    starts at t_i, in solves of its own, with the tolerances of the forward solve and diffrax's norm
    over state, adjoint and gradient. The first observation time that fails ends it, the last being
    tried first, and everything is NaN. Counts are those of the forward solve.
    """
    model, count = request.model, len(request.times)
    solve = backsolve_program(model, _within_checkpoints(request))
    raw, seconds, compile_seconds = None, 0.0, 0.0
    for index in reversed(range(count)):
        # The times before it come last, and the first one is repeated in place of the others.
        times = request.times[np.maximum(np.arange(count) - (count - 1 - index), 0)]
        inputs = (times, model.nominal, request.options.traced)
        (states, rows, counts), warm, compiling = solve(inputs)
        seconds, compile_seconds = seconds + warm, compile_seconds + compiling
        if raw is None:
            raw = Raw(states, np.full((*states.shape, model.m), np.nan), np.nan, *counts)
        raw.tangents[index] = rows * model.parameter_scale
        if counts[-1] != 0 or not np.all(np.isfinite(rows)):
            break
    assert raw is not None
    return raw, seconds, compile_seconds


class BacksolveProgram(_ReverseProgram):
    """The compiled solve and backward solves, for the last one of the times."""

    def _run(
        self, times: Times, p: Parameters, traced: TracedOptions
    ) -> tuple[StatesAtTimes, Any, list[Any]]:
        """States (T, N), the rows of the last time (N, m), counts."""
        rows = jnp.eye(self.solve.size)

        def observed(p: Parameters) -> tuple[StatesAtTimes, list[Any]]:
            return self._observed(times, p, traced)

        states, vjp, counts = jax.vjp(observed, p, has_aux=True)

        def gradient(row: States) -> Parameters:
            return vjp(jnp.zeros_like(states).at[-1].set(row))[0]

        return states, jax.lax.map(gradient, rows), counts

    def _observed(
        self, times: Times, p: Parameters, traced: TracedOptions
    ) -> tuple[StatesAtTimes, list[Any]]:
        solve = self.solve
        pieces = solve.pieces(times, p, traced, scan_kind="lax")
        _, backward = get_solver(solve.options.solver).build(
            **traced.of_root_finder, n=None, scan_kind="lax"
        )
        dtmin = 1e-3 * float(jnp.finfo(p.dtype).eps) * solve.model.t_end
        coefficients = dict(zip(("pcoeff", "icoeff", "dcoeff"), traced.pid, strict=True))
        adjoint = diffrax.BacksolveAdjoint(
            solver=backward,
            stepsize_controller=diffrax.PIDController(
                rtol=traced.rtol,
                atol=traced.atol,
                dtmin=dtmin,
                dtmax=traced.dtmax,
                force_dtmin=False,
                **coefficients,
            ),
            throw=True,  # a backward solve that fails is NaN, see `runtime_errors_as_nan`
        )
        solution = solve.observed(pieces, times, p, adjoint)
        return solution.ys, counts_of(solution)


@identity_cache
def backsolve_program(model: Model, options: StaticOptions) -> BacksolveProgram:
    """The program for backward solves, compiled at most once in a process."""
    return BacksolveProgram(StateSolve(model, options))


class _Replay(Controller):
    """Steps that end at `ends`, up to and including the one that passes `time`."""

    ends: Any
    time: Any

    def begin(self, start: Start) -> tuple[Scalar, Any]:
        return self.ends[1], jnp.asarray(1)

    def decide(self, attempt: Attempt) -> StepDecision:
        t1, following = attempt.t1, attempt.controller_state + 1
        passed = t1 >= self.time
        result = diffrax.RESULTS.where(
            passed, diffrax.RESULTS.event_occurred, diffrax.RESULTS.successful
        )
        return jnp.asarray(True), t1, self.ends[following], False, following, result


class _Step(NamedTuple):
    """The last step that was kept: where it began and ended, and its dense output if wanted."""

    t0: Scalar
    t1: Scalar
    y0: States
    dense: Any


class _RememberedState(NamedTuple):
    solver: Any
    last: _Step


class _Remembering(WrappedSolver):
    """Steps as `solver` makes them, with the last one in the state, to observe within it."""

    dense: bool = eqx.field(static=True)

    def init(
        self, terms: Any, t0: Scalar, t1: Scalar, y0: States, args: Parameters
    ) -> _RememberedState:
        state = self.solver.init(terms, t0, t1, y0, args)
        shape = jax.eval_shape(
            lambda: self.solver.step(terms, t0, t1, y0, args, state, made_jump=False)[2]
        )
        info = jtu.tree_map(lambda x: jnp.zeros(x.shape, x.dtype), shape)
        return _RememberedState(state, _Step(t0, t0, y0, info if self.dense else None))

    def step(
        self,
        terms: Any,
        t0: Scalar,
        t1: Scalar,
        y0: States,
        args: Parameters,
        solver_state: _RememberedState,
        made_jump: bool | Flag,
    ) -> tuple[States, States, Any, _RememberedState, Any]:
        y1, error, info, state, result = self.solver.step(
            terms, t0, t1, y0, args, solver_state.solver, made_jump
        )
        last = _Step(t0, t1, y0, info if self.dense else None)
        return y1, error, info, _RememberedState(state, last), result

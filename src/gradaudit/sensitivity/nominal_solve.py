"""The states alone: the nominal solve that a modeller looks at."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from gradaudit.backend.jax_setup import compile_for
from gradaudit.backend.program_cache import identity_cache
from gradaudit.backend.shapes import Parameters, Scalar, Times
from gradaudit.errors import SettingError
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state
from gradaudit.sensitivity.programs import program
from gradaudit.sensitivity.solve_status import status_of, word_for
from gradaudit.solvers import integration
from gradaudit.solvers.error_norm import Control, state_norm
from gradaudit.solvers.first_step import initial_step
from gradaudit.solvers.options import StaticOptions, TracedOptions
from gradaudit.solvers.registry import get_solver
from gradaudit.solvers.step_control import NormController, scalar_controller


class Trace(NamedTuple):
    """States (T, n) at `times` (T,), counts of steps, a status, seconds of the warm solve."""

    times: np.ndarray
    states: np.ndarray
    steps: int
    accepted: int
    rejected: int
    status: str
    seconds: float


@dataclass(frozen=True)
class Primal:
    """The compiled primal solve of a model with a solver.

    ``own_steps = 0`` observes at given times, by the solver's dense output as `SaveAt(ts)` does;
    otherwise the solution is saved at the solver's own steps, of which there may be that many.
    """

    model: Model
    options: StaticOptions
    own_steps: int = 0
    _compiled: dict[int, Any] = field(default_factory=dict, compare=False, repr=False)

    def __call__(
        self, times: ArrayLike, traced: TracedOptions, *, p: ArrayLike | None = None
    ) -> Trace:
        """Solve; `times` (T,) is not looked at where the solver's own steps are saved."""
        p = self.model.nominal if p is None else p
        inputs = jax.tree_util.tree_map(
            lambda x: jnp.asarray(x, dtype=jnp.float64),
            (np.float64(self.model.t_end), np.asarray(times), np.asarray(p), traced),
        )
        key = len(inputs[1])
        if key not in self._compiled:
            self._compiled[key] = compile_for(self._solve, inputs)
        start = time.perf_counter()
        ts, ys, steps, accepted, rejected, result = jax.tree_util.tree_map(
            np.asarray, jax.block_until_ready(self._compiled[key](*inputs))
        )
        seconds = time.perf_counter() - start
        if self.own_steps:
            count = min(int(accepted) + 1, len(ts))
            ts, ys = ts[:count], ys[:count]
        status = word_for(int(result), bool(np.all(np.isfinite(ys))))
        return Trace(ts, ys, int(steps), int(accepted), int(rejected), status, seconds)

    def _solve(
        self, end: Scalar, times: Times, p: Parameters, traced: TracedOptions
    ) -> tuple[Any, ...]:
        method, stepping = get_solver(self.options.solver), self.options.stepping
        _, solver = method.build(rtol=traced.rtol, atol=traced.atol, n=self.model.n)
        own = self.own_steps > 0
        controller = NormController(
            scalar_controller(stepping, order=method.order, t_end=end),
            lambda error, before, after: state_norm(traced, error, before, after),
        )
        solution = integration.diffeqsolve(
            diffrax.ODETerm(jax.jit(self.model.vector_field)),
            solver,
            t0=0.0,
            t1=end,
            dt0=initial_step(self.model, stepping, p, traced, method.order),
            y0=initial_state(self.model, p),
            args=p,
            saveat=diffrax.SaveAt(t0=True, steps=True) if own else diffrax.SaveAt(ts=times),
            stepsize_controller=controller,
            adjoint=diffrax.ForwardMode(),
            max_steps=self.own_steps if own else self.options.max_steps,
            throw=False,
        )
        counts = (solution.stats[f"num_{kind}steps"] for kind in ("", "accepted_", "rejected_"))
        return solution.ts, solution.ys, *counts, solution.result._value


@dataclass(frozen=True)
class JumpingPrimal:
    """The states of a model whose state jumps: a solve that stops there, with one tangent to spare.

    Only observations at given times are offered.
    """

    model: Model
    options: StaticOptions

    def __call__(
        self, times: ArrayLike, traced: TracedOptions, *, p: ArrayLike | None = None
    ) -> Trace:
        """Solve at `times` (T,), by the solver's dense output."""
        solve = program(self.model, replace(self.options, observe="interpolant"))
        control = Control(0.0, 0.0, 1.0, self.model.parameter_scale[:1])
        raw, seconds, _ = solve(
            np.asarray(times), traced, control=control, columns=np.arange(1), p=p
        )
        counts = (int(raw.steps), int(raw.accepted), int(raw.rejected))
        states = raw.states[:, : self.model.n]
        return Trace(np.asarray(times), states, *counts, status_of(raw), seconds)


@identity_cache
def primal(model: Model, options: StaticOptions, own_steps: int = 0) -> Primal | JumpingPrimal:
    """The primal program, compiled at most once in a process.

    Raises
    ------
    SettingError
        If the solver's own steps are asked for of a model whose state jumps.
    """
    if model.jumps:
        if own_steps:
            raise SettingError(
                f"model {model.name!r} jumps at events, where the solver's own steps end."
            )
        return JumpingPrimal(model, options)
    return Primal(model, options, own_steps)

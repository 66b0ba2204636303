"""A diffrax solver that carries the tangents of another solver along.

The lifted solver's state is (y, S). Its step is the Jacobian-vector product of the inner solver's
step with respect to (y, p) and the floating-point part of the solver state, one product for every
parameter, with the primal part computed once. Its error estimate is (e, E), the inner solver's
embedded error e and its tangents E. So the norm in the step controller decides what is controlled:
y alone gives forward AD (discretise, then differentiate, on the grid of the states), y and S give
forward sensitivity analysis with full error control; explicit and implicit solvers alike, and an
implicit one never forms the Newton matrix of the large system.

Tangents have one column per parameter, shape (N, c), where c is the number of parameters propagated
together and N the number of states and integrals.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from gradaudit.backend.jaxpr.branches import FrozenField
from gradaudit.backend.shapes import (
    Flag,
    Parameters,
    Scalar,
    ScalarLike,
    Seeds,
    States,
    Tangents,
)
from gradaudit.solvers.faint_states import Faint
from gradaudit.solvers.missed_saltation import Crossed, Neglected, neglected

BEFORE_A_JUMP = 1e-6
"""Of the step behind a declared jump: how far in front of it the branches are looked at."""


@runtime_checkable
class WithTangents(Protocol):
    """What has a state `y` (N,) and tangents (N, c), whatever else it carries."""

    @property
    def y(self) -> States:
        """State (N,)."""

    @property
    def tangents(self) -> Tangents:
        """Tangents (N, c)."""


class StateAndTangents(NamedTuple):
    """State and tangents: `y` (N,), `tangents` (N, c)."""

    y: States
    tangents: Tangents


class TangentArgs(NamedTuple):
    """What a step depends on besides the state.

    `p` (m,); `directions` (c, m) in parameter space, one a row: where the vector field has a
    product with a matrix of parameters, XLA would copy columns of them in every stage, which takes
    ten times as long as the product (m = 256); `rtol`, and `atol`, a scalar or (N,), scale the
    indicator, which watches the first `n` components.
    """

    p: Parameters
    directions: Array
    rtol: ScalarLike
    atol: Any

    @classmethod
    def along(cls, p: Parameters, seeds: Seeds, rtol: ScalarLike, atol: Any) -> TangentArgs:
        """With the directions as columns: `seeds` (m, c)."""
        return cls(p, jnp.asarray(seeds).T, rtol, atol)

    @property
    def seeds(self) -> Seeds:
        """The directions as columns (m, c)."""
        return self.directions.T


class TangentSolverState(NamedTuple):
    """The inner solver's state, its tangents, and what the steps so far have shown.

    `indicator` is the largest scaled embedded tangent error, `crossed` what was seen of
    discontinuities and `faint` of states below their absolute tolerance.
    """

    inner: Any
    tangents: Any
    indicator: Scalar
    crossed: Crossed
    faint: Faint


class TangentTerm(diffrax.ODETerm):
    """The vector field of (y, S): f and its Jacobian-vector products along every seed."""

    primal: diffrax.ODETerm

    def __init__(self, primal: diffrax.ODETerm) -> None:
        def lifted(t: ScalarLike, state: StateAndTangents, args: TangentArgs) -> StateAndTangents:
            def push(tangent: States, seed: Parameters) -> tuple[States, States]:
                return jax.jvp(lambda y, p: primal.vf(t, y, p), (state.y, args.p), (tangent, seed))

            rate, tangent_rate = _over_tangents(push)(state.tangents, args.directions)
            return StateAndTangents(rate, tangent_rate)

        self.primal = primal
        self.vector_field = lifted


def step_traced_once() -> Callable[..., Any]:
    """A solver's `_step`, traced once for arguments of the same shapes.

    Diffrax traces the body of its loop three times, and a step takes seconds of it. Every solver
    has such a function of its own, with which what was traced is forgotten.
    """
    return eqx.filter_jit(lambda solver, *step: solver._step(*step))


class TangentSolver(diffrax.AbstractAdaptiveSolver):
    """Wraps `inner` so that it solves for (y, S); see the module's docstring.

    Attributes
    ----------
    inner
        Any diffrax Runge-Kutta solver with ``scan_kind="lax"``, an implicit one with the
        tolerances of its root finder set.
    term
        The primal vector field f(t, y, p).
    watched
        Number of leading components that the indicator looks at (the states, not the integrals).
    branches
        The vector field with each branch chosen explicitly, where it has any that are to be
        watched.
    jumps
        Declared times, increasing, at which the vector field jumps and in front of which a step
        ends; see `_stopped`. None if there are none.
    """

    inner: diffrax.AbstractSolver
    term: diffrax.ODETerm
    watched: int = eqx.field(static=True)
    branches: FrozenField | None = eqx.field(static=True, default=None)
    jumps: Any = None
    traced_once: Callable[..., Any] = eqx.field(
        static=True, init=False, default_factory=step_traced_once
    )

    term_structure = diffrax.ODETerm

    @property
    def interpolation_cls(self) -> Callable[..., _TangentInterpolation]:
        return functools.partial(_TangentInterpolation, inner=self.inner.interpolation_cls)

    def order(self, terms: Any) -> Any:
        return self.inner.order(self.term)

    def error_order(self, terms: Any) -> Any:
        return self.inner.error_order(self.term)

    def func(
        self, terms: Any, t0: ScalarLike, y0: StateAndTangents, args: TangentArgs
    ) -> StateAndTangents:
        return terms.vf(t0, y0, args)

    def init(
        self, terms: Any, t0: ScalarLike, t1: ScalarLike, y0: StateAndTangents, args: TangentArgs
    ) -> TangentSolverState:
        _, fixed = eqx.partition(self._start(t0, t1, y0.y, args.p), eqx.is_inexact_array)

        def push(tangent: States, seed: Parameters) -> tuple[Any, Any]:
            def start(y: States, p: Parameters) -> Any:
                return eqx.filter(self._start(t0, t1, y, p), eqx.is_inexact_array)

            return jax.jvp(start, (y0.y, args.p), (tangent, seed))

        moving, tangents = _over_tangents(push)(y0.tangents, args.directions)
        zero = jnp.zeros(())
        return TangentSolverState(
            eqx.combine(moving, fixed), tangents, zero, Crossed(zero, zero), Faint.none()
        )

    def _start(self, t0: ScalarLike, t1: ScalarLike, y: States, p: Parameters) -> Any:
        return self.inner.init(self.term, t0, t1, y, p)

    def step(
        self,
        terms: Any,
        t0: ScalarLike,
        t1: ScalarLike,
        y0: StateAndTangents,
        args: TangentArgs,
        solver_state: TangentSolverState,
        made_jump: bool | Flag,
    ) -> tuple[StateAndTangents, StateAndTangents, dict[str, Any], TangentSolverState, Any]:
        return self.traced_once(self, t0, t1, y0, args, solver_state, made_jump)

    def _step(
        self,
        t0: ScalarLike,
        t1: ScalarLike,
        y0: StateAndTangents,
        args: TangentArgs,
        solver_state: TangentSolverState,
        made_jump: bool | Flag,
    ) -> tuple[StateAndTangents, StateAndTangents, dict[str, Any], TangentSolverState, Any]:
        moving, fixed = eqx.partition(solver_state.inner, eqx.is_inexact_array)
        term = self.term if self.jumps is None else _stopped(self.term, self.jumps, t0)

        def advance(y: States, p: Parameters, moving: Any) -> tuple[Any, Any]:
            y1, error, dense, state, result = self.inner.step(
                term, t0, t1, y, p, eqx.combine(moving, fixed), made_jump
            )
            moving_out, fixed_out = eqx.partition(state, eqx.is_inexact_array)
            return (y1, error, dense, moving_out), (fixed_out, result)

        def push(tangent: States, seed: Parameters, moving_tangent: Any) -> Any:
            return jax.jvp(
                advance, (y0.y, args.p, moving), (tangent, seed, moving_tangent), has_aux=True
            )

        primal, tangent, (fixed_out, result) = _over_tangents(push, aux=True)(
            y0.tangents, args.directions, solver_state.tangents
        )
        y1, error, dense, moving_out = primal
        tangents1, tangent_error, dense_tangents, moving_tangents = tangent
        reached, crossed = StateAndTangents(y1, tangents1), solver_state.crossed
        if self.branches is not None:
            missing = self.neglected(t0, t1, y0, reached, args, made_jump)
            crossed = crossed.including(missing, tangents1)
        state = TangentSolverState(
            eqx.combine(moving_out, fixed_out),
            moving_tangents,
            jnp.maximum(
                solver_state.indicator,
                _scaled_maximum(tangent_error, y0.tangents, tangents1, args, self.watched),
            ),
            crossed,
            solver_state.faint.including(y0.y, y1, error, args.rtol, args.atol),
        )
        dense_info = {"primal": dense, "tangents": dense_tangents}
        return reached, StateAndTangents(error, tangent_error), dense_info, state, result

    def neglected(
        self,
        t0: ScalarLike,
        t1: ScalarLike,
        before: StateAndTangents,
        after: StateAndTangents,
        args: TangentArgs,
        made_jump: bool | Flag,
    ) -> Neglected:
        """What the tangents of a step lack because it crosses a discontinuity.

        Also where the step before it ended just in front of one, at a declared jump.
        """
        assert self.branches is not None
        begin = jnp.where(made_jump, t0 - BEFORE_A_JUMP * (t1 - t0), t0)
        return neglected(self.branches, begin, t1, before, after, args)


def _stopped(term: diffrax.ODETerm, jumps: Any, t0: ScalarLike) -> diffrax.ODETerm:
    """The vector field of a step from t0, whose time stops in front of the next jump.

    A stage behind the end of the step, as at 1.23 of it in Kvaerno5, would else lie behind the jump
    in front of which the step ends, and lower the order of the whole solve to 1. So would a stage
    at the end of the last step, where the jump is the end of the window: that step is not clipped.
    """
    later = jnp.where(jumps > t0, jumps, jnp.inf)
    stop = jnp.nextafter(jnp.min(later), -jnp.inf)
    return diffrax.ODETerm(lambda t, y, p: term.vf(jnp.minimum(t, stop), y, p))


def _scaled_maximum(
    error: Tangents | None, before: Tangents, after: Tangents, args: TangentArgs, watched: int
) -> Scalar | float:
    """max |E| / (atol + rtol |S|) over the watched components: the indicator of one step."""
    if error is None:  # Euler's method has no embedded error
        return jnp.nan
    size = jnp.maximum(jnp.abs(before), jnp.abs(after))
    atol = jnp.asarray(args.atol)
    scaled = jnp.abs(error) / (atol[..., None] + args.rtol * size)
    return jnp.max(scaled[:watched], initial=0.0)


def _over_tangents(push: Callable[..., Any], *, aux: bool = False) -> Callable[..., Any]:
    """`push` of a tangent, a direction and what else has tangents, with its primal computed once.

    Over the last axis of tangents, because the products of one primal number with all its tangents
    then lie side by side in memory, and the sums over stages need no transposed copy.
    """

    def over(tangents: Any, *others: Any) -> Any:
        axes = (-1, 0, -1)[: 1 + len(others)]
        out_axes = (None, -1, None) if aux else (None, -1)
        return jax.vmap(push, in_axes=axes, out_axes=out_axes)(tangents, *others)

    return over


class _TangentInterpolation(diffrax.AbstractLocalInterpolation):
    """The inner solver's dense output and its derivative: what AD makes of `SaveAt(ts)`."""

    t0: ScalarLike
    t1: ScalarLike
    primal: Any
    tangents: Any
    inner: Any = eqx.field(static=True)

    def evaluate(
        self, t0: ScalarLike, t1: ScalarLike | None = None, left: bool = True
    ) -> StateAndTangents:
        del t1, left

        def observe(info: Any) -> States:
            return self.inner(t0=self.t0, t1=self.t1, **info).evaluate(t0)

        def push(tangent: Any) -> tuple[States, States]:
            return jax.jvp(observe, (self.primal,), (tangent,))

        return StateAndTangents(*_over_tangents(push)(self.tangents))

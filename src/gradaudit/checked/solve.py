"""One lifted solve of a vector field of flat arrays, inside of somebody else's program.

What `gradaudit.sensitivity.program` compiles for a model of the library is here a function that can
be traced: under jit, vmap and scan.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import jax.tree_util as jtu

from gradaudit.backend.jax_setup import runtime_errors_as_nan
from gradaudit.backend.jaxpr.branches import FrozenField
from gradaudit.backend.jaxpr.thresholds import standing, touching
from gradaudit.backend.shapes import Count, Flag, Scalar, StatesAtTimes, TangentsAtTimes
from gradaudit.errors import SettingError
from gradaudit.solvers import integration
from gradaudit.solvers.error_norm import Control, block_norm
from gradaudit.solvers.faint_states import Faint
from gradaudit.solvers.missed_saltation import Crossed, Neglected, at_edge
from gradaudit.solvers.nest import nested, without_errors
from gradaudit.solvers.options import TracedOptions
from gradaudit.solvers.registry import get_solver, solvers
from gradaudit.solvers.root_finder import patient
from gradaudit.solvers.step_control import NormController
from gradaudit.solvers.tangent_solver import (
    StateAndTangents,
    TangentArgs,
    TangentSolver,
    TangentTerm,
    WithTangents,
)

TOLERANCES = ("rtol", "atol", "norm")  # of a root finder; diffrax may take them from elsewhere

EDGE = 1e-9  # of the window: how far around its ends the branches are looked at


class Solved(NamedTuple):
    """States (T, n) and tangents (T, n, c), their estimated errors or None, and what it took.

    `neglected` is the largest share, in an entry of the tangents, of what they lack because a step
    crossed a discontinuity, `at_ends` of what they would have with a switch that turns at an end of
    the window; 0 if that is not watched. `undifferentiable` is the entry of y whose rate is finite
    where a solve failed, while the derivative of that is not; -1 if there is none. Arrays are NaN
    where the solve failed; `result` is a member of diffrax's RESULTS.
    """

    states: StatesAtTimes
    tangents: TangentsAtTimes
    errors: Any
    tangent_errors: Any
    indicator: Scalar
    neglected: Scalar
    at_ends: Scalar
    faint: Faint
    undifferentiable: Count
    stats: dict[str, Any]
    result: Any

    @property
    def ok(self) -> Flag:
        """Whether the solve came to its end, a traced boolean."""
        return self.result == diffrax.RESULTS.successful


class Problem(NamedTuple):
    """What is solved: ``field(t, y, p) -> (n,)`` from t0 to t1, observed at `times` (T,)."""

    field: Callable[..., Any]
    t0: Any
    t1: Any
    times: Any


def adaptive_solvers(
    solver: str | diffrax.AbstractSolver, *, rtol: Any, atol: Any, n: int
) -> tuple[diffrax.AbstractSolver, diffrax.AbstractSolver]:
    """The solver that makes the steps of the grid, and the one that ends at an observation.

    Parameters
    ----------
    solver
        A name of `gradaudit.solvers.registry.SOLVERS`, or a Runge-Kutta solver of diffrax. One with
        options of its own keeps them.
    rtol, atol, n
        Tolerances of the root finder of an implicit one, which looks at the `n` states.

    Raises
    ------
    SettingError
        If it is none that can be lifted.
    """
    if isinstance(solver, str):
        method = get_solver(solver)
        if not method.adaptive:
            raise SettingError(f"{solver!r} estimates no error, so that it cannot be controlled.")
        return method.build(rtol=rtol, atol=atol, n=n)
    known = next((method for method in solvers().values() if type(solver) is method.cls), None)
    if known is not None and known.adaptive and _as_it_comes(solver):
        return known.build(rtol=rtol, atol=atol, n=n)
    adaptive = isinstance(solver, diffrax.AbstractAdaptiveSolver)
    if not (isinstance(solver, diffrax.AbstractRungeKutta) and adaptive):
        raise SettingError(
            f"{type(solver).__name__} cannot be lifted: take one of diffrax's Runge-Kutta solvers "
            "with an embedded error estimate, such as Tsit5, Dopri8 or Kvaerno5."
        )
    if solver.term_structure is not diffrax.AbstractTerm:
        raise SettingError(f"{type(solver).__name__} takes several terms; only one is supported.")
    solver = dataclasses.replace(solver, scan_kind="lax")
    if isinstance(solver, diffrax.AbstractImplicitSolver):
        solver = _with_tolerances(solver, rtol, atol)
    return solver, solver


def is_implicit(solver: str | diffrax.AbstractSolver) -> bool:
    """Whether a solver, given as for `adaptive_solvers`, solves equations for its stages."""
    if isinstance(solver, str):
        return get_solver(solver).implicit
    known = next((method for method in solvers().values() if type(solver) is method.cls), None)
    return isinstance(solver, diffrax.AbstractImplicitSolver) or (
        known is not None and known.implicit
    )


def _as_it_comes(solver: Any) -> bool:
    """Whether nothing was set when the solver was made, the kind of loop aside."""
    plain = solver
    if isinstance(solver, diffrax.AbstractRungeKutta):
        plain = dataclasses.replace(solver, scan_kind=type(solver)().scan_kind)
    return bool(eqx.tree_equal(plain, type(solver)()))


def _with_tolerances(solver: Any, rtol: Any, atol: Any) -> Any:
    """A root finder that waits for the tolerances of the step controller gets them."""
    finder = solver.root_finder
    given = dict(zip(TOLERANCES, (rtol, atol, _rms), strict=True))
    waiting = type(solver).root_finder
    changed = {
        name: value
        for name, value in given.items()
        if getattr(finder, name) is getattr(waiting, name)
    }
    return dataclasses.replace(solver, root_finder=patient(finder, **changed))


def _rms(x: Any) -> Any:
    return jnp.sqrt(jnp.mean(jnp.real(x) ** 2))


def solve(
    problem: Problem,
    start: StateAndTangents,
    args: TangentArgs,
    solver: str | diffrax.AbstractSolver,
    controller: diffrax.PIDController | diffrax.ClipStepSizeController,
    *,
    dt0: Any,
    max_steps: int | None,
    tangent_weight: float = 1.0,
    propagate: bool = False,
    direction: Any = None,
    branches: FrozenField | None = None,
    dense: bool = False,
) -> Solved:
    """States and tangents of a problem, with the steps controlled for both.

    Parameters
    ----------
    start
        y0 (n,) and its tangents (n, c).
    args
        Parameters, seeds, and the tolerances of states and tangents.
    controller
        A PID controller, whose own tolerances and norm are not used, or one that clips its steps.
    dt0
        The first step; None for diffrax's choice.
    tangent_weight
        1 controls states and tangents, 0 the states only.
    propagate
        Carry estimates of the global errors along.
    direction
        (c,), along which alone those of the tangents are carried; None for all of them.
    branches
        The vector field, if it switches and that is to be watched.
    dense
        Observe by the method's dense output, not by a step that ends there: cheaper for many times,
        and of a lower order.
    """
    (n,) = start.y.shape
    control = Control(tangent_weight, 0.0, 0.0, jnp.ones(start.tangents.shape[1]))
    options = TracedOptions(args.rtol, args.atol)
    # The root finder of an implicit solver has one tolerance for all states.
    fast, own = adaptive_solvers(solver, rtol=args.rtol, atol=jnp.min(args.atol), n=n)
    term = diffrax.ODETerm(jax.jit(problem.field))  # traced once, not in every stage
    lifted = TangentTerm(term)
    jumps = getattr(controller, "jump_ts", None)
    terms, grid = nested(
        TangentSolver(fast, term, watched=n, branches=branches, jumps=jumps),
        TangentSolver(own, term, watched=n, jumps=jumps),
        lifted,
        estimate=propagate,
        direction=direction,
        dense=dense,
    )
    begin = without_errors(start, along_one=direction is not None) if propagate else start

    def scaled(error: WithTangents, before: WithTangents, after: WithTangents) -> Scalar:
        return block_norm(control, options, error, before, after, n)

    # A loop over one observation is compiled without a loop, and would make the step that ends at
    # an observation in every step of the grid.
    single = problem.times.shape[0] == 1
    times = jnp.repeat(problem.times, 2) if single else problem.times
    with runtime_errors_as_nan():
        solution = integration.diffeqsolve(
            terms,
            grid,
            t0=problem.t0,
            t1=problem.t1,
            dt0=dt0,
            y0=begin,
            args=args,
            saveat=diffrax.SaveAt(
                subs=[diffrax.SubSaveAt(ts=times), diffrax.SubSaveAt(t1=True)], solver_state=True
            ),
            stepsize_controller=_of_norm(controller, scaled),
            adjoint=diffrax.ForwardMode(),
            max_steps=max_steps,
            throw=False,
        )
    state: Any = solution.solver_state[0] if propagate else solution.solver_state
    ok = solution.result == diffrax.RESULTS.successful
    ys: Any = jtu.tree_map(
        lambda x: jnp.where(ok, x[:1] if single else x, jnp.nan), tuple(solution.ys[0])
    )
    reached: Any = jtu.tree_map(lambda x: x[0], tuple(solution.ys[1]))[:2]
    rough = _undifferentiable(lifted, solution.ts[1][0], StateAndTangents(*reached), args, problem)
    states, tangents, *errors = ys
    at_ends = Crossed(jnp.zeros(()), jnp.zeros(()))
    if branches is not None:
        width, last = EDGE * (problem.t1 - problem.t0), StateAndTangents(states[-1], tangents[-1])
        first = jnp.asarray(problem.t0, dtype=float)
        ends = jnp.stack([first, problem.times[-1]]), jnp.stack([start.y, last.y])
        both = jax.tree_util.tree_map(lambda a, b: jnp.stack([a, b]), start, last)
        edges = jax.vmap(lambda t, here: at_edge(branches, t, width, here, args))(ends[0], both)
        for k, here in enumerate((start, last)):
            at_ends = at_ends.including(Neglected(edges.term[k], edges.slope[k]), here.tangents)
        beside = touching(branches, first, start.y, args.p, start.tangents, args.seeds)
        beside |= standing(branches, *ends, args.p, last.tangents, args.seeds)
        at_ends = at_ends._replace(neglected=jnp.where(jnp.any(beside), 1.0, at_ends.neglected))
    return Solved(
        states=states,
        tangents=tangents,
        errors=errors[0] if propagate else None,
        tangent_errors=errors[1] if propagate else None,
        indicator=state.indicator,
        neglected=state.crossed.neglected,
        faint=state.faint,
        undifferentiable=jnp.where(ok, -1, rough),
        at_ends=jnp.where(ok, at_ends.neglected, 0.0),
        stats={name: solution.stats[name] for name in COUNTS},
        result=solution.result,
    )


def _undifferentiable(
    lifted: TangentTerm, t: Any, here: StateAndTangents, args: TangentArgs, problem: Problem
) -> Any:
    """The entry of y whose rate has no finite derivative at t, or soon after it; -1 if none has."""
    found, window = jnp.asarray(-1), problem.t1 - problem.t0
    rate = lifted.vf(t, here, args).y
    # as large as the tangents are, for a product with them may be what overflows
    moving = jnp.ones_like(here.tangents) + jnp.max(jnp.abs(here.tangents), initial=0.0)
    for share in AHEAD:
        step = share * window
        point = StateAndTangents(here.y + step * rate, moving)
        ahead = lifted.vf(t + step, point, args)
        bad = jnp.isfinite(ahead.y) & ~jnp.all(jnp.isfinite(ahead.tangents), axis=-1)
        found = jnp.where((found < 0) & jnp.any(bad), jnp.argmax(bad), found)
    return found


AHEAD = (0.0, 1e-9, 1e-6, 1e-3)
"""Of the window: where behind the last good step a derivative that is not finite is looked for."""

COUNTS = ("num_steps", "num_accepted_steps", "num_rejected_steps")


def _of_norm(controller: Any, scaled: Callable[..., Any]) -> Any:
    """The controller, shown the scalar `scaled` instead of the error vector."""
    if isinstance(controller, diffrax.ClipStepSizeController):
        return eqx.tree_at(
            lambda clip: clip.controller, controller, _of_norm(controller.controller, scaled)
        )
    return NormController(dataclasses.replace(controller, rtol=0.0, atol=1.0, norm=abs), scaled)


def in_directions(function: Callable[..., Any], point: Any, tangents: Any) -> Any:
    """Jacobian-vector products along the last axis of `tangents`, there in the result too."""
    return jax.vmap(
        lambda tangent: jax.jvp(function, (point,), (tangent,))[1], in_axes=-1, out_axes=-1
    )(tangents)

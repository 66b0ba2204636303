"""diffrax's `diffeqsolve` with error-controlled tangents in forward mode.

The solution is diffrax's own, step by step. Its derivative is another solve, of states and tangents
together, in which no step is accepted unless both are good to the tolerances. All columns of a
`jax.jacfwd` are tangents of one such solve.

Why a function and not an adjoint for diffrax's: an adjoint gets the loop of the solve to
differentiate, and neither the step controller nor the solver can be changed from there without
diffrax's private interfaces.
"""

from __future__ import annotations

import warnings
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import jax.tree_util as jtu
import numpy as np
from jax.flatten_util import ravel_pytree

from gradaudit.backend.jaxpr.branches import FrozenField
from gradaudit.backend.shapes import Flag, Parameters, Scalar, States, TangentsAtTimes
from gradaudit.checked.batching import columnwise
from gradaudit.checked.nondifferentiable import without_derivative
from gradaudit.checked.options import check_options, check_times
from gradaudit.checked.pytrees import from_columns, to_vector
from gradaudit.checked.solve import Problem, adaptive_solvers, solve
from gradaudit.errors import ModelWarning, SettingError
from gradaudit.solvers import integration
from gradaudit.solvers.tangent_solver import StateAndTangents, TangentArgs

OF_TIMES = (
    "t0, t1, dt0, saveat.ts and the settings of the step controller cannot be differentiated; for "
    "the derivative by an end point multiply the vector field there, or rescale time so that it is "
    "an argument."
)
TWICE = (
    "gradaudit.diffeqsolve can be differentiated once: second derivatives would not be controlled."
)
FORWARD = (
    "gradaudit.diffeqsolve can be differentiated in forward mode only (jax.jvp, jax.jacfwd); for "
    "jax.grad, jax.vjp or jax.jacrev use diffrax.diffeqsolve."
)
TANGENTS_FAILED = (
    "the solve for states and tangents failed or needed more than max_steps, although that for the "
    "states alone did not. Raise max_steps or loosen the tolerances; with throw=False the tangents "
    "are NaN instead."
)
SWITCHED = (
    "gradaudit.diffeqsolve: the vector field jumps from one branch to another, within the window "
    "or at an end of it, at a time that depends on what is differentiated. The derivative lacks "
    "the saltation term, {share:.0%} of an entry, and is wrong at every tolerance. Make the switch "
    'an event (gradaudit.sensitivities(..., method="saltation")), or smooth it over a time that '
    "the steps resolve."
)
SINGLE = (
    "y0 is {dtype}, and gradaudit.diffeqsolve controls derivatives in double precision only. Begin "
    "the script with jax.config.update('jax_enable_x64', True), and give y0 in float64; for "
    "derivatives in {dtype} use diffrax.diffeqsolve."
)
MIXED = (
    "y0 is {dtype}, and the vector field returns {rates}: its arguments are more precise than the "
    "state. Give y0 in {rates}."
)
LARGEST_SHARE = 1e-3
"""Of the saltation term in an entry of the tangents; a tenth of what `checked_jacfwd` wants."""


def diffeqsolve(
    terms: diffrax.ODETerm,
    solver: diffrax.AbstractSolver,
    t0: Any,
    t1: Any,
    dt0: Any,
    y0: Any,
    args: Any = None,
    *,
    saveat: diffrax.SaveAt = diffrax.SaveAt(t1=True),  # noqa: B008  # as in diffrax; frozen
    stepsize_controller: Any = diffrax.PIDController(rtol=1e-6, atol=1e-9),  # noqa: B008
    max_steps: int | None = 4096,
    throw: bool = True,
    adjoint: diffrax.AbstractAdjoint | None = None,
    event: Any = None,
    progress_meter: Any = None,
    solver_state: Any = None,
    controller_state: Any = None,
    made_jump: Any = None,
) -> diffrax.Solution:
    """`diffrax.diffeqsolve`, whose forward-mode derivatives have their errors controlled.

    Values, times, statistics and result are those of ``diffrax.diffeqsolve(...,
    adjoint=diffrax.ForwardMode())``. `jax.jvp` and `jax.jacfwd` run a second solve for states and
    tangents, with the same solver, controller and `max_steps`, in which the error of a step is the
    largest of the norms of the states and of each direction's tangents (the block norm of
    `gradaudit.solvers.error_norm`). The columns of `jax.jacfwd` share one solve. Derivatives at
    `saveat.ts` are by steps of the method that end there, not by differentiating dense output.

    A direction v in all of (args, y0) has no size of its own that a tolerance could refer to. So it
    is scaled to ``v |x| / |v|``, where ``|x|`` is the Euclidean norm of those numbers that v moves
    (1 if they are all 0), and `atol` and `rtol` are those of the tangent along that. For a basis
    vector, of `jax.jacfwd`, this is p_j dy/dp_j, which has the units of y. The result does not
    depend on the length of v.

    Parameters
    ----------
    terms
        One `diffrax.ODETerm`. Whatever its vector field closes over can be differentiated, too.
        Where it jumps at a time that depends on what is differentiated, a `ModelWarning` says so.
    solver
        A Runge-Kutta solver of diffrax with an error estimate, explicit or implicit.
    t0, t1, dt0, y0, args, throw
        As in diffrax; y0 has real numbers, of double precision if there is a derivative. Times
        cannot be differentiated. With `throw` a failure of the second solve raises, and without
        it the tangents are NaN.
    saveat
        Of `t0`, `t1` and `ts`.
    stepsize_controller
        A `PIDController` with diffrax's norm, or one in a `ClipStepSizeController`.
    max_steps
        Of either solve.
    adjoint
        None or `diffrax.ForwardMode()`.
    event, progress_meter, solver_state, controller_state, made_jump
        Not supported; None.

    Returns
    -------
    diffrax.Solution
        With `ts`, `ys`, `stats`, `result`.

    Raises
    ------
    SettingError
        For an option that is not supported.
    gradaudit.checked.nondifferentiable.DerivativeError
        For a second derivative or one by a time.
    """
    check_options(
        terms,
        saveat,
        stepsize_controller,
        {
            "adjoint": adjoint,
            "event": event,
            "progress_meter": progress_meter,
            "solver_state": solver_state,
            "controller_state": controller_state,
            "made_jump": made_jump,
        },
    )
    check_times(saveat.subs.ts, t0, t1)
    adaptive_solvers(solver, rtol=1e-6, atol=1e-9, n=1)
    y0 = as_arrays(y0, [t for t in (t0, t1, dt0, saveat.subs.ts) if t is not None])
    field, moving, fixed = closed_over(terms, y0, args)
    settings, plain_settings = eqx.partition(
        (solver, t0, t1, dt0, saveat.subs.ts, stepsize_controller), eqx.is_array
    )
    settings = without_derivative(OF_TIMES, settings)
    remains = {}  # what of a solution is no array, the same in every trace

    def plain(moving: Any, y0: Any, fixed: Any, settings: Any) -> Any:
        solver, t0, t1, dt0, ts, controller = eqx.combine(settings, plain_settings)
        solution = integration.diffeqsolve(
            diffrax.ODETerm(lambda t, y, _: field(t, y, moving, fixed)),
            solver,
            t0,
            t1,
            dt0,
            y0,
            saveat=eqx.tree_at(lambda s: s.subs.ts, saveat, ts, is_leaf=lambda x: x is None),
            stepsize_controller=controller,
            adjoint=diffrax.ForwardMode(),
            max_steps=max_steps,
            throw=throw,
        )
        arrays, remains["static"] = eqx.partition(solution, eqx.is_array)
        return arrays

    def pushed(primals: Any, seeds: Any) -> tuple[TangentsAtTimes, Flag]:
        """Tangents (T, n, c) and whether their solve failed."""
        moving, y0, fixed, settings = primals
        solver, t0, t1, dt0, ts, controller = eqx.combine(settings, plain_settings)
        theta, unravel = flat(moving)
        y, unravel_y = ravel_pytree(y0)
        if y.dtype != float:
            raise SettingError(SINGLE.format(dtype=y.dtype))
        own = theta.dtype
        theta = theta.astype(float)
        direction = jnp.where(jnp.asarray(t1) < t0, -1, 1)
        times = _saved(saveat.subs, t0, t1, ts)

        def flat_field(t: Scalar, y: States, theta: Parameters) -> States:
            rates = field(direction * t, unravel_y(y), unravel(theta.astype(own)), fixed)
            return direction * to_vector(rates, y0, "what the vector field returns").astype(y.dtype)

        inner = controller
        if isinstance(controller, diffrax.ClipStepSizeController):
            inner = controller.controller
        unit = scale_of(jnp.concatenate([theta, y]), jnp.concatenate(seeds))
        along_theta, along_y = (seed.astype(y.dtype) / unit for seed in seeds)
        branches = FrozenField(flat_field, y.size, theta.size)
        solved = solve(
            Problem(flat_field, direction * t0, direction * t1, direction * times),
            StateAndTangents(y, along_y),
            TangentArgs.along(theta, along_theta, inner.rtol, inner.atol),
            solver,
            controller.wrap(direction),
            dt0=None if dt0 is None else direction * dt0,
            max_steps=max_steps,
            branches=branches if branches.switches else None,
        )
        if branches.switches:
            jax.debug.callback(_tell, solved.neglected, solved.at_ends)
        return solved.tangents * unit, ~solved.ok

    in_columns = columnwise(pushed)

    @jax.custom_jvp
    def solution_of(moving: Any, y0: Any, fixed: Any, settings: Any) -> Any:
        return plain(moving, y0, fixed, settings)

    @solution_of.defjvp
    def _(primals: Any, tangents: Any) -> tuple[Any, Any]:
        primals = without_derivative(TWICE, primals)
        solution = plain(*primals)
        seeds = tuple(flat(tangent)[0][:, None] for tangent in tangents[:2])
        columns, failed = in_columns(primals, seeds)
        if throw:
            columns = eqx.error_if(columns, failed, TANGENTS_FAILED)
        columns = eqx.internal.nondifferentiable_backward(columns, msg=FORWARD)
        rates = from_columns(columns[..., 0], ravel_pytree(primals[1])[1])
        still = jtu.tree_map(_no_tangent, solution)
        return solution, eqx.tree_at(lambda s: s.ys, still, rates)

    return eqx.combine(solution_of(moving, y0, fixed, settings), remains["static"])


def _tell(neglected: Any, at_ends: Any) -> None:
    """Warn of a derivative that lacks the term of a jump of the vector field; also under jit."""
    share = float(np.max(np.maximum(neglected, at_ends), initial=0.0))
    if share > LARGEST_SHARE:
        warnings.warn(SWITCHED.format(share=share), ModelWarning, stacklevel=2)


def as_arrays(y0: Any, times: list[Any]) -> Any:
    """The initial state with the types that diffrax computes in."""

    def convert(leaf: Any) -> Any:
        if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
            raise SettingError(
                f"y0 has to be made of real floating-point numbers, not {jnp.result_type(leaf)}."
            )
        return jnp.asarray(leaf, dtype=jnp.result_type(leaf, *times))

    return jtu.tree_map(convert, y0)


def closed_over(terms: diffrax.ODETerm, y0: Any, args: Any) -> tuple[Any, Any, Any]:
    """``field(t, y, moving, fixed)`` and the arrays that the vector field depends on.

    Those that are being traced and can have tangents are `moving`; arguments and what the vector
    field closes over are all alike.
    """
    t = jnp.zeros((), dtype=float)
    closed = eqx.filter_closure_convert(lambda t, y: terms.vf(t, y, args), t, y0)
    for state, rate in zip(jtu.tree_leaves(y0), jtu.tree_leaves(closed.out_struct), strict=False):
        if jnp.promote_types(state.dtype, rate.dtype) != state.dtype:
            raise SettingError(MIXED.format(dtype=state.dtype, rates=rate.dtype))

    def may_move(leaf: Any) -> bool:
        return isinstance(leaf, jax.core.Tracer) and eqx.is_inexact_array(leaf)

    moving, rest = eqx.partition(closed, may_move)
    fixed, static = eqx.partition(rest, eqx.is_array)

    def field(time: Any, y: Any, moving: Any, fixed: Any) -> Any:
        whole: Any = eqx.combine(moving, fixed, static)
        return whole(jnp.asarray(time, dtype=t.dtype), y)

    return field, moving, fixed


def _saved(what: Any, t0: Any, t1: Any, ts: Any) -> Any:
    """The times that are saved, in diffrax's order (T,)."""
    parts = [jnp.atleast_1d(t0)] if what.t0 else []
    if ts is not None:
        parts.append(jnp.asarray(ts))
    if what.t1:
        parts.append(jnp.atleast_1d(t1))
    return jnp.concatenate([part.astype(float) for part in parts])


def flat(tree: Any) -> Any:
    """`ravel_pytree`, of which the type of no numbers at all is the default one."""
    vector, unravel = ravel_pytree(tree)
    return (vector if vector.size else jnp.zeros(0, dtype=float)), unravel


def scale_of(x: Any, v: Any) -> Any:
    """|v| / |x|, with the norm of x over those entries that v moves: (k,), (k, c) -> (c,)."""
    length = jnp.linalg.norm(v, axis=0)
    size = jnp.linalg.norm(jnp.where(v != 0, x[:, None], 0.0), axis=0)
    return jnp.where(length > 0, length, 1.0) / jnp.where((size > 0) & (length > 0), size, 1.0)


def _no_tangent(leaf: Any) -> Any:
    if jnp.issubdtype(jnp.result_type(leaf), jnp.inexact):
        return jnp.zeros_like(leaf)
    return np.zeros(jnp.shape(leaf), dtype=jax.dtypes.float0)

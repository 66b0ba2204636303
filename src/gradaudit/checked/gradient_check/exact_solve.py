"""The solve that takes the place of the user's: the exact solution, and exact tangents in JVPs.

Of the user's solve only the problem is kept: vector field, initial state, window, times of output.
Solver, step control and adjoint are replaced, since the derivative that is wanted is that of the
exact solution. Tangents are controlled as in `gradaudit.diffeqsolve`. Unlike there, derivatives
with respect to times exist: they are the rates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import jax.tree_util as jtu
import numpy as np
from jax.flatten_util import ravel_pytree

from gradaudit.backend.jaxpr.branches import FrozenField
from gradaudit.checked.batching import columnwise
from gradaudit.checked.drop_in import as_arrays, closed_over, flat, scale_of
from gradaudit.checked.gradient_check.few_directions import MANY, along_few
from gradaudit.checked.gradient_check.interception import RefusedSolveError, diffrax_itself
from gradaudit.checked.gradient_check.observed import note
from gradaudit.checked.gradient_check.understood import (
    Output,
    finer,
    jump_times,
    longest_step,
    one_term,
    outputs,
    sizes,
    smallest_step,
)
from gradaudit.checked.pytrees import to_vector
from gradaudit.checked.solve import COUNTS, Problem, solve
from gradaudit.errors import GradauditError
from gradaudit.solvers.tangent_solver import StateAndTangents, TangentArgs

MAX_STEPS = 50_000
FEW_TIMES = 4
"""More outputs are by dense output; fewer by steps of the method, which are more accurate."""


@dataclass(frozen=True)
class ExactSolve:
    """A replacement of `diffrax.diffeqsolve` whose JVPs have controlled tangents.

    Attributes
    ----------
    solver
        In place of an explicit one; an implicit one is replaced by Kvaerno5.
    rtol
        Of states and tangents. The absolute tolerance follows the initial size of each state, so
        that states which grow from tiny values have correct digits.
    stiff
        Kvaerno5 in any case.
    """

    solver: str
    rtol: float
    stiff: bool = False

    def __call__(
        self,
        terms: Any,
        solver: Any,
        t0: Any,
        t1: Any,
        dt0: Any,
        y0: Any,
        args: Any = None,
        *,
        saveat: Any = diffrax.SaveAt(t1=True),  # noqa: B008  # as in diffrax; frozen
        stepsize_controller: Any = None,
        event: Any = None,
        discrete_terminating_event: Any = None,
        **others: Any,
    ) -> Any:
        """With the arguments of `diffrax.diffeqsolve`.

        Raises
        ------
        RefusedSolveError
            For events, dense output, terms that are no ODE, complex states.
        """
        del dt0, others  # steps, adjoint and what is done with failures are not the problem
        if event is not None or discrete_terminating_event is not None:
            raise RefusedSolveError("it has an event")
        try:
            y0 = as_arrays(y0, [])
        except GradauditError as error:
            raise RefusedSolveError(f"of its initial state: {error}") from error
        y0 = jtu.tree_map(lambda leaf: leaf.astype(float), y0)
        asked = outputs(saveat, t0, t1)
        field, moving, fixed = closed_over(one_term(terms), y0, args)
        name = self.solver
        if self.stiff or isinstance(solver, diffrax.AbstractImplicitSolver):
            name = "kvaerno5"
        times = jnp.concatenate([output.times for output in asked])
        begin, end = jnp.asarray(t0, dtype=float), jnp.asarray(t1, dtype=float)
        jumps = jump_times(stepsize_controller)
        run = _tangents_of(field, name, self.rtol, jumps)

        # The name is what `inspection` counts in a jaxpr.
        def gradaudit_exact_solve(moving: Any, y0: Any, when: Any, fixed: Any) -> Any:
            return run(moving, y0, when, fixed)

        when = (begin, end, times)
        states, counts, result = jax.jit(gradaudit_exact_solve)(moving, y0, when, fixed)
        return _solution(states, counts, result, asked, (t0, t1, y0, args), saveat)


def _tangents_of(field: Callable[..., Any], name: str, rtol: float, jumps: Any) -> Any:
    """``(moving, y0, (t0, t1, times), fixed) -> (states (T, n), counts, result)``, with JVPs."""

    def joint(primals: Any, seeds: Any) -> tuple[Any, Any]:
        moving, y0, (t0, t1, times), fixed = primals
        theta, unravel = flat(moving)
        y, unravel_y = ravel_pytree(y0)
        own = theta.dtype
        theta = theta.astype(float)
        direction = jnp.where(t1 < t0, -1.0, 1.0)

        def flat_field(t: Any, y: Any, theta: Any) -> Any:
            rates = field(direction * t, unravel_y(y), unravel(theta.astype(own)), fixed)
            vector = to_vector(rates, y0, "what the vector field returns")
            return direction * vector.astype(float)

        along_theta, along_y, along_t0, along_times = seeds
        along_theta = along_theta.astype(float)
        here = direction * t0
        # A later start: the solution has been at y0 later.
        along_y = along_y - direction * flat_field(here, y, theta)[:, None] * along_t0
        unit = scale_of(jnp.concatenate([theta, y]), jnp.concatenate([along_theta, along_y]))
        branches = _watched(flat_field, y.size, theta.size)
        driven, at, along = flat_field, theta, along_theta / unit
        if branches is None and theta.size > MANY:
            driven, at, along = along_few(flat_field, y.size, theta, along)
        order = jnp.argsort(direction * times)
        back = jnp.argsort(order)
        sorted_times = (direction * times)[order]
        first = flat_field(here, y, theta) * jnp.abs(t1 - t0)
        atol = 1e-3 * rtol * sizes(y, first)
        solved = _solved(
            Problem(driven, here, direction * t1, sorted_times),
            StateAndTangents(y, along_y / unit),
            TangentArgs.along(at, along, rtol, atol),
            name,
            _controller(flat_field, here, direction * t1, y, theta, jumps, rtol),
            dt0=1e-3 * finer(rtol) * jnp.abs(t1 - t0),
            max_steps=MAX_STEPS,
            branches=branches,
            # That of Kvaerno5 is of third order, and no branches are watched in it.
            dense=len(times) > FEW_TIMES and branches is None and name != "kvaerno5",
        )
        jax.debug.callback(note, solved.ok, solved.neglected, solved.at_ends, solved.faint.emerged)
        rates = jax.vmap(lambda t, y: flat_field(t, y, theta))(sorted_times, solved.states)
        tangents = (solved.tangents * unit)[back]
        tangents = tangents + direction * rates[back][:, :, None] * along_times[:, None, :]
        counts = tuple(solved.stats[key] for key in COUNTS)
        return tangents, (solved.states[back], counts, solved.result._value)

    in_columns = columnwise(joint)

    @jax.custom_jvp
    def run(moving: Any, y0: Any, when: Any, fixed: Any) -> Any:
        none = jnp.zeros((flat(moving)[0].size, 1)), jnp.zeros((ravel_pytree(y0)[0].size, 1))
        still = jnp.zeros((1,)), jnp.zeros((when[2].size, 1))
        return joint((moving, y0, when, fixed), (*none, *still))[1]

    @run.defjvp
    def _(primals: Any, tangents: Any) -> tuple[Any, Any]:
        moving, y0, (t0, _, times), _ = tangents
        seeds = flat(moving)[0][:, None], ravel_pytree(y0)[0][:, None], t0[None], times[:, None]
        columns, other = in_columns(primals, seeds)
        return other, (columns[..., 0], *jtu.tree_map(_no_tangent, other[1:]))

    return run


def _solved(*args: Any, **options: Any) -> Any:
    with diffrax_itself():  # vmap traces it again, when the rest of the replacement is over
        return solve(*args, **options)


def _watched(field: Any, n: int, m: int) -> FrozenField | None:
    try:
        frozen = FrozenField(field, n, m)
        return frozen if frozen.switches else None
    except GradauditError:  # switches inside of long loops: differences will see what they do
        return None


def _controller(field: Any, t0: Any, t1: Any, y: Any, theta: Any, jumps: Any, rtol: float) -> Any:
    longest = longest_step(lambda t: field(t, y, theta), t0, t1, rtol)
    controller: Any = diffrax.PIDController(
        rtol=1.0, atol=1.0, dtmax=longest, dtmin=smallest_step(t0, t1), force_dtmin=False
    )
    if jumps is not None:
        sign = jnp.where(t1 < t0, -1.0, 1.0)
        controller = diffrax.ClipStepSizeController(controller, jump_ts=jnp.sort(sign * jumps))
    return controller


def _solution(
    states: Any, counts: Any, result: Any, asked: list[Output], problem: Any, saveat: Any
) -> Any:
    """As diffrax returns it, from the states at all times (T, n)."""
    t0, t1, y0, args = problem
    _, unravel = ravel_pytree(y0)
    ts, ys, begin = [], [], 0
    for output in asked:
        count = output.times.shape[0]
        rows = jax.vmap(unravel)(states[begin : begin + count])
        begin += count
        ts.append(output.times)
        ys.append(output.read(rows, args))
    structure = jtu.tree_structure(saveat.subs, is_leaf=lambda x: isinstance(x, diffrax.SubSaveAt))
    return diffrax.Solution(
        t0=t0,
        t1=t1,
        ts=jtu.tree_unflatten(structure, ts),
        ys=jtu.tree_unflatten(structure, ys),
        interpolation=None,
        stats={**dict(zip(COUNTS, counts, strict=True)), "max_steps": MAX_STEPS},
        result=eqx.tree_at(lambda r: r._value, diffrax.RESULTS.successful, result),
        solver_state=None,
        controller_state=None,
        made_jump=None,
        event_mask=None,
    )


def _no_tangent(leaf: Any) -> Any:
    return np.zeros(jnp.shape(leaf), dtype=jax.dtypes.float0)

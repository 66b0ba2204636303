"""The solve that takes the place of the user's in difference quotients: tight, by diffrax.

It keeps what `exact_solve` refuses and still has an exact solution, such as events and dense
output, and shares nothing with it: the one is a witness of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import jax.tree_util as jtu
import numpy as np
import optimistix as optx
from equinox.internal import nondifferentiable
from jax.flatten_util import ravel_pytree

from gradaudit.backend.jax_setup import runtime_errors_as_nan
from gradaudit.checked.drop_in import as_arrays
from gradaudit.checked.gradient_check.exact_solve import MAX_STEPS
from gradaudit.checked.gradient_check.interception import RefusedSolveError, diffrax_itself
from gradaudit.checked.gradient_check.observed import note
from gradaudit.checked.gradient_check.understood import (
    AT_STEPS,
    STEPS,
    finer,
    jump_times,
    longest_step,
    one_term,
    sizes,
    smallest_step,
)
from gradaudit.solvers import integration
from gradaudit.solvers.registry import get_solver

EVENT_TOLERANCE = 1e-11
NESTED = "a solve is differentiated inside of the function"


@dataclass(frozen=True)
class TightSolve:
    """A replacement of `diffrax.diffeqsolve` for values, not for derivatives.

    Attributes
    ----------
    solver, rtol, stiff
        As for `gradaudit.checked.gradient_check.exact_solve.ExactSolve`.
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
        **others: Any,
    ) -> Any:
        """With the arguments of `diffrax.diffeqsolve`; what fails is NaN.

        Raises
        ------
        RefusedSolveError
            For terms that are no ODE, and for what depends on the steps.
        """
        del dt0
        if others.get("discrete_terminating_event") is not None:
            raise RefusedSolveError("it has a discrete_terminating_event")
        if event is not None and event.root_finder is None and not _steady(event):
            raise RefusedSolveError(
                "it has an event without a root_finder, so that it ends with the step in which the "
                "event happens. Give diffrax.Event a root_finder and a cond_fn that returns a real "
                "number"
            )
        if any(getattr(sub, "steps", False) for sub in _subs(saveat)):
            raise RefusedSolveError(AT_STEPS)
        term = one_term(terms)
        y0 = jtu.tree_map(lambda leaf: leaf.astype(float), as_arrays(y0, []))
        endless = not isinstance(t1, jax.core.Tracer) and not np.isfinite(t1)
        t0, t1 = jnp.asarray(t0, dtype=float), jnp.asarray(t1, dtype=float)
        name = self.solver
        if self.stiff or isinstance(solver, diffrax.AbstractImplicitSolver):
            name = "kvaerno5"
        window = jnp.abs(t1 - t0)
        first = ravel_pytree(term.vf(t0, y0, args))[0] * window
        # Also without time: the same steps would leap over what a state does in a short while.
        longest = longest_step(lambda t: term.vf(t, y0, args), t0, t1, self.rtol)
        longest = finer(self.rtol) * window / STEPS if longest is None else longest
        # The window tells nothing of the time in which an event stops.
        first_step = None if event is not None else 1e-3 * finer(self.rtol) * (t1 - t0)
        controller: Any = diffrax.PIDController(
            rtol=self.rtol,
            atol=1e-3 * self.rtol * jnp.min(sizes(ravel_pytree(y0)[0], first)),
            dtmax=None if endless else longest,
            dtmin=None if endless else smallest_step(t0, t1),
            force_dtmin=False,
        )
        jumps = jump_times(stepsize_controller)
        if jumps is not None:
            controller = diffrax.ClipStepSizeController(controller, jump_ts=jumps)
        if event is not None and event.root_finder is not None:
            finder = optx.Newton(EVENT_TOLERANCE, EVENT_TOLERANCE)
            event = eqx.tree_at(lambda e: e.root_finder, event, finder)

        def field(t: Any, y: Any, args: Any) -> Any:
            rates = term.vf(t, y, args)
            return jtu.tree_map(lambda leaf: jnp.asarray(leaf, dtype=float), rates)

        # The name is what `inspection` counts in a jaxpr.
        @eqx.filter_jit
        def gradaudit_exact_solve(y0: Any, args: Any) -> Any:
            return integration.diffeqsolve(
                diffrax.ODETerm(field),
                get_solver(name).cls(),
                t0,
                t1,
                first_step,
                y0,
                args,
                saveat=saveat,
                stepsize_controller=controller,
                adjoint=diffrax.ForwardMode(),
                event=event,
                max_steps=MAX_STEPS,
                throw=False,
            )

        with diffrax_itself(), runtime_errors_as_nan():
            solution = gradaudit_exact_solve(y0, args)
        ok = diffrax.is_okay(solution.result)
        jax.debug.callback(note, ok, 0.0, 0.0, 0.0)
        ys = jtu.tree_map(lambda leaf: jnp.where(ok, leaf, jnp.nan), solution.ys)
        solution = eqx.tree_at(lambda s: s.ys, solution, ys, is_leaf=lambda leaf: leaf is None)
        return nondifferentiable(solution, msg=NESTED)


def _steady(event: Any) -> bool:
    """Whether it stops where nothing changes any more, so that the time does not matter."""
    conditions = jtu.tree_leaves(event.cond_fn, is_leaf=callable)
    return all("steady_state_event" in getattr(c, "__qualname__", "") for c in conditions)


def _subs(saveat: Any) -> list[Any]:
    return jtu.tree_leaves(saveat.subs, is_leaf=lambda x: isinstance(x, diffrax.SubSaveAt))

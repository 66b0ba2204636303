"""What a call of `diffrax.diffeqsolve` asks for: the problem in it, apart from how it is solved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
import jax.tree_util as jtu
from jax.interpreters import partial_eval

from gradaudit.backend.jaxpr.branches import WATCHED
from gradaudit.backend.jaxpr.walk import equations
from gradaudit.checked.gradient_check.interception import RefusedSolveError

STEPS, STEPS_WITH_SWITCHES = 200, 1000
"""Least number of steps in the window of a vector field that depends on time: what stands still
takes ever longer steps, and would leap over a short stimulus."""

AT_STEPS = (
    "it saves by SaveAt(steps=...), at times that the step control chooses. Use SaveAt(ts=...)"
)
LOOSE, FINER = 1e-5, 0.05
"""At this tolerance steps are not finer; the exponent makes them half as long at 1e-11."""


@dataclass(frozen=True)
class Output:
    """States at some times (T,), through the function of a `SubSaveAt`."""

    times: Any
    function: Callable[..., Any]

    def read(self, rows: Any, args: Any) -> Any:
        """What is saved, from the states with a leading axis T."""
        if self.function is diffrax.SubSaveAt(t1=True).fn:
            return rows
        return jax.vmap(lambda t, y: self.function(t, y, args))(self.times, rows)


def outputs(saveat: Any, t0: Any, t1: Any) -> list[Output]:
    """The outputs of a `SaveAt`, one for each `SubSaveAt`.

    Raises
    ------
    RefusedSolveError
        For what is not a function of the exact solution at given times.
    """
    for name in ("dense", "solver_state", "controller_state", "made_jump"):
        if getattr(saveat, name):
            raise RefusedSolveError(f"it saves by SaveAt({name}=True)")
    found = []
    for sub in jtu.tree_leaves(saveat.subs, is_leaf=lambda x: isinstance(x, diffrax.SubSaveAt)):
        if sub.steps:
            raise RefusedSolveError(AT_STEPS)
        parts = [jnp.atleast_1d(t0)] if sub.t0 else []
        parts += [] if sub.ts is None else [jnp.asarray(sub.ts)]
        parts += [jnp.atleast_1d(t1)] if sub.t1 else []
        found.append(Output(jnp.concatenate([part.astype(float) for part in parts]), sub.fn))
    return found


def one_term(terms: Any) -> Any:
    """The vector field as one `ODETerm`; several that are added up are one.

    Raises
    ------
    RefusedSolveError
        For what is no ordinary differential equation of that form, such as noise.
    """
    if isinstance(terms, diffrax.ODETerm):
        return terms
    if isinstance(terms, diffrax.MultiTerm):
        parts = [one_term(term) for term in terms.terms]

        def together(t: Any, y: Any, args: Any) -> Any:
            rates = [part.vf(t, y, args) for part in parts]
            return jtu.tree_map(lambda *each: sum(each[1:], each[0]), *rates)

        return diffrax.ODETerm(together)
    raise RefusedSolveError(
        f"its terms are {type(terms).__name__}, not a diffrax.ODETerm or a MultiTerm of them"
    )


def jump_times(controller: Any) -> Any:
    """Times at which a step has to end, if they are fixed numbers; else None.

    Numbers that are being traced may depend on the parameters. The jump is then to be seen as a
    switch of the vector field within a step, with its saltation term.
    """
    times = getattr(controller, "jump_ts", None)
    if times is None or isinstance(times, jax.core.Tracer):
        return None
    times = jnp.asarray(times, dtype=float)
    return times if times.ndim == 1 and times.size else None


def finer(rtol: float) -> float:
    """A factor for lengths of steps.

    Where errors are far below the absolute tolerance, two solves at other tolerances would take the
    same steps and agree in the same wrong numbers. With other steps they show what is wrong.
    """
    return float((rtol / LOOSE) ** FINER)


def longest_step(rates: Callable[[Any], Any], t0: Any, t1: Any, rtol: float) -> Any:
    """The longest step, a share of the window if `rates` depends on time; else None."""
    jaxpr = jax.make_jaxpr(rates)(jnp.zeros(())).jaxpr
    jaxpr, used = partial_eval.dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))
    if not used[-1]:
        return None
    switches = any(eqn.primitive.name in WATCHED for eqn in equations(jaxpr))
    return finer(rtol) * jnp.abs(t1 - t0) / (STEPS_WITH_SWITCHES if switches else STEPS)


def smallest_step(t0: Any, t1: Any) -> Any:
    """A step that is lost to rounding."""
    return 1e-3 * jnp.finfo(float).eps * jnp.maximum(jnp.abs(t0), jnp.abs(t1))


def sizes(y: Any, first: Any) -> Any:
    """The size (n,) of each state that absolute tolerances refer to, at most 1.

    Parameters
    ----------
    y, first
        The initial states, and what their first rates would make of them in the window, (n,).
        States that all begin at 0 are as large as what flows in.
    """
    inflow = jnp.max(jnp.abs(first), initial=0.0)
    size = jnp.where(jnp.any(y != 0.0), jnp.abs(y), jnp.where(jnp.isfinite(inflow), inflow, 0.0))
    least = jnp.min(jnp.where(size > 0, size, 1.0), initial=1.0)
    return jnp.clip(jnp.where(size > 0, size, least), 1e-60, 1.0)

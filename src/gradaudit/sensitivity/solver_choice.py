"""Whether an explicit or an implicit solver suits a model, by a cheap look at it.

SciPy's Radau solves the states roughly. Its steps are as long as accuracy lets them be; what an
explicit method would need to be stable follows from the fastest rate of the Jacobian along them.
The look passes over events, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import Radau

from gradaudit.backend.jax_setup import compile_for
from gradaudit.backend.program_cache import identity_cache, programs_of
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state
from gradaudit.model.shared_form import shared_form, with_numbers
from gradaudit.records.numbers import number

EXPLICIT, IMPLICIT = "tsit5", "rodas5p"

STABLE = 3.3
"""Length of a step of Tsit5, times the fastest rate, at which it is still stable."""

STIFF = 20.0
"""Explicit steps for stability per step of the look, from which on the implicit solver is faster.

A step of it with its tangents costs 5 to 20 of the explicit one (`benchmarks/implicit_cost.py`).
"""

ROUGH = 1e-3
MOST_STEPS = 2000

JUMPS = "jumps of the state at events are left out"
EVENTS = "the rough solve does not stop at events"
FIXED_TIMES = "the rough solve does not stop at jump_ts"

Rates = Callable[[Any, Any], Any]
"""Of t and y (n,): dy/dt (n,), or its Jacobian (n, n)."""


class Look(NamedTuple):
    """The solver to take, and why; the steps of the look, and those for stability."""

    solver: str
    why: str
    steps: int
    stable_steps: float


@identity_cache
def suitable_solver(model: Model) -> Look:
    """The solver that suits a model at its nominal parameters; its events are passed over."""
    left_out = JUMPS if model.jumps else EVENTS if model.events else ""
    y0 = np.asarray(initial_state(model, jnp.asarray(model.nominal)), dtype=np.float64)
    return look(*_programs(model), y0, 0.0, model.t_end, left_out=left_out)


def look(
    rate: Rates, jacobian: Rates, y0: Any, t0: float, t1: float, *, left_out: str = ""
) -> Look:
    """The solver that suits y' = rate(t, y) from y0 (n,) at t0 to t1.

    Parameters
    ----------
    left_out
        What the look passes over: the end of the reason.
    """
    y0 = np.asarray(y0, dtype=np.float64)
    size = np.max(np.abs(y0), initial=0.0) or 1.0
    count, needed = 0, 0.0
    with np.errstate(all="ignore"):
        try:
            solve = Radau(
                lambda t, y: np.asarray(rate(t, y)),
                t0,
                y0,
                t1,
                rtol=ROUGH,
                atol=1e-3 * ROUGH * size,
                jac=lambda t, y: np.asarray(jacobian(t, y)),
            )
            while solve.status == "running" and count < MOST_STEPS:
                solve.step()
                rates = np.abs(np.linalg.eigvals(np.asarray(jacobian(solve.t, solve.y))))
                needed += float(np.max(rates, initial=0.0)) * (solve.t - solve.t_old) / STABLE
                count += 1
        except (ValueError, np.linalg.LinAlgError):  # a rate that is not finite
            why = _reason("a rough solve has no finite rate", left_out)
            return Look(EXPLICIT, why, count, needed)
    if solve.status == "failed":
        return Look(EXPLICIT, _reason("a rough solve fails", left_out), count, needed)
    return judged(count, needed, left_out=left_out)


def judged(steps: int, stable_steps: float, *, left_out: str = "") -> Look:
    """The choice by the steps of a look, or of several, and by those for stability."""
    told = (
        f"an explicit solver needs about {number(max(stable_steps, 1.0), 2)} steps to be stable, "
        f"an implicit one {steps} steps for a relative tolerance of {ROUGH:g}"
    )
    if stable_steps > STIFF * steps:
        return Look(IMPLICIT, _reason(f"stiff: {told}", left_out), steps, stable_steps)
    return Look(EXPLICIT, _reason(f"not stiff: {told}", left_out), steps, stable_steps)


def _reason(text: str, left_out: str) -> str:
    return f"{text}; {left_out}" if left_out else text


def _programs(model: Model) -> tuple[Rates, Rates]:
    """Rates and their Jacobian; models of one form share what is compiled."""
    p, shared = jnp.asarray(model.nominal), shared_form(model)
    if shared is None:
        field = model.vector_field
        return (
            jax.jit(lambda t, y: field(t, y, p)),
            jax.jit(lambda t, y: jax.jacfwd(lambda y: field(t, y, p))(y)),
        )
    (form, *others), numbers = shared
    compiled = programs_of(form, (*others, "look"))

    def rate(y: Any, t: Any, numbers: Any, p: Any) -> Any:
        return with_numbers(model, numbers).vector_field(t, y, p)

    arguments = jax.tree_util.tree_map(jnp.asarray, (numbers, p))
    shapes = (jnp.zeros(model.n), jnp.zeros(()), *arguments)
    for name, function in (("rate", rate), ("jacobian", jax.jacfwd(rate))):
        if name not in compiled:
            compiled[name] = compile_for(function, shapes)

    def call(name: str) -> Rates:
        return lambda t, y: compiled[name](jnp.asarray(y), jnp.asarray(t, float), *arguments)

    return call("rate"), call("jacobian")

"""What the benchmarks of costs share: diffrax as a user calls it, errors, and times."""

from __future__ import annotations

import statistics
import time

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

from gradaudit.model.quadratures import initial_state
from gradaudit.solvers.registry import get_solver

ATOL_FACTOR = 1e-3
"""Of the relative tolerance, for every solver."""


def states_at(model, solver, times=None, *, solve=diffrax.diffeqsolve, max_steps, **options):
    """A function of p and rtol: the states (T, n) at times, by default (1, n) at the end.

    They are NaN, with their derivatives, where a solve that may fail does so.
    """
    if times is not None:
        options["saveat"] = diffrax.SaveAt(ts=jnp.asarray(times))

    def states(p, rtol):
        solution = solve(
            diffrax.ODETerm(model.vector_field),
            get_solver(solver).cls(),
            0.0,
            model.t_end,
            None,
            initial_state(model, p),
            args=p,
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=ATOL_FACTOR * rtol),
            max_steps=max_steps,
            **options,
        )
        if options.get("throw", True):
            return solution.ys
        good = solution.result == diffrax.RESULTS.successful
        return solution.ys * jnp.where(good, 1.0, jnp.nan)

    return states


def forward_ad(states):
    """The Jacobian of a function of p and rtol with regard to p: all columns side by side."""
    return jax.jit(jax.jacfwd(states))


def by_columns(states):
    """The same, one product of it with a vector after another."""

    def jacobian(p, rtol):
        def column(v):
            return jax.jvp(lambda p: states(p, rtol), (p,), (v,))[1]

        return jnp.moveaxis(jax.lax.map(column, jnp.eye(len(p))), 0, -1)

    return jax.jit(jacobian)


def relative_error(found, exact, scale=1.0) -> float:
    """Norm of the difference over that of the exact one, in scaled parameters."""
    found, exact = np.asarray(found, dtype=float), np.asarray(exact, dtype=float)
    return float(np.linalg.norm((found - exact) * scale) / np.linalg.norm(exact * scale))


def seconds(call) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    jax.block_until_ready(call())
    return time.perf_counter() - start


def median(call, rounds) -> float:
    """Of the times of calls that follow a first one."""
    jax.block_until_ready(call())
    return statistics.median(seconds(call) for _ in range(rounds))

"""Step control as in OrdinaryDiffEq.jl, to run a published experiment the way its author did.

It differs from diffrax's default in three ways that change a loose solve visibly: the controller is
proportional-integral, an accepted step may be followed by a shorter one, and the first step comes
from the algorithm of Hairer, Norsett and Wanner (Solving ODEs I, II.4) where diffrax 0.7 starts
with 0.01.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import diffrax
import equinox as eqx
import jax.numpy as jnp

from gradaudit.backend.shapes import Parameters, Scalar, States
from gradaudit.solvers.controller import Attempt, Controller, Start, StepDecision
from gradaudit.solvers.options import TracedOptions


class SciMLController(Controller):
    """The `PIController` of OrdinaryDiffEq.jl with its defaults, for a method of order `order`.

    It sees a scaled error (a scalar, or with `norm` anything) that is good up to 1.
    """

    order: int = eqx.field(static=True)
    dtmin: Any
    dtmax: Any = jnp.inf

    gamma = 0.9
    qmin, qmax = 0.2, 10.0
    first_error = 1e-4

    def begin(self, start: Start) -> tuple[Scalar, Any]:
        if start.dt0 is None:
            raise ValueError("SciMLController needs dt0; see first_step.")
        return start.t0 + jnp.minimum(start.dt0, self.dtmax), jnp.asarray(self.first_error)

    def decide(self, attempt: Attempt) -> StepDecision:
        t0, t1 = attempt.t0, attempt.t1
        error, before = attempt.y_error, attempt.controller_state
        beta1, beta2 = 7.0 / (10.0 * self.order), 2.0 / (5.0 * self.order)
        proportional = error**beta1
        q = jnp.clip(proportional / before**beta2 / self.gamma, 1.0 / self.qmax, 1.0 / self.qmin)
        keep = error <= 1.0
        shrink = jnp.minimum(1.0 / self.qmin, proportional / self.gamma)
        dt = jnp.minimum((t1 - t0) / jnp.where(keep, q, shrink), self.dtmax)
        result = diffrax.RESULTS.where(
            dt < self.dtmin, diffrax.RESULTS.dt_min_reached, diffrax.RESULTS.successful
        )
        start = jnp.where(keep, t1, t0)
        state = jnp.where(keep, jnp.maximum(error, self.first_error), before)
        return keep, start, start + dt, False, state, result


def first_step(
    vector_field: Callable[..., Any],
    y0: States,
    p: Parameters,
    options: TracedOptions,
    *,
    order: int,
) -> Scalar:
    """`ode_determine_initdt` of OrdinaryDiffEq.jl for the states: a scalar in units of t."""

    def rms(x: States) -> Scalar:
        return jnp.sqrt(jnp.mean((x / (options.atol + options.rtol * jnp.abs(y0))) ** 2))

    zero = jnp.zeros(())
    f0 = vector_field(zero, y0, p)
    d0, d1 = rms(y0), rms(f0)
    small = (d0 < 1e-5) | (d1 < 1e-5)
    h0 = jnp.where(small, 1e-6, 0.01 * d0 / jnp.where(small, 1.0, d1))
    d2 = rms(vector_field(h0, y0 + h0 * f0, p) - f0) / h0
    largest = jnp.maximum(d1, d2)
    flat = largest <= 1e-15
    h1 = jnp.where(
        flat, jnp.maximum(1e-6, 1e-3 * h0), (0.01 / jnp.where(flat, 1.0, largest)) ** (1.0 / order)
    )
    return jnp.minimum(100.0 * h0, h1)

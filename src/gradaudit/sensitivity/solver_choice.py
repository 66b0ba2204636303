"""Whether an explicit or an implicit solver suits a model, by a cheap look at it.

SciPy's Radau solves the states roughly. Its steps are as long as accuracy lets them be; what an
explicit method would need to be stable follows from the fastest rate of the Jacobian along them.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import Radau

from gradaudit.backend.program_cache import identity_cache
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state

EXPLICIT, IMPLICIT = "tsit5", "rodas5p"

STABLE = 3.3
"""Length of a step of Tsit5, times the fastest rate, at which it is still stable."""

STIFF = 20.0
"""Explicit steps for stability per step of the look, from which on the implicit solver is faster.

A step of it with its tangents costs 5 to 20 of the explicit one (`benchmarks/implicit_cost.py`).
"""

ROUGH = 1e-3
MOST_STEPS = 2000


class Look(NamedTuple):
    """The solver to take, and why; the steps of the look, and those for stability."""

    solver: str
    why: str
    steps: int
    stable_steps: float


@identity_cache
def suitable_solver(model: Model) -> Look:
    """The solver that suits a model at its nominal parameters; jumps of its state are left out."""
    p = jnp.asarray(model.nominal)
    rate = jax.jit(lambda t, y: model.vector_field(t, y, p))
    jacobian = jax.jit(jax.jacfwd(lambda y, t: model.vector_field(t, y, p)))
    y0 = np.asarray(initial_state(model, p), dtype=np.float64)
    size = np.max(np.abs(y0), initial=0.0) or 1.0
    count, needed = 0, 0.0
    with np.errstate(all="ignore"):
        try:
            look = Radau(
                lambda t, y: np.asarray(rate(t, y)),
                0.0,
                y0,
                model.t_end,
                rtol=ROUGH,
                atol=1e-3 * ROUGH * size,
                jac=lambda t, y: np.asarray(jacobian(y, t)),
            )
            while look.status == "running" and count < MOST_STEPS:
                look.step()
                rates = np.abs(np.linalg.eigvals(np.asarray(jacobian(look.y, look.t))))
                needed += float(np.max(rates, initial=0.0)) * (look.t - look.t_old) / STABLE
                count += 1
        except (ValueError, np.linalg.LinAlgError):  # a rate that is not finite
            return Look(EXPLICIT, "a rough solve has no finite rate", count, needed)
    if look.status == "failed":
        return Look(EXPLICIT, "a rough solve fails", count, needed)
    told = f"{needed:.2g} explicit steps for stability, {count} implicit ones at {ROUGH:g}"
    if needed > STIFF * count:
        return Look(IMPLICIT, f"stiff: {told}", count, needed)
    return Look(EXPLICIT, f"not stiff: {told}", count, needed)

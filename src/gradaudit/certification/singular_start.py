"""Leaving an initial state at which the vector field has a value and no Taylor series.

A real power of a state that starts at 0, as in a Hill function, is such a one: x^c and x^c log x
have limits at 0, and series everywhere else. So the first 1e-18 of the window are made by a
Runge-Kutta step, whose error is below 1e-18 to a power above 1, and from there the steps of the
Taylor method grow with t. Solves that are held against each other leave from different times, a
hundred times apart, so that the error of the first step is a part of their disagreement.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.heyoka.precision import Precision
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state, integrand_names, with_integrals

Array = NDArray[Any]

SHARES = ((1e-18, 1e-20), (1e-9, 1e-11))
"""Of the window. The second pair is for chains of powers, which underflow at the first."""
STEPS = 3  # so that what is fed by what is fed by the powers has left 0, too


def leave(
    model: Model, initial: Array, rows: tuple[slice, ...], precision: Precision, share: float
) -> tuple[float, Array] | None:
    """A time shortly after 0 and the whole variational state there; None where that has no limit.

    Parameters
    ----------
    initial
        The variational state at 0 in the precision; `rows` are the sensitivities in it.
    """
    n, m, size = model.n, model.m, model.n + len(integrand_names(model))
    field = with_integrals(model)
    # one by one, for the slope that is infinite must not meet a tangent that is 0
    slope_by_state, slope_by_parameter = jax.jacfwd(field, 1), jax.jacfwd(field, 2)
    p = jnp.asarray(model.nominal)

    @jax.jit
    def rates(t: Any, z: Any, tangents: Any) -> tuple[Any, Any]:
        by_state = slope_by_state(t, z, p)
        # x^c with c < 1 has no slope at 0, and its product with a tangent that is 0 has the limit 0
        idle = jnp.all(tangents == 0.0, axis=1)
        by_state = jnp.where(idle & ~jnp.isfinite(by_state), 0.0, by_state)
        return field(t, z, p), by_state @ tangents + slope_by_parameter(t, z, p)

    z0 = np.concatenate([np.asarray(initial_state(model, p)), np.zeros(size - n)])
    tangents0 = np.array([[float(x) for x in initial[row]] for row in rows]).reshape(size, m)
    moved, turned = np.zeros(size), np.zeros((size, m))
    step = share * model.t_end / STEPS
    for index in range(STEPS):
        k: list[tuple[Array, Array]] = []
        for fraction in (0.0, 0.5, 0.5, 1.0):
            ahead = fraction * step
            dz, dt = k[-1] if k else (moved, turned)
            with np.errstate(invalid="ignore"):  # of slopes that are infinite, see the end
                z, tangents = z0 + (moved + ahead * dz), tangents0 + (turned + ahead * dt)
            derivatives = rates((index + fraction) * step, z, tangents)
            k.append((np.asarray(derivatives[0]), np.asarray(derivatives[1])))
        weights = np.array([1.0, 2.0, 2.0, 1.0]) * step / 6.0
        moved = moved + sum(w * a for w, (a, _) in zip(weights, k, strict=True))
        turned = turned + sum(w * b for w, (_, b) in zip(weights, k, strict=True))
    if not (np.all(np.isfinite(moved)) and np.all(np.isfinite(turned))):
        return None
    state = initial.copy()
    state[:size] = state[:size] + precision.array(moved)
    for row, slope in zip(rows, turned, strict=True):
        state[row] = state[row] + precision.array(slope)
    return share * model.t_end, state

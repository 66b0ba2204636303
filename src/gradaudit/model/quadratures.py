"""Time integrals, integrated with the states.

A time average computed from saved points has the accuracy of a quadrature rule, not that of the
solve. So each integrand g is appended to the system as q' = g(t, y, p), q(0) = 0, which has the
accuracy of the states at the price of one more equation. These quadrature states take no part in
step control: the grid is that of the states alone (what CVODES calls quadratures without error
control).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import Array

from gradaudit.backend.shapes import ModelState
from gradaudit.model.definition import Model, VectorField
from gradaudit.model.start_events import start_after, start_events


def integrand_names(model: Model) -> list[str]:
    """Names of the integrals that are carried along, by default the observables."""
    return list(model.integrands) or list(model.observables)


def integrands(model: Model) -> list[VectorField]:
    """The integrands g(t, y, p) -> scalar, in the order of `integrand_names`."""
    if model.integrands:
        return list(model.integrands.values())

    def observe(index: int) -> VectorField:
        return lambda t, y, p: y[index]

    return [observe(index) for index in model.observable_indices]


def with_integrals(model: Model) -> VectorField:
    """The vector field of z = (y, q), shape (n + k,)."""
    fields = integrands(model)

    def augmented(t: Any, z: Any, p: Any) -> Array:
        y = z[: model.n]
        rates = [jnp.asarray(g(t, y, p)).reshape(()) for g in fields]
        return jnp.concatenate([model.vector_field(t, y, p), jnp.stack(rates)])

    return augmented


def initial_state(model: Model, p: Any) -> ModelState:
    """y0(p), shape (n,), as a function of p that can be differentiated; after events at t = 0."""
    return start_after(model, start_events(model))(p)

"""A model and its sensitivities along directions of the parameters, as a model of its own.

Of w = S v the right-hand side is f_y w + f_p v, which JAX writes for any vector field. So what is
made for vector fields, such as the inspection of steps, can be used for sensitivities.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from gradaudit.model.definition import Event, Model, VectorField
from gradaudit.model.quadratures import integrand_names, integrands, with_integrals

Array = NDArray[np.float64]

GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)
TINY = 1e-3


def directions_of(model: Model) -> Array:
    """Directions of the parameters (d, m) in which no two of them are likely to cancel.

    In the first each entry has the size of its parameter, of 1 where that is 0. A parameter that is
    tiny hides there behind the others: if there is one, the entries of a second are about 1. There
    is no direction of a vector field that JAX cannot differentiate forward (`jax.custom_vjp`).
    """
    field, at = with_integrals(model), jnp.zeros(model.n + len(integrand_names(model)))
    try:
        jax.eval_shape(jax.jacfwd(field, argnums=(1, 2)), 0.0, at, jnp.asarray(model.nominal))
    except TypeError:
        return np.zeros((0, model.m))
    shares = np.modf(GOLDEN * np.arange(1, model.m + 1))[0]  # spread over (0, 1)
    signed = np.where(shares > 0.5, shares + 0.5, -shares - 0.5)
    scaled = model.parameter_scale * signed
    return np.stack([scaled, signed] if model.parameter_scale.min() < TINY else [scaled])


def tangent_system(model: Model, directions: Array) -> Model:
    """The model with states (y, w, ...), and tangents of its integrals after the integrals.

    Along `directions` (d, m).
    """
    n = model.n

    def value(function: VectorField) -> VectorField:
        return lambda t, z, p: function(t, z[:n], p)

    def tangent(function: VectorField, index: int) -> VectorField:
        def slope(t: Any, z: Any, p: Any) -> Any:
            def moved(y: Any, q: Any) -> Any:
                return jnp.asarray(function(t, y, q))

            start = (index + 1) * n
            tangents = z[start : start + n], jnp.asarray(directions[index])
            return jax.jvp(moved, (z[:n], p), tangents)[1]

        return slope

    count = range(len(directions))
    rates = [value(model.vector_field), *(tangent(model.vector_field, i) for i in count)]
    named = dict(zip(integrand_names(model), integrands(model), strict=True))
    return replace(
        model,
        vector_field=lambda t, z, p: jnp.concatenate([rate(t, z, p) for rate in rates]),
        states=dict(model.states)
        | {f"{name}.tangent{i}": (0.0, "") for i in count for name in model.states},
        initial_state=None,
        integrands={name: value(g) for name, g in named.items()}
        | {f"{name}.tangent{i}": tangent(g, i) for i in count for name, g in named.items()},
        events={name: Event(when=value(event.when)) for name, event in model.events.items()},
        exact_solution=None,
        exact_sensitivities=None,
    )


def along(whole: Array, n: int, size: int, directions: Array) -> Array:
    """The tangent system's states and integrals, (K, (1 + d) N), from variational states.

    Parameters
    ----------
    whole
        States and integrals, then the sensitivities of each, (K, N (1 + m)).
    n, size
        Numbers n of states and N of states and integrals.
    directions
        (d, m).
    """
    count, m = directions.shape
    slopes = whole[:, size:].reshape(-1, size, m) @ directions.T
    values = [whole[:, :size], *(slopes[..., index] for index in range(count))]
    return np.concatenate([v[:, :n] for v in values] + [v[:, n:] for v in values], axis=1)

"""Logistic growth whose rate is a Fourier series: the number of parameters as an axis."""

import jax.numpy as jnp
import numpy as np

from gradaudit import Model
from gradaudit.backend.shapes import Matrix, Scalar, Vector

INITIAL = 0.25


def at(count: float = 20.0) -> Model:
    """The model with `count` coefficients of the rate."""
    m = int(count)
    order = np.arange(1.0, m + 1.0)

    def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
        return p @ jnp.cos(order * t) * y * (1.0 - y)

    def exact_solution(t: Scalar, p: Vector) -> Vector:
        """ln(y / (1 - y)) is the integral of the rate."""
        grown = p @ (jnp.sin(order * t) / order)
        return jnp.stack([1.0 / (1.0 + (1.0 / INITIAL - 1.0) * jnp.exp(-grown))])

    def exact_sensitivities(t: Scalar, p: Vector) -> Matrix:
        y = exact_solution(t, p)[0]
        return (y * (1.0 - y) * jnp.sin(order * t) / order)[None, :]

    return Model(
        name="many_parameters",
        vector_field=vector_field,
        states={"y": (INITIAL, "1")},
        parameters={f"a{j}": (float(1.0 / j), "1/s") for j in range(1, m + 1)},
        t_end=10.0,
        time_unit="s",
        exact_solution=exact_solution,
        exact_sensitivities=exact_sensitivities,
        axes={"count": (1.0, 5.0, 20.0, 50.0)},
        mechanism="number of parameters",
        regime="good",
        description=(
            "One state, as many parameters as wanted, and a closed form: what forward mode costs, "
            "and what a norm over all tangents does as their number grows."
        ),
        citation="Elementary: separable, integrated by hand.",
    )


MODEL = at()

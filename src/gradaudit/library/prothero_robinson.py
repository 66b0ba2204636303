"""Prothero and Robinson's problem: stiff, with a slow solution that is known."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Matrix, Scalar, Vector


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """y(t) = cos(w t), for any stiffness."""
    return jnp.cos(p * t)


def exact_sensitivities(t: Scalar, p: Vector) -> Matrix:
    """dy/dw = -t sin(w t)."""
    return (-t * jnp.sin(p * t))[None, :]


def at(stiffness: float = 1e4) -> Model:
    """The model whose solution attracts its neighbours at the rate `stiffness`, in 1/s."""

    def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
        return -stiffness * (y - jnp.cos(p * t)) - p * jnp.sin(p * t)

    return Model(
        name="prothero_robinson",
        vector_field=vector_field,
        states={"y": (1.0, "1")},
        parameters={"w": (1.0, "rad/s")},
        t_end=1.5,
        time_unit="s",
        exact_solution=exact_solution,
        exact_sensitivities=exact_sensitivities,
        axes={"stiffness": (1e1, 1e2, 1e3, 1e4, 1e5)},
        mechanism="stiff but slow",
        regime="good",
        description=(
            "A slow solution that attracts its neighbours within 1/stiffness: an explicit method "
            "needs steps of that length, although solution and tangent are slow."
        ),
        citation=(
            "A. Prothero, A. Robinson, On the stability and accuracy of one-step methods for "
            "solving stiff systems of ordinary differential equations, Mathematics of Computation "
            "28 (1974) 145-162."
        ),
    )


MODEL = at()

"""Lotka and Volterra's equations at their equilibrium, from the review of Sapienza et al."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Matrix, Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """u1' = a u1 - u1 u2, u2' = -a u2 + u1 u2, in 1/s."""
    u1, u2 = y
    (a,) = p
    return jnp.stack([a * u1 - u1 * u2, u1 * u2 - a * u2])


def exact_sensitivities(t: Scalar, p: Vector) -> Matrix:
    """S1 = 1 - cos t + sin t, S2 = 1 - cos t - sin t; at a = 1 only, where u1 = u2 = 1.

    There S1' = 1 - S2 and S2' = S1 - 1. The sum of both is 2 - 2 cos t.
    """
    del p
    rise = 2.0 * jnp.sin(0.5 * t) ** 2
    return jnp.stack([rise + jnp.sin(t), rise - jnp.sin(t)])[:, None]


MODEL = Model(
    name="lotka_volterra_equilibrium",
    vector_field=vector_field,
    states={"u1": (1.0, "1"), "u2": (1.0, "1")},
    parameters={"a": (1.0, "1/s")},
    t_end=10.0,
    time_unit="s",
    exact_sensitivities=exact_sensitivities,
    observables=("u1", "u2"),
    mechanism="uncontrolled tangent at an equilibrium",
    regime="horrible",
    description=(
        "The state stands still, so that every step is accepted and the steps grow; a tangent "
        "that is not in the error test oscillates on that grid, with an error that no tolerance "
        "changes."
    ),
    citation=(
        "F. Sapienza et al., Differentiable programming for differential equations: a review, "
        "arXiv:2406.09699 (2024)."
    ),
)

"""A linear decay that starts at its equilibrium: no error of the state, none to control."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector

INITIAL, RATE = 0.5, 2.0


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """y' = a - 2 y, in 1/s."""
    return p - RATE * y


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """y(t) = y0 exp(-2 t) + a (1 - exp(-2 t)) / 2."""
    return INITIAL * jnp.exp(-RATE * t) - p / RATE * jnp.expm1(-RATE * t)


MODEL = Model(
    name="equilibrium_linear",
    vector_field=vector_field,
    states={"y": (INITIAL, "1")},
    parameters={"a": (1.0, "1/s")},
    t_end=1.0,
    time_unit="s",
    exact_solution=exact_solution,
    mechanism="uncontrolled tangent at an equilibrium",
    regime="horrible",
    description=(
        "The state stands still at a/2, so that every step is accepted and the steps grow; a "
        "tangent that is not in the error test moves on that grid, with an error that no "
        "tolerance changes."
    ),
    citation=(
        "F. Sapienza et al., Differentiable programming for differential equations: a review, "
        "arXiv:2406.09699 (2024)."
    ),
)

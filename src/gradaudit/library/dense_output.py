"""A decaying rotation that is observed far more often than a solver steps."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """A rotation at the rate w that shrinks at the rate c."""
    x, z = y
    w, c = p
    return jnp.stack([-c * x - w * z, w * x - c * z])


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """exp(-c t) (cos(w t), sin(w t))."""
    w, c = p
    return jnp.exp(-c * t) * jnp.stack([jnp.cos(w * t), jnp.sin(w * t)])


MODEL = Model(
    name="dense_output",
    vector_field=vector_field,
    states={"x": (1.0, "1"), "z": (0.0, "1")},
    parameters={"w": (2.0, "rad/s"), "c": (0.1, "1/s")},
    t_end=20.0,
    time_unit="s",
    observations=1001,
    exact_solution=exact_solution,
    observables=("x", "z"),
    mechanism="dense output",
    regime="bad",
    description=(
        "A thousand observations of a solution that needs few steps: where they are taken from "
        "the interpolant of a step, the gradient has the order of the interpolant, which is below "
        "that of the method."
    ),
    citation=(
        "E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd "
        "edition, Springer, 1993, section II.6."
    ),
)

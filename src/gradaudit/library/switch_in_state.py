"""A right-hand side that switches where the state reaches a parameter."""

import jax.numpy as jnp

from gradaudit import Event, Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """y' = 1 below y = p, 2 above."""
    return jnp.where(y < p, 1.0, 2.0)


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """y(t) = t, then 2 t - p."""
    return jnp.where(t < p, t, 2.0 * t - p)


MODEL = Model(
    name="switch_in_state",
    vector_field=vector_field,
    states={"y": (0.0, "1")},
    parameters={"p": (1.0, "1")},
    t_end=2.0,
    time_unit="s",
    observations=100,  # even, for S does not exist at t = p
    exact_solution=exact_solution,
    events={"switch": Event(when=lambda t, y, p: y[0] - p[0], direction=1)},
    mechanism="discontinuous right-hand side",
    regime="horrible",
    description=(
        "The speed doubles where y = p: dy/dp = -1 from there on, and forward AD gives 0 while "
        "the state converges."
    ),
    citation=(
        "I. A. Hiskens, M. A. Pai, Trajectory sensitivity analysis of hybrid systems, IEEE "
        "Transactions on Circuits and Systems I 47 (2000) 204-220."
    ),
)

"""A damped pendulum: the computed value as a function of a parameter is jagged."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """x'' = -w^2 sin(x) - c x'."""
    x, v = y
    w, c = p
    return jnp.stack([v, -w * w * jnp.sin(x) - c * v])


MODEL = Model(
    name="jagged_controller",
    vector_field=vector_field,
    states={"x": (2.0, "rad"), "v": (0.0, "rad/s")},
    parameters={"w": (2.0, "rad/s"), "c": (0.1, "1/s")},
    t_end=20.0,
    time_unit="s",
    mechanism="discontinuous step controller",
    regime="bad",
    description=(
        "A smooth problem; but an accepted step may become a rejected one as a parameter moves, "
        "so that the computed value jumps, and a difference quotient divides the jump by its "
        "step."
    ),
    citation=(
        "C. W. Gear, T. Vu, Smooth numerical solutions of ordinary differential equations, in: "
        "P. Deuflhard, E. Hairer (eds.), Numerical Treatment of Inverse Problems in Differential "
        "and Integral Equations, Birkhäuser, 1983."
    ),
)

"""A right-hand side that is switched off at a time that is a parameter."""

import jax.numpy as jnp

from gradaudit import Event, Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """y' = 1 before t = p, then 0."""
    return jnp.where(t < p, 1.0, 0.0)


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """y(t) = min(t, p)."""
    return jnp.where(t < p, t, p)


MODEL = Model(
    name="switch_in_time",
    vector_field=vector_field,
    states={"y": (0.0, "1")},
    parameters={"p": (1.0, "s")},
    t_end=2.0,
    time_unit="s",
    observations=100,  # even, for S does not exist at t = p
    exact_solution=exact_solution,
    events={"off": Event(when=lambda t, y, p: t - p[0], direction=1)},
    mechanism="discontinuous right-hand side",
    regime="horrible",
    description=(
        "The state depends on p only through the time of the switch, which no derivative of a "
        "step sees: forward AD gives 0 at every tolerance, and the truth is 1."
    ),
    citation=(
        "S. Galán, W. F. Feehery, P. I. Barton, Parametric sensitivity functions for hybrid "
        "discrete/continuous systems, Applied Numerical Mathematics 31 (1999) 17-47."
    ),
)

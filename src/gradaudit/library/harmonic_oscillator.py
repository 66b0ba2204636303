"""A mass on a spring: linear, neutral, the place to see rounding."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """x' = v, v' = -(k/m) x."""
    x, v = y
    k, m = p
    return jnp.stack([v, -k / m * x])


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """x = cos(w t), v = -w sin(w t), w^2 = k/m."""
    k, m = p
    w = jnp.sqrt(k / m)
    return jnp.stack([jnp.cos(w * t), -w * jnp.sin(w * t)])


MODEL = Model(
    name="harmonic_oscillator",
    vector_field=vector_field,
    states={"x": (1.0, "m"), "v": (0.0, "m/s")},
    parameters={"k": (2.0, "N/m"), "m": (0.5, "kg")},
    t_end=20.0,
    time_unit="s",
    exact_solution=exact_solution,
    observables=("x", "v"),
    axes={"t_end": (20.0, 200.0)},
    mechanism="single precision",
    regime="bad",
    description=(
        "In double precision the error falls with the tolerance; in single precision rounding "
        "sets a floor, and a tighter tolerance raises it, for more steps round more often."
    ),
    citation=(
        "N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, SIAM, 2002; "
        "the model is elementary."
    ),
)

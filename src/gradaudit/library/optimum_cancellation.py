"""A damped oscillator, fitted to itself: at the optimum the gradient is a sum that cancels."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """x'' = -w^2 x - 2 c x'."""
    x, v = y
    w, c = p
    return jnp.stack([v, -w * w * x - 2.0 * c * v])


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """exp(-c t) (cos(q t) + (c/q) sin(q t)) and its slope, q^2 = w^2 - c^2."""
    w, c = p
    q = jnp.sqrt((w - c) * (w + c))
    decay, sine = jnp.exp(-c * t), jnp.sin(q * t) / q
    return jnp.stack([decay * (jnp.cos(q * t) + c * sine), -decay * w * w * sine])


MODEL = Model(
    name="optimum_cancellation",
    vector_field=vector_field,
    states={"x": (1.0, "m"), "v": (0.0, "m/s")},
    parameters={"w": (2.0, "rad/s"), "c": (0.02, "1/s")},
    t_end=50.0,
    time_unit="s",
    observations=201,
    exact_solution=exact_solution,
    observables=("x", "v"),
    mechanism="cancellation at an optimum",
    regime="horrible",
    description=(
        "For the sum of squares against its own exact trace the true gradient is 0: what is "
        "computed is the error of the state times the sensitivities, and no relative error exists."
    ),
    citation=(
        "E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd "
        "edition, Springer, 1993, section II.6; the model is elementary."
    ),
)

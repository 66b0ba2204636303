"""Logistic growth: the good control, smooth and dissipative, with a closed form."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector

INITIAL, CAPACITY = 0.5, 10.0


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """y' = r y (1 - y/K), in 1/h."""
    r, k = p
    return jnp.stack([r * y[0] * (1.0 - y[0] / k)])


def exact_solution(t: Scalar, p: Vector) -> Vector:
    """y(t) = K / (1 + (K/y0 - 1) exp(-r t))."""
    r, k = p
    return jnp.stack([k / (1.0 + (k / INITIAL - 1.0) * jnp.exp(-r * t))])


MODEL = Model(
    name="logistic",
    vector_field=vector_field,
    states={"y": (INITIAL, "g/L")},
    parameters={"r": (1.0, "1/h"), "K": (CAPACITY, "g/L")},
    t_end=5.0,
    time_unit="h",
    exact_solution=exact_solution,
    mechanism="smooth dissipative",
    regime="good",
    description=(
        "Logistic growth: smooth, dissipative, and a gradient whose error falls with the tolerance."
    ),
    citation=(
        "P.-F. Verhulst, Notice sur la loi que la population suit dans son accroissement, "
        "Correspondance mathématique et physique 10 (1838) 113-121."
    ),
)

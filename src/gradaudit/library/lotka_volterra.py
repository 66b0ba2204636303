"""Predator and prey on a closed orbit."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """u' = a u - b u v, v' = d u v - c v."""
    u, v = y
    a, b, c, d = p
    return jnp.stack([a * u - b * u * v, d * u * v - c * v])


MODEL = Model(
    name="lotka_volterra",
    vector_field=vector_field,
    states={"u": (1.0, "1"), "v": (1.0, "1")},
    parameters={
        "a": (1.5, "1/year"),
        "b": (1.0, "1/year"),
        "c": (3.0, "1/year"),
        "d": (1.0, "1/year"),
    },
    t_end=20.0,
    time_unit="year",
    observations=201,
    observables=("u", "v"),
    axes={"t_end": (10.0, 20.0, 50.0)},
    mechanism="phase drift on a limit cycle",
    regime="bad",
    description=(
        "Closed orbits whose period depends on all parameters, and on the orbit: phase and "
        "amplitude drift with the error of the state."
    ),
    citation=(
        "V. Volterra, Fluctuations in the abundance of a species considered mathematically, "
        "Nature 118 (1926) 558-560."
    ),
)

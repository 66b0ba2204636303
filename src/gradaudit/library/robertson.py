"""Robertson's reactions: three species, rate constants over nine orders of magnitude."""

import jax.numpy as jnp

from gradaudit import Model
from gradaudit.backend.shapes import Scalar, Vector


def vector_field(t: Scalar, y: Vector, p: Vector) -> Vector:
    """A -> B, 2 B -> B + C, B + C -> A + C; concentrations are fractions of the total."""
    a, b, c = y
    k1, k2, k3 = p
    forward, autocatalytic, back = k1 * a, k2 * b * b, k3 * b * c
    return jnp.stack([back - forward, forward - back - autocatalytic, autocatalytic])


MODEL = Model(
    name="robertson",
    vector_field=vector_field,
    states={"A": (1.0, "1"), "B": (0.0, "1"), "C": (0.0, "1")},
    parameters={"k1": (0.04, "1/s"), "k2": (3e7, "1/s"), "k3": (1e4, "1/s")},
    t_end=40.0,
    time_unit="s",
    observables=("A", "B", "C"),
    axes={"t_end": (0.4, 4.0, 40.0, 4e4)},
    mechanism="stiff but slow",
    regime="good",
    description=(
        "Chemical kinetics with one slow and two fast reactions, the textbook case of stiffness: "
        "an explicit method needs steps of the length of the fastest time, however slow the "
        "solution is."
    ),
    citation=(
        "H. H. Robertson, The solution of a set of reaction rate equations, in: J. Walsh (ed.), "
        "Numerical Analysis: An Introduction, Academic Press, 1966, 178-182."
    ),
)
